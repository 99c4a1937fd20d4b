"""Raw files on disk: hashed in pieces, replaced at once, and kept under other names before that."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

PIECE = 1 << 16
"""How many bytes are read at once."""
EARLIER = "earlier"
"""The folder, beside a file that may change, for what runs have read of it, so that they can be rebuilt."""
UNFINISHED = ".download-"
"""What the name of a folder begins with that holds a file until it is whole."""


def hash_file(file: Path) -> str:
    """Hash a file's bytes.

    Args:
        file: The file.

    Returns:
        Its sha256.
    """
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def hash_text(file: Path, piece: int = PIECE) -> str:
    r"""Hash a file's bytes, whatever its line ends.

    Args:
        file: The file.
        piece: How many bytes are read at once.

    Returns:
        The sha256 of the file if every \r\n in it were \n.
    """
    digest, held = hashlib.sha256(), b""
    with file.open("rb") as content:
        while read := content.read(piece):
            read = held + read
            held = b"\r" if read.endswith(b"\r") else b""  # a \n may come next
            digest.update(read.removesuffix(held).replace(b"\r\n", b"\n"))
    digest.update(held)
    return digest.hexdigest()


class Kept(NamedTuple):
    """A content of a file, kept under a name of its own."""

    path: Path
    is_new: bool
    """Whether it was not kept before."""


def keep(part: Path, file: Path) -> Kept:
    """Keep a content of a file in the folder `earlier` beside it, under a name with its hash.

    Args:
        part: A file on the same disk that holds it, which is moved.
        file: The file.

    Returns:
        What was kept.
    """
    path = file.parent / EARLIER / f"{file.stem}_{hash_file(part)[:12]}{file.suffix}"
    is_new = not path.exists()
    _move_at_once(part, path)
    return Kept(path, is_new)


def keep_copy(file: Path) -> Kept:
    """Keep what a file is now.

    Args:
        file: The file.

    Returns:
        What was kept.
    """
    with unfinished(file) as part:
        shutil.copyfile(file, part)
        return keep(part, file)


def discard(kept: Kept) -> None:
    """Remove what was kept, unless it was kept before.

    Args:
        kept: What was kept.
    """
    if kept.is_new:
        kept.path.unlink(missing_ok=True)
        with suppress(OSError):  # others are kept, too
            kept.path.parent.rmdir()


def copy_at_once(file: Path, target: Path) -> None:
    """Copy a file so that the target is what it was, or the whole copy, even after a power cut.

    Args:
        file: The file.
        target: What becomes its copy.
    """
    with unfinished(target) as part:
        shutil.copyfile(file, part)
        _move_at_once(part, target)


def _move_at_once(part: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    _bring_to_disk(part)
    os.replace(part, target)
    if os.name != "nt":  # Windows can't sync folders
        _bring_to_disk(target.parent)


def _bring_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def unfinished(file: Path) -> Iterator[Path]:
    """Give a file a place until it is whole, beside where it will be.

    Meanwhile nobody else has one in the same folder: who comes second waits. So what lies there already was
    left by a process that was killed, and is removed.

    Args:
        file: The file.

    Yields:
        Its place, in a folder that is removed at the end, with whatever is left in it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(file.parent):
        for left in file.parent.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=UNFINISHED) as folder:
            yield Path(folder) / file.name


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which the kernel frees however the process ends."""
    if os.name == "nt":  # Windows can't lock folders
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # nor can some network filesystems
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
