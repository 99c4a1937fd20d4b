"""Raw files on disk: hashed, replaced at once, and kept under other names before that."""

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
from kedro_ledger.files import bring_names_to_disk, bring_to_disk, hash_and_size

log = logging.getLogger(__name__)

EARLIER = "earlier"
"""The folder, beside a file that may change, for what runs have read of it, so that they can be rebuilt."""
UNFINISHED = ".download-"
"""What the name of a folder begins with that holds a file until it is whole."""

_locks: dict[Path, FileLock] = {}


def hash_text(file: Path) -> str:
    r"""Compute the sha256 of a file as if every \r\n in it were \n."""
    digest = hashlib.sha256()
    with file.open("rb") as lines:
        for line in lines:
            digest.update(line.replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def require_folders(file: Path) -> None:
    """Require that what is written beside a file comes to lie where its path says, in real folders.

    Raises:
        DatasetError: If a folder is a link, but for the project's `data` and those above it.
    """
    data = Path.cwd() / "data"
    for folder in (file.parent / EARLIER, *file.absolute().parents):
        if folder.is_symlink() and not data.is_relative_to(folder):
            raise DatasetError(f"{folder} is a link; expected a folder, since runs write there")
        if folder.exists() and not folder.is_dir():
            raise DatasetError(f"{folder} is not a folder; expected one, since runs write there")


def lock(file: Path) -> None:
    """Be the only one that replaces a file: runs of other environments may read it, and fetch it, too.

    Raises:
        BusyError: If another run does.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(file.parent / f".{file.name}.lock", thread_local=False)
    try:
        held.acquire(blocking=False)
    except Timeout:
        raise BusyError(f"another run is fetching or keeping {file}; try again when it is done") from None
    _locks[file] = held


def unlock(file: Path) -> None:
    """Let others replace a file again, if this process has locked it."""
    if held := _locks.pop(file, None):
        with suppress(OSError):  # Windows removes it after the release
            os.unlink(held.lock_file)
        held.release()


class Kept(NamedTuple):
    """A content of a file, kept under a name of its own."""

    path: Path
    is_new: bool
    """Whether it was not kept before."""


def keep(part: Path, file: Path) -> Kept:
    """Move a content of a file into the folder `earlier` beside it, under a name with its hash.

    Both are on the same disk.
    """
    path = file.parent / EARLIER / f"{file.stem}_{hash_and_size(part)[0][:12]}{file.suffix}"
    is_new = not path.exists()
    _move_at_once(part, path)
    return Kept(path, is_new)


def keep_copy(file: Path) -> Kept:
    """Keep what a file is now, as `keep` does."""
    with unfinished(file) as part:
        shutil.copyfile(file, part)
        return keep(part, file)


def copy_at_once(file: Path, target: Path) -> None:
    """Copy a file so that the target is what it was, or the whole copy, even after a power cut."""
    with unfinished(target) as part:
        shutil.copyfile(file, part)
        _move_at_once(part, target)


def finish(fetched: Kept, file: Path, committed: bool) -> None:
    """Replace the file by what was fetched if the run that read it is committed; else remove that."""
    if committed:
        earlier = keep_copy(file) if file.exists() else None
        copy_at_once(fetched.path, file)
        if earlier:
            log.info("%s has changed; what it was is kept as %s", file.name, earlier.path)
    else:
        log.info("%s stays as it was: what was downloaded is not kept", file.name)
    if fetched.is_new:
        fetched.path.unlink(missing_ok=True)
        with suppress(OSError):  # others are kept, too
            fetched.path.parent.rmdir()


def _move_at_once(part: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    bring_to_disk(part)
    os.replace(part, target)
    bring_names_to_disk({target.parent})


@contextmanager
def unfinished(file: Path) -> Iterator[Path]:
    """Give a file a place until it is whole, beside where it will be, in a folder that is removed at the end.

    Only a run that has locked the file does that. So what lies there already was left by a process that was
    killed, and is removed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{UNFINISHED}{file.name}-"
    for left in file.parent.glob(f"{glob.escape(prefix)}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=prefix) as folder:
        yield Path(folder) / file.name
