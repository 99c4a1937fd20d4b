"""Removal of versions that no committed run names, and of nothing else."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kedro_ledger import files
from kedro_ledger.paths import ATTEMPT, ATTEMPT_SEPARATOR, RECORD

log = logging.getLogger(__name__)


class Version(NamedTuple):
    """A version of a dataset."""

    run_id: str
    dataset: str
    folder: str
    """The path `<folder of the dataset>/<run id>`, as in a record or an announcement."""

    @property
    def dataset_folder(self) -> str:
        """The folder with all versions of the dataset."""
        return self.folder.rpartition("/")[0]


IsStoredIn = Callable[[str, str], bool]
"""Function that takes a dataset and a folder, and returns whether the current catalog stores it there."""


def remove_versions(
    project: Path, data_folder: str, versions: Iterable[Version], is_stored_in: IsStoredIn
) -> set[str]:
    """Remove versions, and partial versions from workers that died while writing.

    A version is removed only if it contains nothing except the file that Kedro saves, and if it is in the
    data folder, or where the current catalog stores the dataset. In the data folder, links and folders with
    their own ledger are not entered. Versions that are not removed are logged as warnings. The caller has
    checked the paths.

    Returns:
        The ids of the runs of which a version was removed.

    Raises:
        OSError: If a version can't be removed.
    """
    by_folder: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for version in versions:
        by_folder[version.dataset_folder][version.run_id] = version.dataset
    removed: set[str] = set()
    for folder in sorted(by_folder):
        datasets = by_folder[folder]
        own = {
            name for name in datasets.values() if _is_own(project, data_folder, folder, name, is_stored_in)
        }
        try:
            with os.scandir(project / folder) as entries:
                found = [
                    (entry, run_id) for entry in entries if (run_id := _find_run(entry.name)) in datasets
                ]
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry, run_id in sorted(found, key=lambda pair: pair[0].name):
            if datasets[run_id] not in own:
                reason = "it is behind a link, in another ledger's folder, or not where the catalog stores"
                log.warning("%s/%s was not removed: %s %s", folder, entry.name, reason, datasets[run_id])
            elif not _contains_only(entry, os.path.basename(folder)):
                log.warning(
                    "%s/%s was not removed: it is or contains something that no run wrote", folder, entry.name
                )
            else:
                _remove(entry, os.path.basename(folder))
                removed.add(run_id)
    return removed


def _find_run(name: str) -> str:
    """Return the run id in the name of a version's folder, without the suffix of a write in progress."""
    attempt = ATTEMPT.fullmatch(name) if ATTEMPT_SEPARATOR in name else None
    return attempt["run_id"] if attempt else name


def _is_own(
    project: Path, data_folder: str, dataset_folder: str, dataset: str, is_stored_in: IsStoredIn
) -> bool:
    """Return whether a dataset's folder is in this ledger's data folder, or where the catalog stores it."""
    if not PurePosixPath(dataset_folder).is_relative_to(data_folder):
        return is_stored_in(dataset, dataset_folder)
    folder = project / data_folder
    for part in PurePosixPath(dataset_folder).relative_to(data_folder).parts:
        folder /= part
        if folder.is_symlink() or _has_ledger(folder):
            return False
    return True


def _has_ledger(folder: Path) -> bool:
    try:
        return any(RECORD.fullmatch(name) for name in os.listdir(folder / "runs"))
    except OSError:
        return False


def _contains_only(version: os.DirEntry[str], name: str) -> bool:
    """Return whether a version contains only the file with this name, or is a runner's marker file."""
    if version.is_dir(follow_symlinks=False):
        return not set(os.listdir(version)) - {name}
    return version.is_file(follow_symlinks=False) and bool(ATTEMPT.fullmatch(version.name))


def _remove(version: os.DirEntry[str], name: str) -> None:
    try:
        if version.is_file():
            os.unlink(version)
        else:
            files.remove(Path(version.path, name))
            os.rmdir(version)
    except OSError as error:
        # The path of the original error may be a bare file name.
        raise OSError(error.errno, error.strerror, version.path) from error
