"""Removes versions that no committed run names, and nothing else."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kedro_ledger import files
from kedro_ledger.paths import RECORD, TRY, TRY_NAME

log = logging.getLogger(__name__)


class Version(NamedTuple):
    """What a run wrote of a dataset."""

    run_id: str
    dataset: str
    folder: str
    """`<home of the dataset>/<run id>`, as a record or a mark has it."""

    @property
    def home(self) -> str:
        """The folder of all versions of the dataset."""
        return self.folder.rpartition("/")[0]


IsKept = Callable[[str, str], bool]
"""Whether the present catalog keeps a dataset in a folder."""


def remove_versions(
    project: Path, data_folder: str, versions: Iterable[Version], is_kept: IsKept
) -> set[str]:
    """Remove versions, and what workers left that died while they wrote them.

    Only what holds nothing but what Kedro saves there is removed: in the folder of the data, but not behind a
    link in it or in a folder that has a ledger of its own; or where the present catalog keeps the dataset. A
    warning names what is left. The paths of the versions were checked when they were read.

    Returns:
        The runs of which something was removed.

    Raises:
        OSError: If something can't be removed.
    """
    by_home: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for version in versions:
        by_home[version.home][version.run_id] = version.dataset
    removed: set[str] = set()
    for home in sorted(by_home):
        datasets = by_home[home]
        own = {name for name in datasets.values() if _is_own(project, data_folder, home, name, is_kept)}
        try:
            with os.scandir(project / home) as entries:
                found = [
                    (entry, run_id) for entry in entries if (run_id := _find_run(entry.name)) in datasets
                ]
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry, run_id in sorted(found, key=lambda pair: pair[0].name):
            if datasets[run_id] not in own:
                reason = "it is behind a link, in another ledger's folder, or where the catalog does not keep"
                log.warning("%s/%s is left: %s %s", home, entry.name, reason, datasets[run_id])
            elif not _holds_only(entry, os.path.basename(home)):
                log.warning("%s/%s is left: it is or holds what no run has written", home, entry.name)
            else:
                _remove(entry, os.path.basename(home))
                removed.add(run_id)
    return removed


def _find_run(name: str) -> str:
    """Return the run that a folder's name speaks of; that of a try has more behind the run's id."""
    attempt = TRY_NAME.fullmatch(name) if TRY in name else None
    return attempt["run_id"] if attempt else name


def _is_own(project: Path, data_folder: str, home: str, dataset: str, is_kept: IsKept) -> bool:
    """Return whether a home is in the data's folder and no other ledger's, or where the catalog keeps it."""
    if not PurePosixPath(home).is_relative_to(data_folder):
        return is_kept(dataset, home)
    folder = project / data_folder
    for part in PurePosixPath(home).relative_to(data_folder).parts:
        folder /= part
        if folder.is_symlink() or _has_ledger(folder):
            return False
    return True


def _has_ledger(folder: Path) -> bool:
    try:
        return any(RECORD.fullmatch(name) for name in os.listdir(folder / "runs"))
    except OSError:
        return False


def _holds_only(version: os.DirEntry[str], name: str) -> bool:
    """Return whether a folder holds nothing but the file of this name; a runner's marker is a file itself."""
    if version.is_dir(follow_symlinks=False):
        return not set(os.listdir(version)) - {name}
    return version.is_file(follow_symlinks=False) and bool(TRY_NAME.fullmatch(version.name))


def _remove(version: os.DirEntry[str], name: str) -> None:
    try:
        if version.is_file():
            os.unlink(version)
        else:
            files.remove(Path(version.path, name))
            os.rmdir(version)
    except OSError as error:
        raise OSError(error.errno, error.strerror, version.path) from error  # it may name a file alone
