"""Files that are whole or not there, even after a power cut, and their hashes."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def hash_and_size(path: Path) -> tuple[str, int]:
    """Hash what lies at a path.

    Returns:
        Its sha256 and its size in bytes. A folder's hash is that of the names and hashes of its files.

    Raises:
        FileNotFoundError: If there is nothing.
        OSError: If it is neither, such as a pipe, which nobody may ever write to.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(f"{path} is neither a file nor a folder")
    if not path.is_dir():
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest(), os.fstat(content.fileno()).st_size
    combined, size = hashlib.sha256(), 0
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        digest, bytes_of_file = hash_and_size(file)
        combined.update(f"{digest} {file.relative_to(path).as_posix()}\n".encode())
        size += bytes_of_file
    return combined.hexdigest(), size


def bring_to_disk(path: Path) -> None:
    """Wait until a file, or all files and folders in a folder, would survive a power cut."""
    if path.is_dir():
        if os.name == "nt":  # Windows can't sync folders
            return
        for child in path.iterdir():
            bring_to_disk(child)
    _sync(path)


def bring_names_to_disk(folders: set[Path]) -> None:
    """Wait until the names of what lies in these folders would survive a power cut."""
    for folder in sorted(folders) if os.name != "nt" else ():
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_at_once(path: Path, text: str) -> None:
    """Write a file so that there is either all of it or what was there before."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with part.open("x", encoding="utf-8", newline="\n") as file:  # never through a link
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    bring_names_to_disk({path.parent})


def append(path: Path, text: str, size: int) -> None:
    """Add text to a file, and wait until it would survive a power cut.

    Args:
        path: The file; it need not be there.
        text: What comes behind its first bytes.
        size: How many bytes these are; all others go.
    """
    is_new = not path.exists()
    with path.open("ab") as file:
        if file.tell() > size:
            os.ftruncate(file.fileno(), size)
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        bring_names_to_disk({path.parent})


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; it may be gone already."""
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()
