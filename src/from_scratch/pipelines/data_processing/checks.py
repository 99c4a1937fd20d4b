"""Checks of the raw rows against the parameters `features`, before anything is computed from them.

Pandera could do half of these checks, but its import alone takes a tenth of a run's time.
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
"""Maximum number of wrong values that a message quotes."""
MAX_CATEGORIES = 1000
"""Maximum number of categories to learn from a column; more must be declared."""
MAX_CLASSES = 20
"""Maximum number of distinct numbers that are classes; a target with more is a quantity."""
_CODE = re.compile(r"0\d+")


def find_faults(rows: pd.DataFrame, fitting: pd.DataFrame, features: Features) -> list[str]:
    """Find all faults in rows to train on.

    Args:
        rows: The rows as loaded.
        fitting: The rows among them that categories, fill values and scales are learnt from.
        features: The columns that are needed, and their valid values.

    Returns:
        A phrase for each fault: the column, the rows (counted from 1, without the header), what was expected.
    """
    declared = {column.column: column.declared for column in features.categorical if column.declared}
    return [*_find_faults(rows, features, declared, fitting)]


def find_faults_of_new(
    rows: pd.DataFrame, features: Features, categories: Mapping[str, Sequence[str]]
) -> list[str]:
    """Find all faults in rows to predict, with or without a target.

    Args:
        rows: The rows as loaded.
        features: The columns that are needed, and their valid values.
        categories: The valid categories by column; other columns may have any.

    Returns:
        A phrase for each fault, as in `find_faults`.
    """
    return [*_find_faults(rows, features, categories)]


def find_clashes(rows: pd.DataFrame, features: Features) -> list[str]:
    """Find derived columns whose names are also in the file: a phrase for each, as in `find_faults`."""
    return [
        f"column {column.column} is in the file and in features.derived; expected another name in one of them"
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
        yield "there are no rows, only a header; expected at least one row"
    if rows.empty:
        return
    if features.identifier in rows.columns:
        values = rows[features.identifier]
        yield from _report_missing(values)
        yield from _report(values, values.duplicated() & values.notna(), "each identifier once")
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
    found = list_some([repr(shorten(name)) for name in names], 30)
    hint = ""
    if len(names) == 1 and (candidates := re.findall(r"[^\w .]", names[0])):
        separator = max(candidates, key=lambda mark: len({*absent} & {*names[0].split(mark)}))
        hint = f". If the separator is {separator!r}, set `load_args: {{sep: {separator!r}}}` in the catalog"
    elif to_numbers(pd.Series(names)).notna().sum() > 0.5 * len(names):
        hint = ". If the first row is data, set `load_args: {header: null, names: [...]}` in the catalog"
    return f"no column{'s' * (len(absent) > 1)} {', '.join(absent)}; found {found}{hint}"


def _check_target(values: pd.Series, features: Features) -> Iterator[str]:
    yield from _report(
        values, values.isna(), "a value in every row. Remove the other rows, or predict them as new_data"
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
        hint = ". YAML reads yes, no, on and off as true and false: put them in quotes"
    yield (
        f"column {values.name} has {list_some(found, 5) or 'no values'}; expected two values, one of them "
        f"features.target.positive, which is {positive!r}{hint}"
    )


def describe_classes(values: pd.Series) -> str:
    """Describe a target that does not have two values, and suggest how to prepare the file."""
    classes = list_categories(values)
    if len(classes) > MAX_CLASSES and types.is_numeric_dtype(values):
        return (
            f"column {values.name} has {len(classes):,} distinct numbers; expected two values, since the "
            f"models predict yes or no. Add a column that says whether {values.name} is above "
            f"{values.median():g}, its median, and make it the target"
        )
    count = f"{len(classes):,} values" if len(classes) > 1 else "one value" if classes else "no values"
    found = list_some([shorten(repr(name)) for name in classes], 5)
    found = f"column {values.name} has {count}{': ' * bool(classes)}{found}"
    if (missing := int(values.isna().sum())) and classes:
        found += f", and no value in {_count(missing)}"
    if len(classes) < 2:
        return f"{found}; expected two values"
    if len({name.strip().lower() for name in classes}) == 2:
        return f"{found}; expected two values. These differ only in blanks or capitals: write them alike"
    return (
        f"{found}; expected two values, since the models predict yes or no. Keep only the rows of two "
        f"values, or add a column that says whether {values.name} is {shorten(repr(classes[0]))}, and make "
        "it the target"
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
            expected += f", as text. Set `load_args: {{dtype: {{{column.column}: str}}}}` in the catalog"
        elif is_new:
            expected += ". Set inference.unseen_categories: none_of_them to accept other values"
        else:
            expected += ". List all categories, or set categories: auto to learn them"
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
    """Report columns with no values to learn from, or too many categories to learn."""
    if column.constant is None and values.isna().all():
        where = " in any training row" * (features.fit_on == "train")
        yield f"column {values.name} has no value{where}; expected at least one, or a `constant` to fill it"
    if isinstance(column, CategoricalColumn) and not column.declared:
        count = values.nunique()
        if count > MAX_CATEGORIES:
            yield (
                f"column {values.name} has {count:,} distinct values; expected at most {MAX_CATEGORIES:,} "
                "categories to learn. Ignore the column, or declare its categories"
            )


def to_numbers(values: pd.Series) -> pd.Series:
    """Convert values to float64; values that are not numbers become missing.

    `values.attrs["decimal"]` is the decimal separator in texts, a point by default.
    """
    if types.is_numeric_dtype(values):
        return values.astype("float64")
    if not (types.is_string_dtype(values) or types.is_object_dtype(values)):
        return pd.Series(np.nan, index=values.index)  # dates, which pandas would convert to nanoseconds
    texts = values.map(str, na_action="ignore")
    if (decimal := str(values.attrs.get("decimal", "."))) != ".":
        texts = texts.where(~texts.str.contains(".", regex=False, na=False))
        texts = texts.str.replace(decimal, ".", regex=False)
    return pd.to_numeric(texts.astype(object), errors="coerce").astype("float64")


def _report_missing(values: pd.Series) -> Iterator[str]:
    yield from _report(values, values.isna(), "a value in every row")


def _report(values: pd.Series, are_wrong: pd.Series, expected: str) -> Iterator[str]:
    """Report wrong rows, if any: the first of them with their values, and how many there are."""
    indices = np.flatnonzero(are_wrong)
    if len(indices):
        shown = indices[: MAX_EXAMPLES + 1]
        examples = [
            f"{'no value' if pd.isna(value) is True else shorten(repr(value))} in row {index + 1}"
            for index, value in zip(shown, values.iloc[shown].tolist(), strict=True)
        ]
        count = f" ({_count(len(indices))})" if len(indices) > 1 else ""
        yield f"column {values.name} has {list_some(examples, MAX_EXAMPLES)}{count}; expected {expected}"


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
