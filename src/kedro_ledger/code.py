"""The code of a run: hashes of the sources, and the commit and patch from which git can restore them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from kedro.framework import project as kedro_project

from kedro_ledger.credentials import require_no_credentials_in_patch
from kedro_ledger.errors import LedgerError
from kedro_ledger.git import git
from kedro_ledger.record import Code
from kedro_ledger.sources import LOG_PATTERNS, Sources, hash_sources, is_in

MAX_UNTRACKED_BYTES = 1_000_000
"""Maximum size in bytes of an untracked file in the patch. Larger files are only named in the record."""
MAX_PATCH_BYTES = 10_000_000
"""Maximum size of the patch in bytes. A larger one probably contains data that .gitignore lacks."""
RECORDED_PATHS = (
    ".",
    ":(exclude)data",
    *(f":(exclude,glob)**/{name}/**" for name in ("__pycache__", ".viz")),
    *(f":(exclude,glob)**/{pattern}" for pattern in LOG_PATTERNS),
    ":(exclude,glob)**/.credentials*",  # from an editor
    *(f":(exclude,glob)**/credentials*.{suffix}*" for suffix in ("yml", "yaml", "json")),
    *(f":(exclude,glob)**/credentials*/**/*.{suffix}" for suffix in ("yml", "yaml", "json")),
)
"""Git pathspecs of a project's files, except credentials as Kedro reads them, data and logs."""
PATCH = (
    *("diff-index", "--cached", "--patch", "--binary", "--full-index", "--no-renames", "--no-color"),
    *("--no-relative", "--no-ext-diff", "--no-textconv", "--unified=3"),
    *("--src-prefix=a/", "--dst-prefix=b/", "HEAD", "--"),
)
"""Arguments of git for a patch that does not depend on the user's configuration."""


def read_code(project: Path, sources: Sources | None = None, data: Sequence[str] = ()) -> Code:
    """Read the state of a project's code.

    Args:
        project: The project's folder.
        sources: The project's code; by default, the files in `src`.
        data: Paths in the project that contain data, besides `data`. They are left out of the patch,
            committed or not, as their hashes are recorded elsewhere. A path that contains Python counts as
            code.

    Returns:
        The hashes of the code, and, in a git repository, the commit and the differences from it.
    """
    sources = sources or Sources(hash_sources(project, "src"))
    data = sources.choose_data(data)
    sources = sources.without(data)
    left_out = sorted(path for path in data if sources.source_dir == "." or is_in(path, [sources.source_dir]))
    found = Code(
        files=sources.files,
        source_dir=sources.source_dir,
        left_out=left_out,
        unknown=sources.unknown,
        commit=None,
    )
    if sources.unknown:
        return found.model_copy(update={"patch_left_out": f"its code is unknown: {sources.unknown}"})
    if sources.distribution:
        reason = (
            f"its code is from the installed distribution {sources.distribution}, not from a git repository"
        )
        return found.model_copy(update={"patch_left_out": reason})
    try:
        folder, commit = os.fsdecode(git(project, "rev-parse", "--show-prefix", "HEAD")).splitlines()
    except LedgerError as error:
        return found.model_copy(update={"patch_left_out": _explain_missing_commit(error.message)})
    found = found.model_copy(update={"commit": commit, "folder": folder})
    paths = (*RECORDED_PATHS, *(f":(exclude,literal){path}" for path in data))
    top = project / ("../" * folder.count("/"))
    try:
        status = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *paths)
        lines = git(project, *status).split(b"\0")[:-1]
        # Names are relative to the top of the repository.
        sizes = {line[3:].rstrip(b"/"): _size(top / os.fsdecode(line[3:])) for line in lines}
        untracked = {line[3:] for line in lines if line.startswith(b"??")}
        large = {
            name: size for name, size in sizes.items() if name in untracked and size > MAX_UNTRACKED_BYTES
        }
        not_copied = [f"{_name(name, folder)} ({size / 1e6:.0f} MB)" for name, size in sorted(large.items())]
        found = found.model_copy(update={"not_copied": not_copied})
        _require_recordable(sources, folder, large)
        changed = [name for name in sizes if name not in large]
        if (size := sum(sizes[name] for name in changed)) > MAX_PATCH_BYTES:
            raise LedgerError(
                f"{size / 1e6:.0f} MB differ from the commit; "
                f"expected at most {MAX_PATCH_BYTES / 1e6:.0f} MB. Add files that are not code to .gitignore"
            )
        with _temporary_index(top, changed) as index:
            patch = git(project, *PATCH, *paths, environment=index) if changed else b""
            _require_in_git(sources, project, folder, index)
        text, encoding = _decode(patch)
        require_no_credentials_in_patch(text)
    except LedgerError as error:
        return found.model_copy(update={"patch_left_out": error.message})
    return found.model_copy(update={"patch": text or None, "patch_encoding": encoding})


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _name(name: bytes, folder: str) -> str:
    """Return a file's name as in the hashes of the sources, relative to the project's folder."""
    return name.decode("utf-8", "backslashreplace").removeprefix(folder)


