"""First parameters for a CSV, with what stands in each column: something to start from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pandas.api import types
from pydantic import ValidationError

from from_scratch.article import VARIANTS as ARTICLE_VARIANTS
from from_scratch.datasets.csv_reader import read_csv
from from_scratch.pipelines.data_processing.categories import find_codes, list_categories
from from_scratch.schema.features import MAX_MAGNITUDE, Features
from from_scratch.schema.validation import list_some, shorten
from kedro_ledger.errors import InputError
from kedro_ledger.printable import printable
from kedro_ledger.validation import did_you_mean

Kind = Literal["identifier", "continuous", "log", "categorical", "ignore"]

MAX_NUMERIC_CATEGORIES = 5
"""A whole number of so few values is taken for a category."""
MAX_CATEGORIES = 20
"""A text of more different values is taken for nothing to learn from, such as names."""
MAX_LISTED = 10
"""So many categories are listed; more are left to be learnt."""
MAX_LENGTH = 40
"""So many characters are shown of a text."""
POSITIVE_WORDS = ("yes", "y", "true", "t", "1", "ja", "oui", "sí", "si", "sim", "da", "positive")
"""Words that are more likely to count as yes."""
_PLAIN = re.compile(r"[A-Za-z_]([A-Za-z0-9_ ./-]*[A-Za-z0-9_])?")
_YAML_WORDS = {"y", "n", "true", "false", "yes", "no", "on", "off", "null", "none", "nan", "inf"}
_CODE = re.compile(r"0\d+|\d{16,}")
_ID = re.compile(r"(^|[\W_])(id|ID|Id)$|[a-z](Id|ID)$")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


VARIANTS = """\
  logistic: {model: sigmoid, seed: 442, learning_rate: 0.2, epochs: 300, constants: unit,
             loss: cross_entropy, optimiser: momentum, weight_decay: 0.003}
  deep_practice: {model: deep, seed: 442, learning_rate: 0.01, epochs: %d, hidden: [10, 10],
                  initialisation: he, constants: unit, loss: cross_entropy, optimiser: adam,
                  weight_decay: 0.3, batch_size: %d}"""


@dataclass(frozen=True)
class Suggestion:
    """What a column may be, and why."""

    name: str
    kind: Kind
    seen: str
    categories: list[str] | None = None
    has_gaps: bool = False


def suggest(file: Path, target: str, load_args: dict[str, Any]) -> str:
    """Look through a CSV, and suggest what its columns are, and variants to begin with.

    Returns:
        YAML, with comments: the catalog's entry, and the blocks `features` and `variants`.

    Raises:
        DatasetError: If the file can't be read.
        InputError: If there are no rows, no such column, it has other than two values, or no other column is
            anything to learn from.
    """
    rows = read_csv(file, load_args)
    texts = read_csv(file, {**load_args, "dtype": str, "keep_default_na": False, "na_values": [""]})
    codes = [str(column) for column in rows if _holds_codes(rows[column], texts[column])]
    if codes:
        load_args = {**load_args, "dtype": dict.fromkeys(codes, "str")}
        rows = read_csv(file, load_args)
    if rows.empty:
        raise InputError(f"{file.name}: there are no rows, only a header; expected at least one")
    if target not in rows.columns:
        found = list_some(_quote(rows.columns), 30)
        hint = did_you_mean(target, list(rows.columns))
        if len(rows.columns) == 1 and any(separator in found for separator in (";", "\\t", "|")):
            hint = "; --separator ';' names another separator"
        raise InputError(f"{file.name}: no column {target}; found {found}{hint}")
    classes = list_categories(rows[target])
    if len(classes) != 2:
        raise InputError(f"{file.name}: column {target} has {_list(classes)}; expected two values")
    suggestions = [
        _look_at(values, texts[column], is_first=place == 0)
        for place, (column, values) in enumerate(rows.items())
        if column != target
    ]
    if not any(column.kind in ("continuous", "log", "categorical") for column in suggestions):
        found = "; ".join(f"{column.name} has {_comment(column.seen)}" for column in suggestions[:5])
        raise InputError(
            f"{file.name}: no column beside {target} looks like something to learn from: "
            f"{found or 'there is none'}"
        )
    lines = [*_write(file, rows, target, suggestions, load_args), *_write_variants(len(rows))]
    said = "\n".join(lines) + "\n"
    try:
        Features.model_validate(yaml.safe_load(said)["features"])
    except ValidationError as error:  # two columns whose features would have one name
        raise InputError(f"{file.name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
    return said


def _look_at(values: pd.Series, texts: pd.Series, is_first: bool) -> Suggestion:
    """Look through a column, as it was read and as it stands there."""
    column, present = str(values.name), values.dropna()
    missing = f", {len(values) - len(present):,} missing" if len(present) < len(values) else ""
    words = texts[values.isna().to_numpy() & texts.notna().to_numpy()]
    if len(words):
        said = list_some(_quote(words.unique().tolist()), 3)
        missing += f" (of these {len(words):,} say {said}: if that is a value, "
        missing += "load_args: {keep_default_na: false, na_values: ['']})"
    distinct = present.nunique()
    if distinct < 2:
        return Suggestion(
            column, "ignore", f"always the same{missing}" if distinct else f"no values{missing}"
        )
    is_named = _ID.search(column) or (is_first and _counts_or_names(values))
    if is_named and distinct == len(values) and not types.is_float_dtype(values):
        return Suggestion(column, "identifier", "another value in each row")
    if types.is_numeric_dtype(values) and not types.is_bool_dtype(values):
        if not present.between(-MAX_MAGNITUDE, MAX_MAGNITUDE).all():
            return Suggestion(column, "ignore", f"numbers too great to compute with{missing}")
        low, middle, upper, high = (float(present.quantile(share)) for share in (0, 0.5, 0.75, 1))
        seen = f"{low:g} to {high:g}, median {middle:g}{missing}"
        if distinct <= MAX_NUMERIC_CATEGORIES and (present % 1 == 0).all():
            return _categorical(values, seen=missing)
        is_skewed = low >= 0 and 0 < 10 * upper < high
        return Suggestion(column, "log" if is_skewed else "continuous", seen, has_gaps=bool(missing))
    if distinct <= max(2, min(MAX_CATEGORIES, len(present) // 5)):
        return _categorical(values, seen=missing)
    has_commas = present.astype(str).str.fullmatch(_DECIMAL_COMMA).mean() > 0.5
    hint = "; if these are numbers: --decimal ','" * bool(has_commas)
    return Suggestion(column, "ignore", f"{distinct:,} different values{missing}{hint}")


def _counts_or_names(values: pd.Series) -> bool:
    """Tell texts, and numbers that count the rows, from other numbers."""
    return bool((values.diff().iloc[1:] == 1).all()) if types.is_numeric_dtype(values) else True


def _categorical(values: pd.Series, seen: str) -> Suggestion:
    categories = list_categories(values)
    listed = categories if len(categories) <= MAX_LISTED else None
    return Suggestion(str(values.name), "categorical", f"{len(categories)} categories{seen}", listed)


def _write(
    file: Path, rows: pd.DataFrame, target: str, suggestions: list[Suggestion], load_args: dict[str, Any]
) -> Iterator[str]:
    name = _comment(shorten(file.name, MAX_LENGTH))
    yield f"# {name} has {len(rows):,} rows and {len(rows.columns)} columns."
    yield "#"
    yield "# For conf/NAME/catalog.yml, where NAME is what you call it:"
    yield "#"
    for name, path in (("raw_data", file), ("new_data", file.with_name(f"new_{file.name}"))):
        yield f"#   {name}:  # {'to train on' if name == 'raw_data' else 'to predict, if there are any'}"
        yield "#     type: from_scratch.datasets.RawCSVDataset"
        yield f"#     filepath: {_text(path.as_posix())}"
        if load_args:
            yield f"#     load_args: {json.dumps(load_args)}"
    yield "#"
    yield "# For conf/NAME/parameters.yml, once you have looked it over: what is a number, what a category,"
    yield "# and what nothing to learn from, you know better. Then: kedro run --env NAME"
    yield ""
    yield "features:"
    identifier = next((column for column in suggestions if column.kind == "identifier"), None)
    yield f"  identifier: {_text(identifier.name)}" if identifier else "  identifier: null"
    yield from _write_target(rows[target])
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


def _write_variants(rows: int) -> Iterator[str]:
    """Write the variants that train on most data.

    Of the deep one, an epoch is at most 150 steps, so that large data takes no longer for being cut small;
    and small data takes more epochs, or there would be too few steps.
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
    yield VARIANTS % (epochs, batch_size)
    yield "inference: {variant: logistic}"
    yield "stability: {reference: logistic}"


