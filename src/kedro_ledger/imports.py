"""Which files of a project's code a node's function can reach by imports."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kedro.framework.project import pipelines
from kedro.pipeline.node import Node

from kedro_ledger.lineage import base_name


class Imports:
    """What the modules of a project import of each other."""

    def __init__(self, folder: Path, files: Iterable[str], package: str) -> None:
        """Read all modules.

        Args:
            folder: The folder of the sources.
            files: The files of the code, seen from it.
            package: The project's package.
        """
        self._files = {_module_of(file): file for file in files if file.endswith(".py")}
        self._imports = {module: _list_imports(folder / file, module) for module, file in self._files.items()}
        self._settings = f"{package}.settings"

    def find_reachable(self, dataset: str) -> set[str]:
        """Find the files that may decide what is in a dataset.

        Returns:
            Those that the functions of the nodes which make it, and all before it, import; those that import
            one of these functions' modules, as a pipeline does; and what the settings import, as hooks.
        """
        own = {_find_module(node.func) for node in _find_makers(dataset)} & self._files.keys()
        reached = {module for module, found in self._imports.items() if found & own}
        left, seen = [*own, self._settings], set[str]()
        while left:
            module = left.pop()
            if module in self._files and module not in seen:
                seen.add(module)
                left += self._imports[module]
        return {self._files[module] for module in reached | seen}  # what else a pipeline imports has no part


def _find_makers(dataset: str) -> list[Node]:
    """Find the nodes of all pipelines that make a dataset, and what it is made from."""
    makers: dict[str, list[Node]] = {}
    for node in {node for pipeline in pipelines.values() for node in pipeline.nodes}:
        for name in node.outputs:
            makers.setdefault(base_name(name), []).append(node)
    found: dict[Node, None] = {}
    left = [dataset]
    while left:
        for node in makers.get(left.pop(), []):
            if node not in found:
                found[node] = None
                left += map(base_name, node.inputs)
    return [*found]


def _find_module(function: Any) -> str:
    """Find the module of a node's function, which may be a partial one, or an object that can be called."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__module__", "")) or type(function).__module__


def _module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _list_imports(file: Path, module: str) -> set[str]:
    """List what a module imports, by every name that it may have, and the packages that it is in."""
    parts = module.split(".")
    found = {".".join(parts[:i]) for i in range(1, len(parts))}
    package = parts if file.name == "__init__.py" else parts[:-1]
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return found
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            base = package[: len(package) - statement.level + 1] if statement.level else []
            start = ".".join([*base, *([statement.module] if statement.module else [])])
            names = [start, *(f"{start}.{alias.name}" for alias in statement.names)]
        else:
            continue
        for name in names:
            steps = name.split(".")
            found |= {".".join(steps[:i]) for i in range(1, len(steps) + 1)}
    return found
