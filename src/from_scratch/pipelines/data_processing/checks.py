"""What must hold of the rows before anything is computed from them, as the block `features` says it.

Pandera could check half of this, but its import alone takes a tenth of a run's time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from from_scratch.pipelines.data_processing.categories import find_codes, list_categories
from from_scratch.schema.features import GREATEST, CategoricalColumn, Column, Features, NumberColumn, text_of

EXAMPLES = 3
_CODE = re.compile(r"0\d+")
NO_ROWS = "there are no rows, only a header; expected at least one"
MOST_CATEGORIES = 1000
"""How many categories are learnt from a column; whoever wants more declares them."""


def find_faults(rows: pd.DataFrame, fitting: pd.DataFrame, features: Features) -> list[str]:
    """Look for everything that is wrong with rows to train on.

    Args:
        rows: The rows as they come.
        fitting: Those of them from which everything is learnt that prepares the data.
        features: Which columns are needed, and what may stand in them.

    Returns:
        A phrase for each fault: the column, the rows (counted from 1, without the header), what was expected.
    """
    return [*_find_faults(rows, fitting, features)]


def find_faults_of_new(
    rows: pd.DataFrame, features: Features, categories: dict[str, list[str]], unseen_are_faults: bool
) -> list[str]:
    """Look for everything that is wrong with rows to predict.

    Args:
        rows: The rows as they come, with or without a target.
        features: Which columns are needed, and what may stand in them.
        categories: Those that training knew, by column.
        unseen_are_faults: Whether others are faults.

    Returns:
        As `find_faults`.
    """
    faults = [*_find_missing_columns(rows, [features.identifier, *(one.column for one in features.columns)])]
    if not faults and rows.empty:
        return [NO_ROWS]
    faults += _check_identifier(rows, features)
    for one in features.columns:
        if one.column in rows.columns:
            expected = None
            if isinstance(one, CategoricalColumn) and unseen_are_faults:
                expected = categories[one.column]
            faults += _check_column(rows[one.column], one, expected, decimal_of(rows))
    return faults


def _find_faults(rows: pd.DataFrame, fitting: pd.DataFrame, features: Features) -> Iterator[str]:
    names = [features.identifier, features.target.column, *(one.column for one in features.columns)]
    absent = [*_find_missing_columns(rows, names)]
    yield from absent
    if rows.empty:
        yield from [] if absent else [NO_ROWS]
        return
    yield from _check_identifier(rows, features)
    if features.target.column in rows.columns:
        yield from _check_target(rows[features.target.column], features)
    for one in features.columns:
        if one.column in rows.columns:
            declared = one.declared if isinstance(one, CategoricalColumn) else None
            yield from _check_column(rows[one.column], one, declared or None, decimal_of(rows))
            yield from _check_fitting(fitting[one.column], one, features)


def _find_missing_columns(rows: pd.DataFrame, needed: Sequence[str | None]) -> Iterator[str]:
    absent = [column for column in needed if column is not None and column not in rows.columns]
    if absent:
        found = [shorten(repr(column)) for column in rows.columns]
        hint = ""
        if len(found) == 1 and any(separator in found[0] for separator in (";", "\t", "|")):
            hint = '; if the separator is another, the catalog can say it: load_args: {sep: ";"}'
        columns = f"column{'s' * (len(absent) > 1)} {', '.join(absent)}"
        yield f"no {columns}; found {_enumerate(found, 30)}{hint}"


def _check_identifier(rows: pd.DataFrame, features: Features) -> Iterator[str]:
    if features.identifier in rows.columns:
        values = rows[features.identifier]
        yield from _report_missing(values)
        yield from _report(
            values,
            values.duplicated().to_numpy() & values.notna().to_numpy(),
            "each value once, being an identifier",
        )


def _check_target(values: pd.Series, features: Features) -> Iterator[str]:
    yield from _report_missing(values)
    classes = list_categories(values)
    positive = features.target.positive
    is_known = find_codes(pd.Series([positive]), classes)[0] >= 0
    are_yes = find_codes(values, [text_of(positive)]) == 0
    if len(classes) == 2 and is_known and not are_yes.all():
        return
    counts = np.bincount(find_codes(values.dropna(), classes), minlength=len(classes))
    found = [f"{shorten(repr(name))} in {_count(count)}" for name, count in zip(classes, counts, strict=True)]
    hint = ""
    if isinstance(positive, bool) and not is_known:
        hint = "; YAML takes yes, no, on and off for true and false, unless they stand in quotes"
    yield (
        f"column {values.name} has {_enumerate(found, 5) or 'no values'}; expected two values, one of them "
        f"features.target.positive, which is {positive!r}{hint}"
    )


def _check_column(
    values: pd.Series, column: Column, categories: Sequence[str] | None, decimal: str
) -> Iterator[str]:
    if column.required:
        yield from _report_missing(values)
    if isinstance(column, NumberColumn):
        yield from _check_numbers(values, column, decimal)
    elif categories is not None:
        expected = f"one of {_enumerate([shorten(repr(name)) for name in categories], 20)}"
        unknown = (find_codes(values, categories) < 0) & values.notna().to_numpy()
        if types.is_numeric_dtype(values) and any(_CODE.fullmatch(name) for name in categories):
            expected += f", and texts: the catalog can say it: load_args: {{dtype: {{{column.column}: str}}}}"
        yield from _report(values, unknown, expected)


def _check_numbers(values: pd.Series, column: NumberColumn, decimal: str) -> Iterator[str]:
    numbers = to_numbers(values, decimal)
    low = -GREATEST if column.minimum is None else column.minimum
    high = GREATEST if column.maximum is None else column.maximum
    wrong = ~numbers.between(max(low, -GREATEST), min(high, GREATEST)) & values.notna()
    limits = [column.range] if column.range else []
    limits += [f"of at most {GREATEST:g}"] if (numbers.abs() > GREATEST).any() else []
    expected = " ".join(["a number", " and ".join(limits)]).rstrip()
    yield from _report(values, wrong.to_numpy(dtype=bool), expected)


def _check_fitting(values: pd.Series, column: Column, features: Features) -> Iterator[str]:
    """See that there is something to learn."""
    if column.constant is None and values.isna().all():
        where = " in any row that trains" * (features.fit_on == "train")
        yield f"column {values.name} has no value{where}; expected some, or a `constant` to fill it with"
    if isinstance(column, CategoricalColumn) and not column.declared:
        count = values.nunique()
        if count > MOST_CATEGORIES:
            yield (
                f"column {values.name} has {count:,} different values; expected at most {MOST_CATEGORIES:,} "
                "categories to be learnt: ignore the column, or declare its categories"
            )


def decimal_of(rows: pd.DataFrame) -> str:
    """Say what stands before decimals in texts.

    Args:
        rows: Rows whose `attrs` may know.
    """
    return str(rows.attrs.get("decimal", "."))


def to_numbers(values: pd.Series, decimal: str) -> pd.Series:
    """Take values as numbers.

    Args:
        values: A column.
        decimal: What stands before decimals in texts.

    Returns:
        The numbers as float64; missing where a value is none.
    """
    if types.is_numeric_dtype(values):
        return values.astype("float64")
    if not (types.is_string_dtype(values) or types.is_object_dtype(values)):
        return pd.Series(np.nan, index=values.index)  # dates, which pandas would count in nanoseconds
    texts = values.map(str, na_action="ignore")
    if decimal != ".":
        texts = texts.where(~texts.str.contains(".", regex=False, na=False))
        texts = texts.str.replace(decimal, ".", regex=False)
    return pd.to_numeric(texts.astype(object), errors="coerce").astype("float64")


def _report_missing(values: pd.Series) -> Iterator[str]:
    missing = np.flatnonzero(values.isna())
    if len(missing):
        rows = ", ".join(str(row + 1) for row in missing[:EXAMPLES]) + ", …" * (len(missing) > EXAMPLES)
        count = f" ({_count(len(missing))})" if len(missing) > 1 else ""
        word = "rows" if len(missing) > 1 else "row"
        yield f"column {values.name} has no value in {word} {rows}{count}; expected one in every row"


def _report(values: pd.Series, wrong: NDArray[np.bool_], expected: str) -> Iterator[str]:
    places = np.flatnonzero(wrong)
    if len(places):
        examples: list[tuple[int, Any]] = [
            (place + 1, value)
            for place, value in zip(places[:EXAMPLES], values.iloc[places[:EXAMPLES]].tolist(), strict=True)
        ]
        told = ", ".join(f"{shorten(repr(value))} in row {row}" for row, value in examples)
        more = ", …" * (len(places) > EXAMPLES)
        count = f" ({_count(len(places))})" if len(places) > 1 else ""
        yield f"column {values.name} has {told}{more}{count}; expected {expected}"


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _enumerate(words: Sequence[str], most: int) -> str:
    left = len(words) - most
    return ", ".join(words[:most]) + (f" and {left:,} more" if left > 0 else "")


def shorten(text: str, length: int = 60) -> str:
    """Cut a long text.

    Args:
        text: Any text.
        length: How much of it is kept.
    """
    return text if len(text) <= length else f"{text[:length]}…"
