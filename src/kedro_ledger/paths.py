"""Valid names and paths in the ledger's files, which are not trusted since other programs can write them."""

from __future__ import annotations

import os
import re

RUN_ID = re.compile(r"\w[\w.:-]*")
RECORD = re.compile(r"(\d{6,9})_(.+)\.json", re.ASCII)
"""The name of a record's file."""
ATTEMPT_SEPARATOR = "~"
"""Separator between the run id and the suffix in the name of a version that a runner is still writing."""
ATTEMPT = re.compile(rf"(?P<run_id>{RUN_ID.pattern}){ATTEMPT_SEPARATOR}(running|[0-9a-f]{{32}})")
"""The name of such a version, or of the file that exists while a run on a cluster is active."""


def is_plain(path: str) -> bool:
    """Return whether a path, absolute or relative, has no empty part, no `.` and no `..`."""
    parts = path.removeprefix("/").split("/")
    return not ({"", ".", ".."} & {*parts} or "\0" in path or (os.name == "nt" and "\\" in path))


def is_relative(path: str) -> bool:
    """Return whether a path is plain and relative, so that it can leave its folder only through a link."""
    return is_plain(path) and not os.path.isabs(path) and not path.startswith("/")


def is_version_folder(folder: str, run_id: str) -> bool:
    """Return whether a folder may be a version that a run wrote."""
    dataset_folder, _, version = folder.rpartition("/")
    return bool(dataset_folder) and is_plain(folder) and version == run_id and bool(RUN_ID.fullmatch(run_id))


def is_version(path: str, run_id: str) -> bool:
    """Return whether a path has the form in which Kedro saves a version, `.../NAME/<run id>/NAME`."""
    folder, _, name = path.rpartition("/")
    return is_version_folder(folder, run_id) and name == folder.split("/")[-2]
