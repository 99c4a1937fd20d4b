"""The source files of a project and their hashes."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from kedro.framework import project as kedro_project

from kedro_ledger.files import hash_and_size

CACHE_FOLDERS = {"__pycache__", ".ipynb_checkpoints"}
LOG_PATTERNS = ("*.log", "*.log.[0-9]*")
"""Patterns of log files and of rotated log files."""
FOLDERS_WITHOUT_CODE = {"build", "conf", "data", "dist", "docs", "node_modules", "notebooks", "tests"}
"""Folders without code in a project whose packages are at its top level."""


@dataclass(frozen=True)
class Sources:
    """The source files of a project."""

    files: dict[str, str]
    """The hash of each file, by its path in the project's folder or in that of installed packages."""
    source_dir: str = "src"
    """The folder of the sources in the project; `.` for the project's folder itself."""
    distribution: str | None = None
    """The installed distribution that contains them, with its version; None if they are in the project."""
    unknown: str | None = None
    """Why it is unknown which code runs, or None if it is known."""

    def without(self, data: Iterable[str]) -> Sources:
        """Return the sources except the files at, or in, these paths."""
        paths = tuple(data)
        return replace(
            self,
            files={name: digest for name, digest in self.files.items() if not is_in(name, paths)},
        )

    def choose_data(self, paths: Iterable[str]) -> list[str]:
        """Return the paths that contain no Python files: these are code even if the catalog names them."""
        modules = [name for name in self.files if name.endswith(".py")]
        return [path for path in paths if not any(is_in(name, [path]) for name in modules)]


def is_in(name: str, paths: Iterable[str]) -> bool:
    """Return whether a path is one of these paths, or inside one."""
    return any(name == path or name.startswith(f"{path}/") for path in paths)


def find_sources(project: Path) -> Sources:
    """Find the sources of the package that Kedro has loaded in this process.

    Returns:
        All files in `source_dir` of `[tool.kedro]` if the package is there; otherwise the files of the
        installed distribution with the package; otherwise no files, and the reason in `unknown`.
    """
    package = kedro_project.PACKAGE_NAME
    if not package:  # no project is loaded; Kedro's starters use `src`
        return Sources(hash_sources(project, "src"))
    spec = find_spec(package)
    folders = [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
    if len(folders) != 1:
        return Sources({}, unknown=f"{package} is in {len(folders) or 'no'} folders; expected one")
    (folder,) = folders
    source_dir = _read_source_dir(project)
    if source_dir is not None and _real(folder) == _real(project / source_dir / package):
        return Sources(hash_sources(project, source_dir, package), source_dir)
    site = [str(folder.parent)]
    for distribution in chain(distributions(name=package, path=site), distributions(path=site)):
        if files := _list_files(distribution, folder):
            hashes = {name: hash_and_size(file)[0] for name, file in files.items()}
            hashes |= hash_files(folder, folder.parent)  # files that were added after the installation
            name = f"{distribution.metadata['Name']} {distribution.version}"
            return Sources(dict(sorted(hashes.items())), source_dir=".", distribution=name)
    return Sources({}, unknown=f"{package} is neither in the project nor in an installed distribution")


def hash_sources(project: Path, source_dir: str, package: str | None = None) -> dict[str, str]:
    """Hash every source file, by its path relative to the project's folder.

    Args:
        project: The project's folder.
        source_dir: The folder of the sources, relative to the project's. If it is `.`, only the files of the
            package and other Python files count, as the project's folder contains more than code.
        package: The name of the package.
    """
    if source_dir != ".":
        return hash_files(project / source_dir, project)
    hashes = hash_files(project / package, project) if package else {}
    for folder, folders, names in os.walk(project):
        is_top = Path(folder) == project
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and not (is_top and name in FOLDERS_WITHOUT_CODE)
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        for file in (Path(folder, name) for name in names if name.endswith(".py")):
            hashes |= _hash_file(file, project)
    return dict(sorted(hashes.items()))


def hash_files(top: Path, relative_to: Path) -> dict[str, str]:
    """Return the sha256 of every file in a folder, except caches, logs, hidden files and backups."""
    hashes: dict[str, str] = {}
    for file in _walk(top):
        hashes |= _hash_file(file, relative_to)
    return dict(sorted(hashes.items()))


def combined_hash(hashes: dict[str, str]) -> str:
    """Return one hash of all names and hashes; their order doesn't matter."""
    lines = "".join(f"{digest} {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _walk(top: Path, via: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the files in a folder; through a link, which may lead anywhere, only Python files."""
    for folder, folders, names in os.walk(top):
        folders[:] = [
            name
            for name in folders
            if name not in CACHE_FOLDERS
            and not name.endswith((".egg-info", ".dist-info"))
            and not (name == "build" and "pyproject.toml" in names)  # left by pip after an installation
        ]
        for name in names:
            is_leftover = name.startswith(".") or name.endswith("~")  # of the system or an editor
            if not is_leftover and not any(fnmatch(name, pattern) for pattern in LOG_PATTERNS):
                yield Path(folder, name)
        for link in (link for name in folders if (link := Path(folder, name)).is_symlink()):
            target = _real(link)
            if target not in via and not _real(Path(folder)).is_relative_to(target):
                yield from (file for file in _walk(link, via | {target}) if file.suffix == ".py")


def _hash_file(file: Path, relative_to: Path) -> dict[str, str]:
    with suppress(FileNotFoundError):  # a lock or temporary file of an editor
        path = os.fsencode(file.relative_to(relative_to).as_posix())
        return {path.decode("utf-8", "backslashreplace"): hash_and_size(file)[0]}
    return {}


def _read_source_dir(project: Path) -> str | None:
    """Return the folder of a project's sources, or None if there is no project or it is outside."""
    try:
        settings = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["tool"]["kedro"]
    except (OSError, ValueError, KeyError):
        return None
    source_dir = Path(os.path.normpath(project / str(settings.get("source_dir", "src"))))
    inside = source_dir.is_relative_to(project)
    return source_dir.relative_to(project).as_posix() if inside else None


def _list_files(distribution: Distribution, package: Path) -> dict[str, Path]:
    """Return the files of a distribution by path; empty if it does not contain the package."""
    files = {
        path.as_posix(): Path(str(distribution.locate_file(path)))
        for path in distribution.files or ()
        if not path.parts[0].endswith(".dist-info") and ".." not in path.parts and path.suffix != ".pyc"
    }
    contains_package = any(name.startswith(f"{package.name}/") for name in files)
    return {name: file for name, file in files.items() if file.is_file()} if contains_package else {}


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
