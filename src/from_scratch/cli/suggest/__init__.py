"""First parameters for a CSV, with what stands in each column: something to start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from from_scratch.cli.suggest.columns import look_at_columns
from from_scratch.cli.suggest.marks import is_mark
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
    """Look through a CSV, and suggest what its columns are, and variants to begin with.

    Returns:
        A sentence about the file; and the files of an environment `env`, by name.

    Raises:
        DatasetError: If the file can't be read.
        InputError: If there are no rows, no such column, it has other than two values, or no other column is
            anything to learn from.
    """
    table = read_table(file, target, load_args, has_header, names, missing)
    _require_target(table, target)
    columns = look_at_columns(table, target)
    if not any(column.kind in ("continuous", "log", "categorical") for column in columns):
        found = "; ".join(f"{column.name}: {' '.join(column.seen.split())}" for column in columns[:5])
        raise InputError(
            f"{file.name}: no column beside {target} looks like something to learn from: "
            f"{found or 'there is none'}"
        )
    files = write_files(table, target, columns, env)
    try:
        Features.model_validate(yaml.safe_load(files["parameters.yml"])["features"])
    except ValidationError as error:  # two columns whose features would have one name
        raise InputError(f"{file.name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
    return describe(table, columns), files


def _require_target(table: Table, target: str) -> None:
    rows, name = table.rows, table.file.name
    if target not in rows.columns:
        found = list_some(quote(list(rows.columns)), 30)
        hint = did_you_mean(target, list(rows.columns))
        raise InputError(f"{name}: no column {target}; found {found}{hint}")
    if len(classes := list_categories(rows[target])) != 2:
        marks = [value for value in classes if is_mark(value)]
        hint = f"; --missing {marks[0]!r} takes that for missing" if len(classes) == 3 and marks else ""
        raise InputError(f"{name}: {describe_classes(rows[target])}{hint}")


def render(sentence: str, files: dict[str, str]) -> str:
    """Render the files of an environment as one text: `parameters.yml`, with the others as comments."""
    lines = [f"# {sentence}", "# With --env NAME, these files are written; without, put them there yourself."]
    for file in ("globals.yml", "catalog.yml"):
        lines += ["#", f"# conf/NAME/{file}:", "#", *(f"#   {line}" for line in files[file].splitlines())]
    lines += ["#", "# conf/NAME/parameters.yml, which the rest of this is:", ""]
    return "\n".join([*lines, files["parameters.yml"]])
