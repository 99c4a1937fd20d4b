"""What must hold of the rows before anything is computed from them, as the block `features` says it.

Pandera could check half of this, but its import alone takes a tenth of a run's time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api import types

from from_scratch.pipelines.data_processing.categories import find_codes, list_categories
from from_scratch.schema.features import (
    MAX_MAGNITUDE,
    CategoricalColumn,
    Column,
    Features,
    NumberColumn,
    text_of,
)
from from_scratch.schema.validation import list_some, shorten

MAX_EXAMPLES = 3
MAX_CATEGORIES = 1000
"""How many categories are learnt from a column; beyond that they must be declared."""
MAX_CLASSES = 20
"""Numbers of more different values are quantities, not classes."""
_CODE = re.compile(r"0\d+")


def find_faults(rows: pd.DataFrame, fitting: pd.DataFrame, features: Features) -> list[str]:
    """Find everything that is wrong with rows to train on.

    Args:
        rows: The rows as they come.
        fitting: Those of them from which categories, fill values and scales are learnt.
        features: Which columns are needed, and what may stand in them.

    Returns:
        A phrase for each fault: the column, the rows (counted from 1, without the header), what was expected.
    """
    declared = {column.column: column.declared for column in features.categorical if column.declared}
    return [*_find_faults(rows, features, declared, fitting)]


def find_faults_of_new(
    rows: pd.DataFrame, features: Features, categories: Mapping[str, Sequence[str]]
) -> list[str]:
    """Find everything that is wrong with rows to predict, with or without a target.

    Args:
        rows: The rows as they come.
        features: Which columns are needed, and what may stand in them.
        categories: The only ones that may occur, by column; a column that is not named may have any.

    Returns:
        As `find_faults`.
    """
    return [*_find_faults(rows, features, categories)]


def find_clashes(rows: pd.DataFrame, features: Features) -> list[str]:
    """Find derived columns whose names stand in the file; a phrase for each, as in `find_faults`."""
    return [
        f"column {column.column} is in the file, but features.derived makes one; expected another name for it"
        for column in features.derived
        if column.column in rows.columns
    ]


def _find_faults(
    rows: pd.DataFrame,
    features: Features,
    categories: Mapping[str, Sequence[str]],
    fitting: pd.DataFrame | None = None,
) -> Iterator[str]:
    target = features.target.column
    needed = [features.identifier, target if fitting is not None else None]
    derived = {column.column for column in features.derived}
    needed += [column.column for column in features.columns if column.column not in derived]
    needed = list(dict.fromkeys([*needed, *features.sources]))
    absent = [name for name in needed if name is not None and name not in rows.columns]
    if absent:
        yield _describe_absent(absent, rows.drop(columns=derived, errors="ignore"))
    elif rows.empty:
        yield "there are no rows, only a header; expected at least one"
    if rows.empty:
        return
    if features.identifier in rows.columns:
        values = rows[features.identifier]
        yield from _report_missing(values)
        yield from _report(
            values, values.duplicated() & values.notna(), "each value once, being an identifier"
        )
    if fitting is not None and target in rows.columns:
        yield from _check_target(rows[target], features)
    for column in features.columns:
        if column.column in rows.columns:
            known = categories.get(column.column)
            yield from _check_column(rows[column.column], column, known, is_new=fitting is None)
            if fitting is not None:
                yield from _check_fitting(fitting[column.column], column, features)
    for name in features.summed:
        if name in rows.columns and name not in features.number_columns:
            yield from _check_numbers(rows[name], NumberColumn(column=name))


def _describe_absent(absent: Sequence[str], rows: pd.DataFrame) -> str:
    names = [str(name) for name in rows.columns]
    found = list_some([shorten(repr(name)) for name in names], 30)
    hint = ""
    if len(names) == 1 and (marks := re.findall(r"[^\w .]", names[0])):
        separator = max(marks, key=lambda mark: len({*absent} & {*names[0].split(mark)}))
        hint = f"; if the separator is another, the catalog can say it: load_args: {{sep: {separator!r}}}"
    elif to_numbers(pd.Series(names)).notna().sum() > 0.5 * len(names):
        hint = "; if the first row is data, the catalog can say it: load_args: {header: null, names: [...]}"
    return f"no column{'s' * (len(absent) > 1)} {', '.join(absent)}; found {found}{hint}"


def _check_target(values: pd.Series, features: Features) -> Iterator[str]:
    yield from _report(
        values, values.isna(), "one in every row: take the others out, or predict them as new_data"
    )
    classes = list_categories(values)
    positive = features.target.positive
    is_known = find_codes(pd.Series([positive]), classes)[0] >= 0
    are_yes = find_codes(values, [text_of(positive)]) == 0
    if len(classes) > 2:
        yield describe_classes(values)
        return
    if is_known and not are_yes.all():
        return
    counts = np.bincount(find_codes(values.dropna(), classes), minlength=len(classes))
    found = [f"{shorten(repr(name))} in {_count(count)}" for name, count in zip(classes, counts, strict=True)]
    hint = ""
    if isinstance(positive, bool) and not is_known:
        hint = "; YAML takes yes, no, on and off for true and false, unless they stand in quotes"
    yield (
        f"column {values.name} has {list_some(found, 5) or 'no values'}; expected two values, one of them "
        f"features.target.positive, which is {positive!r}{hint}"
    )


def describe_classes(values: pd.Series) -> str:
    """Say that a target has not two values, and how the file can be made fit."""
    classes = list_categories(values)
    if len(classes) > MAX_CLASSES and types.is_numeric_dtype(values):
        return (
            f"column {values.name} has {len(classes):,} different numbers; the models predict yes or no, "
            "not a number: expected two values, such as a column that says whether it is above "
            f"{values.median():g}, its median"
        )
    count = f"{len(classes):,} values" if len(classes) > 1 else "one value" if classes else "no values"
    found = list_some([shorten(repr(name)) for name in classes], 5)
    found = f"column {values.name} has {count}{': ' * bool(classes)}{found}"
    if (missing := int(values.isna().sum())) and classes:
        found += f", and none in {_count(missing)}"
    if len(classes) < 2:
        return f"{found}; expected two values"
    if len({name.strip().lower() for name in classes}) == 2:
        return f"{found}; expected two values: these differ in blanks or capitals alone, so write them alike"
    return (
        f"{found}; the models predict yes or no: expected two values, such as the rows of two of these "
        f"alone, or a column that says whether it is {shorten(repr(classes[0]))}"
    )


def _check_column(
    values: pd.Series, column: Column, categories: Sequence[str] | None, is_new: bool
) -> Iterator[str]:
    if column.required:
        yield from _report_missing(values)
    if isinstance(column, NumberColumn):
        yield from _check_numbers(values, column)
    elif categories is not None:
        expected = f"one of {list_some([shorten(repr(name)) for name in categories], 20)}"
        if types.is_numeric_dtype(values) and any(_CODE.fullmatch(name) for name in categories):
            expected += f", and texts: the catalog can say it: load_args: {{dtype: {{{column.column}: str}}}}"
        elif is_new:
            expected += "; parameter inference.unseen_categories: none_of_them takes others as none of these"
        else:
            expected += "; list others too, or let them be learnt: categories: auto"
        yield from _report(values, values.notna() & (find_codes(values, categories) < 0), expected)


def _check_numbers(values: pd.Series, column: NumberColumn) -> Iterator[str]:
    numbers = to_numbers(values)
    low = -MAX_MAGNITUDE if column.minimum is None else column.minimum
    high = MAX_MAGNITUDE if column.maximum is None else column.maximum
    limits = [column.range] if column.range else []
    limits += [f"of at most {MAX_MAGNITUDE:g}"] if (numbers.abs() > MAX_MAGNITUDE).any() else []
    expected = " ".join(["a number", " and ".join(limits)]).rstrip()
    in_range = numbers.between(max(low, -MAX_MAGNITUDE), min(high, MAX_MAGNITUDE))
    yield from _report(values, ~in_range & values.notna(), expected)


def _check_fitting(values: pd.Series, column: Column, features: Features) -> Iterator[str]:
    """Check that there is something to learn, and not too much."""
    if column.constant is None and values.isna().all():
        where = " in any training row" * (features.fit_on == "train")
        yield f"column {values.name} has no value{where}; expected some, or a `constant` to fill it with"
    if isinstance(column, CategoricalColumn) and not column.declared:
        count = values.nunique()
        if count > MAX_CATEGORIES:
            yield (
                f"column {values.name} has {count:,} different values; expected at most {MAX_CATEGORIES:,} "
                "categories to be learnt: ignore the column, or declare its categories"
            )


def to_numbers(values: pd.Series) -> pd.Series:
    """Convert values to float64; missing where a value is not a number.

    Its `attrs["decimal"]` is what stands before decimals in texts, if not a point.
    """
    if types.is_numeric_dtype(values):
        return values.astype("float64")
    if not (types.is_string_dtype(values) or types.is_object_dtype(values)):
        return pd.Series(np.nan, index=values.index)  # dates, which pandas would count in nanoseconds
    texts = values.map(str, na_action="ignore")
    if (decimal := str(values.attrs.get("decimal", "."))) != ".":
        texts = texts.where(~texts.str.contains(".", regex=False, na=False))
        texts = texts.str.replace(decimal, ".", regex=False)
    return pd.to_numeric(texts.astype(object), errors="coerce").astype("float64")


def _report_missing(values: pd.Series) -> Iterator[str]:
    yield from _report(values, values.isna(), "one in every row")


def _report(values: pd.Series, are_wrong: pd.Series, expected: str) -> Iterator[str]:
    """Describe the rows that are wrong, if any: the first with their values, and how many there are."""
    places = np.flatnonzero(are_wrong)
    if len(places):
        shown = places[: MAX_EXAMPLES + 1]
        examples = [
            f"{'no value' if pd.isna(value) is True else shorten(repr(value))} in row {place + 1}"
            for place, value in zip(shown, values.iloc[shown].tolist(), strict=True)
        ]
        count = f" ({_count(len(places))})" if len(places) > 1 else ""
        yield f"column {values.name} has {list_some(examples, MAX_EXAMPLES)}{count}; expected {expected}"


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
