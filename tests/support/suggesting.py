"""The files that `kedro features suggest` writes, read as Kedro reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from from_scratch.cli.suggest import suggest


def suggested(
    file: Path, target: str, load_args: dict[str, Any] | None = None, **options: Any
) -> dict[str, str]:
    """Suggest features, and return the files."""
    return suggest(file, target, load_args or {}, **options)[1]


def read(files: dict[str, str], name: str) -> dict[str, Any]:
    """Read a suggested file."""
    block = OmegaConf.to_container(OmegaConf.create(files[name]), resolve=True)
    assert isinstance(block, dict)
    return {str(key): value for key, value in block.items()}


def block_of(files: dict[str, str]) -> dict[str, Any]:
    """Read the block `features`."""
    block: dict[str, Any] = read(files, "parameters.yml")["features"]
    return block


def load_args_of(files: dict[str, str]) -> dict[str, Any]:
    """Read the arguments with which the catalog loads the file."""
    args: dict[str, Any] = read(files, "catalog.yml")["raw_data"].get("load_args", {})
    return args


def kind_of(files: dict[str, str], column: str) -> str:
    """Find the kind of a column."""
    (kind,) = [
        kind
        for kind in ("continuous", "log", "categorical", "ignore")
        for named in block_of(files)[kind]
        if (named["column"] if isinstance(named, dict) else named) == column
    ]
    return kind


def comment_on(files: dict[str, str], column: str) -> str:
    """Find the comment on a column."""
    named = re.compile(rf'    - ({{column: )?"?{re.escape(column)}"?[ ,]')
    (line,) = [line for line in files["parameters.yml"].splitlines() if named.match(line)]
    return line.partition("# ")[2]
