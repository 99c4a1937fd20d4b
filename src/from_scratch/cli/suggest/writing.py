"""Parameters for a CSV, as YAML with comments."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from from_scratch.article import VARIANTS as ARTICLE_VARIANTS
from from_scratch.cli.suggest.columns import Suggestion
from from_scratch.cli.suggest.quoting import MAX_LENGTH
from from_scratch.cli.suggest.reading import Table
from from_scratch.pipelines.data_processing.categories import find_codes, list_categories
from from_scratch.schema.validation import list_some, shorten
from kedro_ledger.printable import printable

POSITIVE_WORDS = ("yes", "y", "true", "t", "+", "ja", "oui", "sí", "si", "sim", "da", "positive")
"""Words that are more likely to count as yes."""
_PLAIN = re.compile(r"[A-Za-z_]([A-Za-z0-9_ ./-]*[A-Za-z0-9_])?")
_YAML_WORDS = {"y", "n", "true", "false", "yes", "no", "on", "off", "null", "none", "nan", "inf"}

VARIANTS = """\
  logistic: {{model: sigmoid, seed: 442, learning_rate: 0.2, epochs: 300, constants: unit,
             loss: cross_entropy, optimiser: momentum, weight_decay: {decay}}}
  deep_practice: {{model: deep, seed: 442, learning_rate: 0.01, epochs: {epochs}, hidden: [10, 10],
                  initialisation: he, constants: unit, loss: cross_entropy, optimiser: adam,
                  weight_decay: {deep_decay}, batch_size: {batch_size}}}"""


def write_files(table: Table, target: str, suggestions: list[Suggestion], env: str) -> dict[str, str]:
    """Write the files of an environment: `globals.yml`, `catalog.yml` and `parameters.yml`, by name."""
    parameters = [*_write_features(table, target, suggestions), *_write_variants(len(table.rows))]
    return {
        "globals.yml": f"data_folder: data/{env}  # for what its runs write, and their ledger\n",
        "catalog.yml": "\n".join(_write_catalog(table, target)) + "\n",
        "parameters.yml": "\n".join(parameters) + "\n",
    }


def describe(table: Table, suggestions: list[Suggestion]) -> str:
    """Describe the file, and name the columns that are ignored."""
    name = shorten(table.file.name, MAX_LENGTH)
    ignored = [shorten(column.name, MAX_LENGTH) for column in suggestions if column.kind == "ignore"]
    said = f"{name} has {len(table.rows):,} rows and {len(table.rows.columns)} columns."
    return _comment(said + f" Ignored, each for a reason: {list_some(ignored, 10)}." * bool(ignored))


def _write_catalog(table: Table, target: str) -> Iterator[str]:
    load_args = table.load_args
    names = [name for name in load_args.get("names", []) if name != target]  # new rows need no target
    new = {**load_args, "names": names} if names else load_args
    new_file = table.file.with_name(f"new_{table.file.name}")
    without = ", without the target" if names else ""
    yield from _write_entry("raw_data", "to train on", table.file, load_args)
    yield from _write_entry("new_data", f"to predict, if there are any{without}", new_file, new)


def _write_entry(name: str, purpose: str, file: Path, load_args: dict[str, Any]) -> Iterator[str]:
    yield f"{name}:  # {purpose}"
    yield "  type: from_scratch.datasets.RawCSVDataset"
    yield f"  filepath: {_text(file.as_posix())}"
    if load_args:
        yield f"  load_args: {printable(json.dumps(_escape(load_args), ensure_ascii=False))}"


def _write_features(table: Table, target: str, suggestions: list[Suggestion]) -> Iterator[str]:
    yield "features:"
    identifier = next((column for column in suggestions if column.kind == "identifier"), None)
    yield f"  identifier: {_text(identifier.name)}" if identifier else "  identifier: null"
    yield from _write_target(table.rows[target])
    for kind in ("continuous", "log", "categorical", "ignore"):
        chosen = [column for column in suggestions if column.kind == kind]
        if kind == "ignore":
            chosen += [
                column for column in suggestions if column.kind == "identifier" and column is not identifier
            ]
        yield f"  {kind}:{'' if chosen else ' []'}"
        yield from (_write_column(column) for column in chosen)
    yield "  normalisation: deviation  # or maximum, as in the article"
    yield "  fit_on: train           # or all, as in the article"
    counts = table.rows[target].value_counts()
    if counts.min() < 2 or len(table.rows) < 10:
        yield "split: {stratify: false}  # there are too few rows to give both parts the same share of yes"
    else:
        yield "split: {stratify: true}  # training rows and validation rows have the same share of yes"


def _write_variants(rows: int) -> Iterator[str]:
    """Write the variants that train on most data.

    The fewer rows there are, the more the weights decay. Those of the logistic one do as in scikit-learn's
    LogisticRegression: a decay of 1 / rows, times ten, as momentum makes steps ten times longer, where four
    fifths of the rows are for training. Of the deep one, an epoch is at most 150 steps, so that large data
    takes no longer for being cut small; and small data takes more epochs, or there would be too few steps.
    """
    batch_size = 64
    while batch_size * 150 < rows:
        batch_size *= 2
    epochs = max(30, min(100, 30_000 // rows))
    yield ""
    yield "# A logistic regression, and a deep net as practice trains it (docs/what-practice-adds.md)."
    yield "# The article's variants are made for the Titanic: null leaves them out."
    yield "variants:"
    yield from (f"  {variant}: null" for variant in (*ARTICLE_VARIANTS, "deep_he"))
    yield VARIANTS.format(
        decay=_decimal(min(1, 12 / rows)),
        epochs=epochs,
        deep_decay=_decimal(min(1, max(0.3, round(1000 / rows, 2)))),
        batch_size=batch_size,
    )
    yield "inference: {variant: logistic}"
    yield "stability: {reference: logistic}"


def _decimal(number: float) -> str:
    """Write a number without an exponent, which YAML takes for a text if there is no point."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _write_target(values: pd.Series) -> Iterator[str]:
    classes = list_categories(values)
    counts = [int((find_codes(values, [name]) == 0).sum()) for name in classes]
    names = [shorten(name, MAX_LENGTH) for name in classes]
    seen = " and ".join(f"{name} in {count:,}" for name, count in zip(names, counts, strict=True))
    missing = int(values.isna().sum())
    more = f"; none in {missing:,}: take these out" if missing else ""
    yes = next((name for name in classes if name.lower() in POSITIVE_WORDS), classes[1])
    yield f"  # {_comment(f'{seen} rows{more}. Which of them counts as yes (positive) is yours to say.')}"
    yield f"  target: {{column: {_text(str(values.name))}, positive: {_value(yes)}}}"


def _write_column(column: Suggestion) -> str:
    name = _text(column.name)
    if column.categories is not None:
        name = f"{{column: {name}, categories: [{', '.join(map(_value, column.categories))}]}}"
    elif column.has_gaps:
        name = f"{{column: {name}, fill: median}}"
    return f"    - {name}  # {_comment(column.seen)}"


def _text(text: str) -> str:
    """Write a text so that YAML reads it as that text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    quoted: str = yaml.safe_dump(_escape(text), default_style='"', allow_unicode=True, width=math.inf)
    return printable(quoted.strip())  # YAML knows these escapes


def _escape(value: Any) -> Any:
    """Escape what OmegaConf would take for the name of another value."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", value)
    if isinstance(value, dict):
        return {_escape(key): _escape(item) for key, item in value.items()}
    return [_escape(item) for item in value] if isinstance(value, list) else value


def _value(category: str) -> str:
    """Write the name of a category, a whole number as such."""
    return category if re.fullmatch(r"0|-?[1-9]\d{0,15}", category) else _text(category)


def _comment(text: str) -> str:
    return printable(" ".join(text.split()))
