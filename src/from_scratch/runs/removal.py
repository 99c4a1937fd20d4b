"""Removes versions that no committed run names, and nothing else."""

from __future__ import annotations

import errno
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from from_scratch.runs import files
from from_scratch.runs.paths import TRY_NAME

log = logging.getLogger(__name__)


class Version(NamedTuple):
    """What a run wrote of a dataset."""

    run_id: str
    dataset: str
    folder: str
    """`<home of the dataset>/<run id>`, as a record or a mark has it."""


IsKept = Callable[[str, str], bool]
"""Says of a dataset and a folder whether the present catalog keeps the dataset there."""


def remove_versions(
    project: Path,
    versions: Iterable[Version],
    is_kept: IsKept,
    track: Callable[[list[str]], Iterable[str]] = iter,
) -> set[str]:
    """Remove versions, and what workers left that died while they wrote them.

    A folder is removed only if it holds nothing but what Kedro saves there, and if it really lies in the
    project, or where the present catalog keeps the dataset. A warning names what is left.

    Args:
        project: The project's folder.
        versions: The versions; their paths were checked when they were read.
        is_kept: Says where the present catalog keeps a dataset.
        track: Goes through the homes of the datasets, and may show how far it is.

    Returns:
        The runs of which something was removed.

    Raises:
        OSError: If something can't be removed.
    """
    by_home: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for version in versions:
        by_home[version.folder.rpartition("/")[0]][version.run_id] = version.dataset
    removed: set[str] = set()
    for home in track(sorted(by_home)):
        datasets = by_home[home]
        try:
            with os.scandir(project / home) as entries:
                found = [
                    (entry, run_id) for entry in entries if (run_id := _find_run(entry.name)) in datasets
                ]
        except (FileNotFoundError, NotADirectoryError):
            continue
        is_own = _is_in_project(project, home)
        for entry, run_id in sorted(found, key=lambda pair: pair[0].name):
            if not is_own and not is_kept(datasets[run_id], home):
                log.warning(
                    "%s/%s is left: it lies outside the project, where the catalog does not keep %s",
                    *(home, entry.name, datasets[run_id]),
                )
            elif _remove(entry, os.path.basename(home)):
                removed.add(run_id)
            else:
                log.warning("%s/%s is left: it holds what no run has written", home, entry.name)
    return removed


def _find_run(name: str) -> str:
    """Return the run that a folder's name speaks of; that of a try has more behind the run's id."""
    attempt = TRY_NAME.fullmatch(name)
    return attempt["run_id"] if attempt else name


def _is_in_project(project: Path, home: str) -> bool:
    """Return whether no link leads to a dataset's home; `data` itself may be one, to another disk."""
    if os.path.isabs(home):
        return False
    folders = [project / home, *(project / parent for parent in Path(home).parents if parent.name)]
    return not any(folder.is_symlink() for folder in folders if folder != project / "data")


def _remove(version: os.DirEntry[str], name: str) -> bool:
    """Remove the folder of a version, or a link in its place; return whether it is gone."""
    try:
        if version.is_symlink() or (version.is_file() and TRY_NAME.fullmatch(version.name)):
            os.unlink(version)
        elif version.is_dir():
            files.remove(Path(version.path, name))
            os.rmdir(version)
        else:
            return False
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise OSError(error.errno, error.strerror, version.path) from error  # it may name a file alone
    return True
