"""Files of an environment for a CSV, as YAML with comments."""

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
"""Words that are preferred as the positive value."""
_PLAIN = re.compile(r"[A-Za-z_]([A-Za-z0-9_ ./-]*[A-Za-z0-9_])?")
_YAML_WORDS = {"y", "n", "true", "false", "yes", "no", "on", "off", "null", "none", "nan", "inf"}

VARIANTS = """\
  logistic: {{model: sigmoid, seed: 442, learning_rate: 0.2, epochs: 300, constants: unit,
             loss: cross_entropy, optimiser: momentum, weight_decay: {decay}}}
  deep_practice: {{model: deep, seed: 442, learning_rate: 0.01, epochs: {epochs}, hidden: [10, 10],
                  initialisation: he, constants: unit, loss: cross_entropy, optimiser: adam,
                  weight_decay: {deep_decay}, batch_size: {batch_size}}}"""


def write_files(table: Table, target: str, suggestions: list[Suggestion], env: str) -> dict[str, str]:
    """Return the text of an environment's `globals.yml`, `catalog.yml` and `parameters.yml`, by file name."""
    parameters = [*_write_features(table, target, suggestions), *_write_variants(len(table.rows))]
    return {
        "globals.yml": f"data_folder: data/{env}  # where its runs and their ledger are stored\n",
        "catalog.yml": "\n".join(_write_catalog(table, target)) + "\n",
        "parameters.yml": "\n".join(parameters) + "\n",
    }


def describe(table: Table, suggestions: list[Suggestion]) -> str:
    """Return a sentence about the size of the file and its ignored columns."""
    name = shorten(table.file.name, MAX_LENGTH)
    ignored = [shorten(column.name, MAX_LENGTH) for column in suggestions if column.kind == "ignore"]
    size = f"{name} has {len(table.rows):,} rows and {len(table.rows.columns)} columns."
    return _comment(
        size + f" Ignored, with reasons in parameters.yml: {list_some(ignored, 10)}." * bool(ignored)
    )


def _write_catalog(table: Table, target: str) -> Iterator[str]:
    load_args = table.load_args
    names = [name for name in load_args.get("names", []) if name != target]  # new rows need no target
    new = {**load_args, "names": names} if names else load_args
    new_file = table.file.with_name(f"new_{table.file.name}")
    without = ", without the target" if names else ""
    yield from _write_entry("raw_data", "training and validation rows", table.file, load_args)
    yield from _write_entry("new_data", f"rows to predict (optional){without}", new_file, new)


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
        yield "split: {stratify: false}  # there are too few rows to stratify by the target"
    else:
        yield "split: {stratify: true}  # training rows and validation rows have the same share of yes"


def _write_variants(rows: int) -> Iterator[str]:
    """Write variants that train well on most data.

    The fewer rows there are, the stronger the weight decay. For logistic it corresponds to scikit-learn's
    LogisticRegression: 1 / training rows, times ten because momentum makes steps ten times longer; training
    rows are four fifths of all rows. For deep_practice, larger data gets larger batches, so that an epoch has
    at most 150 steps, and smaller data gets more epochs, so that there are enough steps.
    """
    batch_size = 64
    while batch_size * 150 < rows:
        batch_size *= 2
    epochs = max(30, min(100, 30_000 // rows))
    yield ""
    yield "# A logistic regression, and a deep net trained as in practice (docs/what-practice-adds.md)."
    yield "# null leaves out the variants whose settings suit the Titanic."
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
    """Write a number without an exponent; YAML reads 1e-05, which has no decimal point, as text."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _write_target(values: pd.Series) -> Iterator[str]:
    classes = list_categories(values)
    counts = [int((find_codes(values, [name]) == 0).sum()) for name in classes]
    names = [shorten(name, MAX_LENGTH) for name in classes]
    text = " and ".join(f"{name} in {count:,}" for name, count in zip(names, counts, strict=True))
    missing = int(values.isna().sum())
    text += (
        " row" if counts[-1] == 1 else " rows"
    ) + f"; missing in {missing:,} rows, which must be removed" * bool(missing)
    yes = next((name for name in classes if name.lower() in POSITIVE_WORDS), classes[1])
    yield f"  # {_comment(f'{text}. Set positive to the value that counts as yes.')}"
    yield f"  target: {{column: {_text(str(values.name))}, positive: {_value(yes)}}}"


def _write_column(column: Suggestion) -> str:
    name = _text(column.name)
    if column.categories is not None:
        name = f"{{column: {name}, categories: [{', '.join(map(_value, column.categories))}]}}"
    elif column.has_missing:
        name = f"{{column: {name}, fill: median}}"
    return f"    - {name}  # {_comment(column.comment)}"


def _text(text: str) -> str:
    """Write a text so that YAML reads it back unchanged."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    quoted: str = yaml.safe_dump(_escape(text), default_style='"', allow_unicode=True, width=math.inf)
    return printable(quoted.strip())  # YAML understands these escapes


def _escape(value: Any) -> Any:
    """Escape texts that OmegaConf would read as references to other values."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", value)
    if isinstance(value, dict):
        return {_escape(key): _escape(item) for key, item in value.items()}
    return [_escape(item) for item in value] if isinstance(value, list) else value


def _value(category: str) -> str:
    """Write a category, as a number if it is a whole number."""
    return category if re.fullmatch(r"0|-?[1-9]\d{0,15}", category) else _text(category)


def _comment(text: str) -> str:
    return printable(" ".join(text.split()))
