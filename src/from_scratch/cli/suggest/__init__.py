"""Initial parameters for a CSV, with a comment on each column, as a starting point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from from_scratch.cli.suggest.columns import suggest_columns
from from_scratch.cli.suggest.placeholders import is_placeholder
from from_scratch.cli.suggest.quoting import quote
from from_scratch.cli.suggest.reading import Table, read_table
from from_scratch.cli.suggest.writing import describe, write_files
from from_scratch.pipelines.data_processing.categories import list_categories
from from_scratch.pipelines.data_processing.checks import describe_classes
from from_scratch.schema.features import Features
from from_scratch.schema.validation import list_some
from kedro_ledger.errors import InputError
from kedro_ledger.validation import did_you_mean


def suggest(
    file: Path,
    target: str,
    load_args: dict[str, Any],
    has_header: bool | None = None,
    names: Sequence[str] = (),
    missing: Sequence[str] = (),
    env: str = "NAME",
) -> tuple[str, dict[str, str]]:
    """Suggest features and variants for a CSV.

    Returns:
        A sentence about the file, and the text of each file of the environment `env` by file name.

    Raises:
        DatasetError: If the file cannot be read.
        InputError: If the file has no rows, the target is missing or does not have two values, or no other
            column can be a feature.
    """
    table = read_table(file, target, load_args, has_header, names, missing)
    _require_target(table, target)
    columns = suggest_columns(table, target)
    if not any(column.kind in ("continuous", "log", "categorical") for column in columns):
        found = "; ".join(f"{column.name}: {' '.join(column.comment.split())}" for column in columns[:5])
        raise InputError(
            f"{file.name}: no column except {target} can be a feature; expected numbers or categories. "
            f"Found {found or 'no other column'}"
        )
    files = write_files(table, target, columns, env)
    try:
        Features.model_validate(yaml.safe_load(files["parameters.yml"])["features"])
    except ValidationError as error:  # features of two columns would have the same name
        raise InputError(f"{file.name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
    return describe(table, columns), files


def _require_target(table: Table, target: str) -> None:
    rows, name = table.rows, table.file.name
    if target not in rows.columns:
        found = list_some(quote(list(rows.columns)), 30)
        hint = did_you_mean(target, list(rows.columns))
        raise InputError(f"{name}: no column {target}; found {found}{hint}")
    if len(classes := list_categories(rows[target])) != 2:
        placeholders = [value for value in classes if is_placeholder(value)]
        hint = ""
        if len(classes) == 3 and placeholders:
            hint = f". Use --missing {placeholders[0]!r} to read {placeholders[0]!r} as missing"
        raise InputError(f"{name}: {describe_classes(rows[target])}{hint}")


def render(sentence: str, files: dict[str, str]) -> str:
    """Render the files of an environment as one text: `parameters.yml` after the others as comments."""
    lines = [f"# {sentence}", "# Use --env NAME to write these files, or copy them to conf/NAME yourself."]
    for file in ("globals.yml", "catalog.yml"):
        lines += ["#", f"# conf/NAME/{file}:", "#", *(f"#   {line}" for line in files[file].splitlines())]
    lines += ["#", "# conf/NAME/parameters.yml (the rest of this output):", ""]
    return "\n".join([*lines, files["parameters.yml"]])
