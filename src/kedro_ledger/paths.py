"""What the paths in records and marks may look like: whoever can write to `data` can write anything there."""

from __future__ import annotations

import os
import re

RUN_ID = re.compile(r"\w[\w.:-]*")
RECORD = re.compile(r"(\d{6,9})_(.+)\.json", re.ASCII)
"""The name of a record's file."""
TRY = "~"
"""Stands in a version's name between a run's id and whatever a runner adds while it writes."""
TRY_NAME = re.compile(rf"(?P<run_id>{RUN_ID.pattern}){TRY}(running|[0-9a-f]{{32}})")


def is_plain(path: str) -> bool:
    """Return whether a path, absolute or relative, has no empty part, no `.` and no `..`."""
    parts = path.removeprefix("/").split("/")
    return not ({"", ".", ".."} & {*parts} or "\0" in path or (os.name == "nt" and "\\" in path))


def is_relative(path: str) -> bool:
    """Return whether a path is plain and cannot lead out of the folder that it begins in, but by a link."""
    return is_plain(path) and not os.path.isabs(path) and not path.startswith("/")


def is_version_folder(folder: str, run_id: str) -> bool:
    """Return whether a folder may be the version of a dataset that a run wrote."""
    home, _, version = folder.rpartition("/")
    return bool(home) and is_plain(folder) and version == run_id and bool(RUN_ID.fullmatch(run_id))


def is_version(path: str, run_id: str) -> bool:
    """Return whether Kedro may have saved the version of a run there: as `<home>/<run id>/<name of home>`."""
    folder, _, name = path.rpartition("/")
    return is_version_folder(folder, run_id) and name == folder.split("/")[-2]
