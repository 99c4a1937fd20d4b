"""Which code ran: sums of the sources, and what git needs to check them out again."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from from_scratch.runs.errors import LedgerError
from from_scratch.runs.files import measure
from from_scratch.runs.git import git
from from_scratch.runs.record import Code

NO_SOURCES = {"__pycache__", ".ipynb_checkpoints"}
LARGEST_PATCH = 10_000_000
"""Bytes. What is larger is data that nobody told git to ignore, and has no place in a record."""
BUT_CREDENTIALS = (
    ".",
    *(f":(exclude,glob)**/credentials*.{suffix}" for suffix in ("yml", "yaml", "json")),
    *(f":(exclude,glob)**/credentials*/**/*.{suffix}" for suffix in ("yml", "yaml", "json")),
)
"""All of a project, but for what Kedro reads as credentials: a record holds none."""
PATCH = (
    *("diff-index", "--cached", "--patch", "--binary", "--full-index", "--no-renames", "--no-color"),
    *("--no-relative", "--no-ext-diff", "--no-textconv", "--unified=3"),
    *("--src-prefix=a/", "--dst-prefix=b/", "HEAD", "--", *BUT_CREDENTIALS),
)
"""A patch that is the same whatever the user's configuration of git."""


def read_code(project: Path) -> Code:
    """Read the state of a project's code.

    Args:
        project: Its folder.

    Returns:
        The sums of all that lies in `src`, and, in a git repository, the commit and what differs from it.
    """
    sources = sum_sources(project)
    try:
        folder, commit = os.fsdecode(git(project, "rev-parse", "--show-prefix", "HEAD")).splitlines()
    except LedgerError as error:
        return Code(files=sources, commit=None, patch_left_out=_say_why_there_is_no_commit(error.message))
    try:
        size = _measure_changes(project, folder)
        if size and size > LARGEST_PATCH:
            raise LedgerError(f"{size / 1e6:.0f} MB differ from the commit: have git ignore what is no code")
        with _index_of_now(project, has_changes=size is not None) as index:
            patch = git(project, *PATCH, environment=index) if size is not None else None
            _require_that_git_has(sources, project, folder, index)
    except LedgerError as error:
        return Code(files=sources, commit=commit, folder=folder, patch_left_out=error.message)
    if patch is None:
        return Code(files=sources, commit=commit, folder=folder)
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    try:
        text = patch.decode()
    except UnicodeDecodeError:
        encoding = "latin-1"  # which has a character for every byte
        text = patch.decode(encoding)
    return Code(files=sources, commit=commit, folder=folder, patch=text, patch_encoding=encoding)


def _say_why_there_is_no_commit(message: str) -> str | None:
    """Return what git has against the repository; none if there is no repository."""
    if "not a git repository" in message:
        return None
    return "the repository has no commit yet" if "ambiguous argument 'HEAD'" in message else message


def sum_sources(project: Path) -> dict[str, str]:
    """Sum a project's sources.

    Args:
        project: Its folder.

    Returns:
        The sha256 of every file in `src`, by its path seen from the project's folder.
    """
    return sum_files(project / "src", project)


def sum_files(top: Path, seen_from: Path) -> dict[str, str]:
    """Sum the sources in a folder.

    Args:
        top: The folder.
        seen_from: Where their paths begin.

    Returns:
        The sha256 of every file, by its path.
    """
    sums = {}
    for folder, folders, names in os.walk(top):
        folders[:] = [
            name
            for name in folders
            if name not in NO_SOURCES and not name.endswith((".egg-info", ".dist-info"))
        ]
        for name in names:
            if name.startswith(".") or name.endswith("~"):  # of the system or an editor
                continue
            file = Path(folder, name)
            with suppress(FileNotFoundError):  # an editor's lock or temporary file
                sums[file.relative_to(seen_from).as_posix()] = measure(file)[0]
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


def _measure_changes(project: Path, folder: str) -> int | None:
    """Add up the bytes of the files that differ from the commit; none if no file does."""
    status = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *BUT_CREDENTIALS)
    changed = git(project, *status).split(b"\0")[:-1]
    top = project / ("../" * folder.count("/"))
    sizes = [
        file.stat().st_size for file in (top / os.fsdecode(line[3:]) for line in changed) if file.is_file()
    ]
    return sum(sizes) if changed else None


@contextmanager
def _index_of_now(project: Path, has_changes: bool) -> Iterator[dict[str, str]]:
    """Give an index of all that lies in the project now, without touching the repository.

    Yields:
        The environment variables with which git uses it.
    """
    paths = git(
        project, "rev-parse", "--path-format=absolute", "--git-path", "index", "--git-path", "objects"
    )
    index, objects = os.fsdecode(paths).splitlines()
    with tempfile.TemporaryDirectory() as temporary:
        if Path(index).exists():
            # With its time, by which git knows what was changed too soon afterwards to see it by the clock.
            shutil.copy2(index, f"{temporary}/index")
        environment = {
            "GIT_INDEX_FILE": f"{temporary}/index",
            "GIT_OBJECT_DIRECTORY": temporary,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
        }
        if has_changes:
            git(project, "add", "--all", "--", *BUT_CREDENTIALS, environment=environment)
        yield environment


def _require_that_git_has(sources: dict[str, str], project: Path, folder: str, index: dict[str, str]) -> None:
    """Check out the sources beside the project, and compare.

    Raises:
        LedgerError: If git ignores some of them, or would change them, by its configuration or by attributes.
    """
    with tempfile.TemporaryDirectory() as temporary:
        names = git(project, "ls-files", "-z", "--", "src", environment=index)
        git(
            project,
            "checkout-index",
            "-z",
            "--stdin",
            f"--prefix={temporary}/",
            stdin=names,
            environment=index,
        )
        checked_out = sum_sources(Path(temporary, folder))
    changed = [
        name
        for name, digest in sources.items()
        if checked_out.get(name) != digest and not (project / name).is_symlink()
    ]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise LedgerError(
            f"git ignores {changed[0]}{more}, or checks {'them' if more else 'it'} out with other bytes, "
            "by core.autocrlf, a filter or an attribute"
        )
