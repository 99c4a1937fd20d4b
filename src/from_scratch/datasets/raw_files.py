"""Raw files on disk: hashing, keeping earlier contents, and atomic replacement."""

from __future__ import annotations

import glob
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from kedro.io.core import DatasetError

from kedro_ledger.errors import BusyError
from kedro_ledger.files import hash_and_size, sync, sync_folders

log = logging.getLogger(__name__)

EARLIER = "earlier"
"""The folder, beside a file that may change, for the contents that runs read, so that they can be rebuilt."""
TEMPORARY_PREFIX = ".download-"
"""Prefix of the folders that contain incomplete files."""

_locks: dict[Path, FileLock] = {}


def hash_text(file: Path) -> str:
    r"""Compute the sha256 of a file, with every \r\n read as \n."""
    digest = hashlib.sha256()
    with file.open("rb") as lines:
        for line in lines:
            digest.update(line.replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def require_folders(file: Path) -> None:
    """Require real folders around a file, so that runs write where its path says.

    Raises:
        DatasetError: If one is not a folder, or is a link; the project's `data` and its parents may be links.
    """
    data = Path.cwd() / "data"
    for folder in (file.parent / EARLIER, *file.absolute().parents):
        if folder.is_symlink() and not data.is_relative_to(folder):
            raise DatasetError(f"{folder} is a link; expected a folder, since runs write there")
        if folder.exists() and not folder.is_dir():
            raise DatasetError(f"{folder} is not a folder; expected a folder, since runs write there")


def lock(file: Path) -> None:
    """Take the lock for replacing a file, since runs in other environments may use the same file.

    Raises:
        BusyError: If another run has the lock.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file_lock = FileLock(file.parent / f".{file.name}.lock", thread_local=False)
    try:
        file_lock.acquire(blocking=False)
    except Timeout:
        raise BusyError(f"another run is downloading or copying {file}. Try again when it finishes") from None
    _locks[file] = file_lock


def unlock(file: Path) -> None:
    """Release the lock on a file, if this process has it."""
    if file_lock := _locks.pop(file, None):
        with suppress(OSError):  # Windows can remove it only after the release
            os.unlink(file_lock.lock_file)
        file_lock.release()


class Kept(NamedTuple):
    """One content of a file, kept under its own name."""

    path: Path
    is_new: bool
    """Whether this content was not kept before."""


def keep(part: Path, file: Path) -> Kept:
    """Move `part`, a content of the file on the same disk, into `earlier`, under a name with its hash."""
    path = file.parent / EARLIER / f"{file.stem}_{hash_and_size(part)[0][:12]}{file.suffix}"
    is_new = not path.exists()
    _move_at_once(part, path)
    return Kept(path, is_new)


def keep_copy(file: Path) -> Kept:
    """Keep a copy of a file's current content."""
    with temporary_path(file) as part:
        shutil.copyfile(file, part)
        return keep(part, file)


def copy_at_once(file: Path, target: Path) -> None:
    """Copy a file atomically: even after a power cut, the target is its old content or the whole copy."""
    with temporary_path(target) as part:
        shutil.copyfile(file, part)
        _move_at_once(part, target)


def finish(fetched: Kept, file: Path, committed: bool) -> None:
    """Replace the file with the download if the run was committed; otherwise remove the download."""
    if committed:
        earlier = keep_copy(file) if file.exists() else None
        copy_at_once(fetched.path, file)
        if earlier:
            log.info("%s has changed; the earlier file is kept as %s", file.name, earlier.path)
    else:
        log.info("%s is unchanged; the download is discarded, since the run was not committed", file.name)
    if fetched.is_new:
        fetched.path.unlink(missing_ok=True)
        with suppress(OSError):  # other contents are kept there
            fetched.path.parent.rmdir()


def _move_at_once(part: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    sync(part)
    os.replace(part, target)
    sync_folders({target.parent})


@contextmanager
def temporary_path(file: Path) -> Iterator[Path]:
    """Provide a path for a file until it is complete, in a temporary folder beside its final place.

    Only a run that has locked the file may do this. Any earlier temporary folder was left by a killed
    process, and is removed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{TEMPORARY_PREFIX}{file.name}-"
    for folder in file.parent.glob(f"{glob.escape(prefix)}*"):
        shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=prefix) as new_folder:
        yield Path(new_folder) / file.name
