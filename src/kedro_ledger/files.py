"""Atomic, durable writes of files, and hashes of files and folders."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def hash_and_size(path: Path) -> tuple[str, int]:
    """Hash a file or a folder.

    Returns:
        Its sha256 and its size in bytes. A folder's hash covers the names and hashes of its files.

    Raises:
        FileNotFoundError: If it does not exist.
        OSError: If it is neither a file nor a folder. Reading a pipe, for example, might never end.
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


def sync(path: Path) -> None:
    """Sync a file, or a folder and everything in it, so that it survives a power cut."""
    if path.is_dir():
        if os.name == "nt":  # Windows can't sync folders
            return
        for child in path.iterdir():
            sync(child)
    _sync(path)


def sync_folders(folders: set[Path]) -> None:
    """Sync the entries of these folders, so that the names of their files survive a power cut."""
    for folder in sorted(folders) if os.name != "nt" else ():
        _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str) -> None:
    """Write a file atomically: it has either the new content or the old one."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with part.open("x", encoding="utf-8", newline="\n") as file:  # "x" does not follow links
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    sync_folders({path.parent})


def append(path: Path, text: str, size: int) -> None:
    """Truncate a file to a size and append text, and sync it so that it survives a power cut.

    Args:
        path: The file, which is created if it does not exist.
        text: The text to append.
        size: The number of bytes to keep from the start of the file.
    """
    is_new = not path.exists()
    with path.open("ab") as file:
        if file.tell() > size:
            os.ftruncate(file.fileno(), size)
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folders({path.parent})


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with its contents, if it exists."""
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()
