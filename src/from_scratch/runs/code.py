"""Which code ran: sums of the sources, and what git needs to check them out again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

from from_scratch.runs.files import measure
from from_scratch.runs.record import Code

NO_SOURCES = {"__pycache__", ".ipynb_checkpoints"}
LARGEST_PATCH = 10_000_000
"""Bytes. What is larger is data that nobody told git to ignore, and has no place in a record."""


def read_code(project: Path) -> Code:
    """Read the state of a project's code.

    Args:
        project: Its folder.

    Returns:
        The sums of all that lies in `src`, and, in a git repository, the commit and what differs from it.
    """
    sources = sum_sources(project)
    head = _git(project, "rev-parse", "--show-prefix", "HEAD")
    if head is None:
        return Code(files=sources, commit=None)
    folder, commit = head.decode().splitlines()
    changed = _git(project, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".")
    if not changed:
        return Code(files=sources, commit=commit, folder=folder)
    top = project / ("../" * folder.count("/"))
    size = sum(
        (top / name).stat().st_size
        for name in (os.fsdecode(entry)[3:] for entry in changed.split(b"\0") if entry)
        if (top / name).is_file()
    )
    if size > LARGEST_PATCH:
        reason = f"{size / 1e6:.0f} MB differ from the commit: have git ignore what is no code"
        return Code(files=sources, commit=commit, folder=folder, patch_left_out=reason)
    patch = _make_patch(project)
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    try:
        text = patch.decode()
    except UnicodeDecodeError:
        encoding = "latin-1"  # which has a character for every byte
        text = patch.decode(encoding)
    return Code(files=sources, commit=commit, folder=folder, patch=text, patch_encoding=encoding)


def sum_sources(project: Path) -> dict[str, str]:
    """Sum a project's sources.

    Args:
        project: Its folder.

    Returns:
        The sha256 of every file in `src`, by its path seen from the project's folder.
    """
    sums = {}
    for folder, folders, names in os.walk(project / "src"):
        folders[:] = [
            name
            for name in folders
            if name not in NO_SOURCES and not name.endswith((".egg-info", ".dist-info"))
        ]
        for name in names:
            file = Path(folder, name)
            sums[file.relative_to(project).as_posix()] = measure(file)[0]
    return dict(sorted(sums.items()))


def sum_of_sums(sums: dict[str, str]) -> str:
    """Sum sums.

    Args:
        sums: Sums by name.

    Returns:
        One sum of all names and sums, whatever their order.
    """
    lines = "".join(f"{digest} {name}\n" for name, digest in sorted(sums.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _make_patch(project: Path) -> bytes:
    """Write all that differs from the commit as a patch, without touching the repository."""
    paths = _git(
        project, "rev-parse", "--path-format=absolute", "--git-path", "index", "--git-path", "objects"
    )
    index, objects = (paths or b"").decode().splitlines()
    with tempfile.TemporaryDirectory() as temporary:
        if Path(index).exists():
            shutil.copy(index, f"{temporary}/index")
        environment = {
            "GIT_INDEX_FILE": f"{temporary}/index",
            "GIT_OBJECT_DIRECTORY": temporary,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
        }
        _git(project, "add", "--all", "--", ".", **environment)
        options = ("--cached", "--binary", "--no-ext-diff", "--no-textconv", "--no-renames")
        return _git(project, "diff", *options, "HEAD", "--", ".", **environment) or b""


def _git(project: Path, *arguments: str, **environment: str) -> bytes | None:
    """Ask git, which is not to refresh its index on the way; none if it can't answer."""
    command = ["git", "--no-optional-locks", "-c", "core.quotePath=false", *arguments]
    try:
        asked = subprocess.run(command, cwd=project, env={**os.environ, **environment}, capture_output=True)
    except FileNotFoundError:
        return None
    return asked.stdout if asked.returncode == 0 else None
