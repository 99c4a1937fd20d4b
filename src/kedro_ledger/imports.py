"""The files of a project's code that a node's function can reach through imports."""

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
    """The imports between the modules of a project."""

    def __init__(self, folder: Path, files: Iterable[str], package: str) -> None:
        """Read all modules.

        Args:
            folder: The folder of the sources.
            files: The source files, relative to this folder.
            package: The project's package.
        """
        self._files = {_module_of(file): file for file in files if file.endswith(".py")}
        self._imports = {module: _list_imports(folder / file, module) for module, file in self._files.items()}
        self._settings = f"{package}.settings"

    def find_reachable(self, dataset: str) -> set[str]:
        """Find the files that may affect the contents of a dataset.

        Returns:
            The files with the functions of the nodes that make the dataset or its ancestors, and everything
            that these files import; the files that import one of them directly, such as a pipeline; and the
            settings with their imports, such as hooks.
        """
        own = {_find_module(node.func) for node in _find_makers(dataset)} & self._files.keys()
        importers = {module for module, found in self._imports.items() if found & own}
        queue, reached = [*own, self._settings], set[str]()
        while queue:
            module = queue.pop()
            if module in self._files and module not in reached:
                reached.add(module)
                queue += self._imports[module]
        # Other imports of the importers, such as a pipeline's, don't matter.
        return {self._files[module] for module in importers | reached}


def _find_makers(dataset: str) -> list[Node]:
    """Find the nodes, in all pipelines, that make a dataset or its ancestors."""
    makers: dict[str, list[Node]] = {}
    for node in {node for pipeline in pipelines.values() for node in pipeline.nodes}:
        for name in node.outputs:
            makers.setdefault(base_name(name), []).append(node)
    found: dict[Node, None] = {}
    queue = [dataset]
    while queue:
        for node in makers.get(queue.pop(), []):
            if node not in found:
                found[node] = None
                queue += map(base_name, node.inputs)
    return [*found]


def _find_module(function: Any) -> str:
    """Return the module of a node's function, which may be a partial function or a callable object."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__module__", "")) or type(function).__module__


def _module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _list_imports(file: Path, module: str) -> set[str]:
    """List all modules that a module may import, and the packages that contain it."""
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