def _decode(content: bytes) -> tuple[str, Literal["utf-8", "latin-1"]]:
    try:
        return content.decode(), "utf-8"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"  # which has a character for every byte


def _explain_missing_commit(message: str) -> str | None:
    """Return why git finds no commit, or None outside a repository."""
    if "not a git repository" in message:
        return None
    return "the repository has no commit yet" if "ambiguous argument 'HEAD'" in message else message


@contextmanager
def _temporary_index(top: Path, changed: list[bytes]) -> Iterator[dict[str, str]]:
    """Create an index of the files as they are now, without touching the repository.

    Yields:
        The environment variables that make git use this index.
    """
    paths = git(top, "rev-parse", "--path-format=absolute", "--git-path", "index", "--git-path", "objects")
    index, objects = os.fsdecode(paths).splitlines()
    with tempfile.TemporaryDirectory() as temporary:
        if Path(index).exists():
            # Git needs the time of the index to notice files that changed within the same clock tick.
            shutil.copy2(index, f"{temporary}/index")
        environment = {
            "GIT_INDEX_FILE": f"{temporary}/index",
            "GIT_OBJECT_DIRECTORY": temporary,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
        }
        update = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
        git(top, *update, stdin=b"".join(name + b"\0" for name in changed), environment=environment)
        yield environment


def _require_recordable(sources: Sources, folder: str, large: Mapping[bytes, int]) -> None:
    """Require that no untracked file of the code is too large for a record."""
    for name, size in sorted(large.items()):
        if (file := _name(name, folder)) in sources.files:
            raise LedgerError(f"{file} is not in git, and too large to be recorded ({size / 1e6:.0f} MB)")


def _require_in_git(sources: Sources, project: Path, folder: str, index: dict[str, str]) -> None:
    """Require that a checkout, made here in a temporary folder, contains the same sources.

    Raises:
        LedgerError: If some sources are ignored by git, are in a submodule or outside the repository, or are
            changed by git's configuration or attributes.
    """
    names = git(project, "ls-files", "-z", "--stage", "--", sources.source_dir, environment=index)
    entries = [line.partition(b"\t")[::2] for line in names.split(b"\0")[:-1]]
    submodules = [_name(name, "") for stage, name in entries if stage.startswith(b"160000")]
    if sources.source_dir == ".":  # the entries are all files of the project
        entries = [(stage, name) for stage, name in entries if _name(name, "") in sources.files]
    with tempfile.TemporaryDirectory() as temporary:
        checkout = ("checkout-index", "-z", "--stdin", f"--prefix={temporary}/")
        git(project, *checkout, stdin=b"".join(name + b"\0" for _, name in entries), environment=index)
        checked_out = hash_sources(Path(temporary, folder), sources.source_dir, kedro_project.PACKAGE_NAME)
    top, real_project = (
        Path(os.path.realpath(folder)) for folder in (project / ("../" * folder.count("/")), project)
    )
    real = {name: Path(os.path.realpath(project / name)) for name in sources.files}
    if outside := [name for name, file in real.items() if not file.is_relative_to(top)]:
        raise LedgerError(f"{outside[0]} is outside the repository, behind a link")
    changed = [
        name
        for name, digest in sources.files.items()
        if checked_out.get(name) != digest and real[name] == real_project / name  # not through a link
    ]
    if changed and is_in(changed[0], submodules):
        submodule = next(path for path in submodules if is_in(changed[0], [path]))
        raise LedgerError(f"{submodule} is a submodule, whose code is not in this repository")
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise LedgerError(
            f"git ignores {changed[0]}{more}, or changes {'their' if more else 'its'} bytes on checkout "
            "(core.autocrlf, a filter or an attribute)"
        )
