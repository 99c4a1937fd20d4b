"""Where the code of a project is, and its hashes."""

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

NO_SOURCES = {"__pycache__", ".ipynb_checkpoints"}
LOGS = ("*.log", "*.log.[0-9]*")
"""Files that processes write as they run, the second when they begin a new one."""
NO_CODE = {"build", "conf", "data", "dist", "docs", "node_modules", "notebooks", "tests"}
"""Folders in which a project has no code, whose packages lie beside them."""


@dataclass(frozen=True)
class Sources:
    """The code of a project."""

    files: dict[str, str]
    """The hash of each file by its path, seen from the project's folder or that of installed packages."""
    source_dir: str = "src"
    """Where they lie in the project; `.` for its folder itself."""
    distribution: str | None = None
    """The installed distribution that they are of, and its version; then they don't lie in the project."""
    unknown: str | None = None
    """Why it is not known which code runs; none if it is."""

    def without(self, data: Iterable[str]) -> Sources:
        """Leave out what lies at these paths."""
        paths = tuple(data)
        return replace(
            self,
            files={name: digest for name, digest in self.files.items() if not is_in(name, paths)},
        )

    def choose_data(self, paths: Iterable[str]) -> list[str]:
        """Choose the paths that hold no Python of these files: that is code, even if the catalog names it."""
        modules = [name for name in self.files if name.endswith(".py")]
        return [path for path in paths if not any(is_in(name, [path]) for name in modules)]


def is_in(name: str, paths: Iterable[str]) -> bool:
    """Return whether a path is one of these, or lies in one."""
    return any(name == path or name.startswith(f"{path}/") for path in paths)


def find_sources(project: Path) -> Sources:
    """Find the code that this process runs of a project: that of the package that Kedro has loaded.

    Returns:
        All files in `source_dir` of `[tool.kedro]`, if the package lies there; those of the installed
        distribution, if it is of one; else none, and why.
    """
    package = kedro_project.PACKAGE_NAME
    if not package:  # no project is loaded: what lies where Kedro's starters have it
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
            hashes |= hash_files(folder, folder.parent)  # what was added since it was installed
            name = f"{distribution.metadata['Name']} {distribution.version}"
            return Sources(dict(sorted(hashes.items())), source_dir=".", distribution=name)
    return Sources({}, unknown=f"{package} lies neither in the project nor in an installed distribution")


def hash_sources(project: Path, source_dir: str, package: str | None = None) -> dict[str, str]:
    """Hash every file in a project's folder of sources, by its path seen from the project's folder.

    Args:
        project: The project's folder.
        source_dir: The folder of sources, seen from it. If it is `.`, which has much that is no code, the
            files of the package count, and what else is Python.
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
            and not (is_top and name in NO_CODE)
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        for file in (Path(folder, name) for name in names if name.endswith(".py")):
            hashes |= _hash_file(file, project)
    return dict(sorted(hashes.items()))


def hash_files(top: Path, seen_from: Path) -> dict[str, str]:
    """Hash every file in a folder by sha256, but for what no code is: caches, and what an editor leaves."""
    hashes: dict[str, str] = {}
    for file in _walk(top):
        hashes |= _hash_file(file, seen_from)
    return dict(sorted(hashes.items()))


def combined_hash(hashes: dict[str, str]) -> str:
    """Return one hash of all names and hashes, whatever their order."""
    lines = "".join(f"{digest} {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _walk(top: Path, via: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """List the files in a folder; of a folder behind a link, which may hold anything, only Python."""
    for folder, folders, names in os.walk(top):
        folders[:] = [
            name
            for name in folders
            if name not in NO_SOURCES
            and not name.endswith((".egg-info", ".dist-info"))
            and not (name == "build" and "pyproject.toml" in names)  # what pip leaves of an install
        ]
        for name in names:
            is_left = name.startswith(".") or name.endswith("~")  # by the system or an editor
            if not is_left and not any(fnmatch(name, pattern) for pattern in LOGS):
                yield Path(folder, name)
        for link in (link for name in folders if (link := Path(folder, name)).is_symlink()):
            target = _real(link)
            if target not in via and not _real(Path(folder)).is_relative_to(target):
                yield from (file for file in _walk(link, via | {target}) if file.suffix == ".py")


def _hash_file(file: Path, seen_from: Path) -> dict[str, str]:
    with suppress(FileNotFoundError):  # an editor's lock or temporary file
        path = os.fsencode(file.relative_to(seen_from).as_posix())
        return {path.decode("utf-8", "backslashreplace"): hash_and_size(file)[0]}
    return {}


def _read_source_dir(project: Path) -> str | None:
    """Read where a project has its sources; none if there is no project, or they lie outside it."""
    try:
        settings = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["tool"]["kedro"]
    except (OSError, ValueError, KeyError):
        return None
    source_dir = Path(os.path.normpath(project / str(settings.get("source_dir", "src"))))
    inside = source_dir.is_relative_to(project)
    return source_dir.relative_to(project).as_posix() if inside else None


def _list_files(distribution: Distribution, package: Path) -> dict[str, Path]:
    """List the files of a distribution that has a package; none if it doesn't have it."""
    files = {
        path.as_posix(): Path(str(distribution.locate_file(path)))
        for path in distribution.files or ()
        if not path.parts[0].endswith(".dist-info") and ".." not in path.parts and path.suffix != ".pyc"
    }
    has_it = any(name.startswith(f"{package.name}/") for name in files)
    return {name: file for name, file in files.items() if file.is_file()} if has_it else {}


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
