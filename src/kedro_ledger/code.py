"""Which code ran: hashes of the sources, and what git needs to check them out again."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from kedro_ledger.credentials import require_no_credentials_in_patch
from kedro_ledger.errors import LedgerError
from kedro_ledger.files import hash_and_size
from kedro_ledger.git import git
from kedro_ledger.record import Code

NO_SOURCES = {"__pycache__", ".ipynb_checkpoints"}
MAX_PATCH_BYTES = 10_000_000
"""Bytes. What is larger is data that nobody told git to ignore, and has no place in a record."""
BUT_CREDENTIALS_AND_DATA = (
    ".",
    ":(exclude)data",
    ":(exclude,glob)**/.credentials*",  # of an editor
    *(f":(exclude,glob)**/credentials*.{suffix}*" for suffix in ("yml", "yaml", "json")),
    *(f":(exclude,glob)**/credentials*/**/*.{suffix}" for suffix in ("yml", "yaml", "json")),
)
"""All of a project, but for what Kedro reads as credentials, and for data: a record holds neither."""
PATCH = (
    *("diff-index", "--cached", "--patch", "--binary", "--full-index", "--no-renames", "--no-color"),
    *("--no-relative", "--no-ext-diff", "--no-textconv", "--unified=3"),
    *("--src-prefix=a/", "--dst-prefix=b/", "HEAD", "--"),
)
"""A patch that is the same whatever the user's configuration of git."""


def read_code(project: Path, data: Iterable[str] = ()) -> Code:
    """Read the state of a project's code.

    Args:
        project: Its folder.
        data: What is data, besides `data`: paths in the project. Its hashes are recorded elsewhere, so git
            isn't asked about it, whether it is committed or not.

    Returns:
        The hashes of all that lies in `src`, and, in a git repository, the commit and what differs from it.
    """
    sources = hash_sources(project)
    try:
        folder, commit = os.fsdecode(git(project, "rev-parse", "--show-prefix", "HEAD")).splitlines()
    except LedgerError as error:
        return Code(files=sources, commit=None, patch_left_out=_say_why_there_is_no_commit(error.message))
    paths = (*BUT_CREDENTIALS_AND_DATA, *(f":(exclude,literal){path}" for path in data))
    top = project / ("../" * folder.count("/"))
    try:
        status = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *paths)
        # As seen from the top of the repository.
        changed = [line[3:].rstrip(b"/") for line in git(project, *status).split(b"\0")[:-1]]
        size = sum(file.stat().st_size for name in changed if (file := top / os.fsdecode(name)).is_file())
        if size > MAX_PATCH_BYTES:
            raise LedgerError(f"{size / 1e6:.0f} MB differ from the commit: have git ignore what is no code")
        with _index_of_now(top, changed) as index:
            patch = git(project, *PATCH, *paths, environment=index) if changed else b""
            _require_that_git_has(sources, project, folder, index)
        text, encoding = _decode(patch)
        require_no_credentials_in_patch(text)
    except LedgerError as error:
        return Code(files=sources, commit=commit, folder=folder, patch_left_out=error.message)
    return Code(files=sources, commit=commit, folder=folder, patch=text or None, patch_encoding=encoding)


def _decode(content: bytes) -> tuple[str, Literal["utf-8", "latin-1"]]:
    try:
        return content.decode(), "utf-8"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"  # which has a character for every byte


def _say_why_there_is_no_commit(message: str) -> str | None:
    """Return what git has against the repository; none if there is no repository."""
    if "not a git repository" in message:
        return None
    return "the repository has no commit yet" if "ambiguous argument 'HEAD'" in message else message


def hash_sources(project: Path) -> dict[str, str]:
    """Hash every file in `src`, by its path seen from the project's folder."""
    return hash_files(project / "src", project)


def hash_files(top: Path, seen_from: Path) -> dict[str, str]:
    """Hash every file in a folder by sha256, but for what no code is: caches, and what an editor leaves."""
    hashes = {}
    for folder, folders, names in os.walk(top):
        folders[:] = [
            name
            for name in folders
            if name not in NO_SOURCES
            and not name.endswith((".egg-info", ".dist-info"))
            and not (name == "build" and "pyproject.toml" in names)  # what pip leaves of an install
        ]
        for name in names:
            if name.startswith(".") or name.endswith("~"):  # of the system or an editor
                continue
            file = Path(folder, name)
            with suppress(FileNotFoundError):  # an editor's lock or temporary file
                path = os.fsencode(file.relative_to(seen_from).as_posix())
                hashes[path.decode("utf-8", "backslashreplace")] = hash_and_size(file)[0]
    return dict(sorted(hashes.items()))


def combined_hash(hashes: dict[str, str]) -> str:
    """Return one hash of all names and hashes, whatever their order."""
    lines = "".join(f"{digest} {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


@contextmanager
def _index_of_now(top: Path, changed: list[bytes]) -> Iterator[dict[str, str]]:
    """Give an index of what lies in the repository now, without touching it.

    Yields:
        The environment variables with which git uses it.
    """
    paths = git(top, "rev-parse", "--path-format=absolute", "--git-path", "index", "--git-path", "objects")
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
        update = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
        git(top, *update, stdin=b"".join(name + b"\0" for name in changed), environment=environment)
        yield environment


def _require_that_git_has(sources: dict[str, str], project: Path, folder: str, index: dict[str, str]) -> None:
    """Check out the sources beside the project, and compare.

    Raises:
        LedgerError: If git ignores some of them, or would change them, by its configuration or by attributes.
    """
    with tempfile.TemporaryDirectory() as temporary:
        names = git(project, "ls-files", "-z", "--", "src", environment=index)
        checkout = ("checkout-index", "-z", "--stdin", f"--prefix={temporary}/")
        git(project, *checkout, stdin=names, environment=index)
        checked_out = hash_sources(Path(temporary, folder))
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