def _write_target(values: pd.Series) -> Iterator[str]:
    classes = list_categories(values)
    counts = [int((find_codes(values, [name]) == 0).sum()) for name in classes]
    names = [shorten(name, MAX_LENGTH) for name in classes]
    seen = " and ".join(f"{name} in {count:,}" for name, count in zip(names, counts, strict=True))
    missing = int(values.isna().sum())
    more = f"; {missing:,} rows have none: take them out" if missing else ""
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
    escaped = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", text)  # for OmegaConf
    quoted: str = yaml.safe_dump(escaped, default_style='"', allow_unicode=True, width=math.inf)
    return printable(quoted.strip())  # YAML knows these escapes


def _value(category: str) -> str:
    """Write the name of a category, a whole number as such."""
    return category if re.fullmatch(r"0|-?[1-9]\d{0,15}", category) else _text(category)


def _comment(text: str) -> str:
    return printable(" ".join(text.split()))


def _quote(texts: Iterable[str]) -> list[str]:
    return [shorten(repr(text), MAX_LENGTH) for text in texts]


def _list(classes: list[str]) -> str:
    if not classes:
        return "no values"
    count = "one value" if len(classes) == 1 else f"{len(classes):,} values"
    return f"{count}: {list_some(_quote(classes), 5)}"


def _holds_codes(values: pd.Series, texts: pd.Series) -> bool:
    """Tell codes such as 01 from numbers: these have lost the zero, or digits."""
    return types.is_numeric_dtype(values) and bool(texts.str.fullmatch(_CODE).any())
