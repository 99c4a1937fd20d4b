"""Suggested kind of each column of a CSV (numbers, categories, an identifier or ignored), with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from from_scratch.cli.suggest.quoting import quote
from from_scratch.cli.suggest.reading import Table
from from_scratch.pipelines.data_processing.categories import find_codes, list_categories
from from_scratch.pipelines.data_processing.checks import to_numbers
from from_scratch.pipelines.data_processing.leaks import describe_leak
from from_scratch.schema.features import MAX_MAGNITUDE
from from_scratch.schema.validation import list_some

Kind = Literal["identifier", "continuous", "log", "categorical", "ignore"]

MAX_NUMERIC_CATEGORIES = 5
"""Whole numbers with at most this many distinct values are treated as categories, unless they start at 0."""
MAX_CATEGORIES = 20
"""Text columns with more distinct values than this are ignored, such as names."""
MAX_LISTED = 10
"""Maximum number of categories that are listed; longer lists are left to be learnt from the data."""
MAX_MISSING_SHARE = 0.9
"""Columns with a greater share of missing values are ignored."""
NEARLY_ALL = 0.95
"""Whole numbers may identify rows if at least this share of their values is distinct."""
MIN_ROWS = 100
"""Minimum number of rows for checking whether numbers are sorted or evenly spread."""
_ID = re.compile(r"(^|[\W_])(id|ID|Id)$|[a-z](Id|ID)$")
_UNNAMED = re.compile(r"Unnamed: \d+")
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_TIME = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]m)?"
_DAY = (
    r"(18|19|20)\d\d[-/](0?[1-9]|1[0-2])([-/]\d{1,2})?|(18|19|20)\d\d\.\d{1,2}\.\d{1,2}"
    rf"|\d{{1,2}}[-/.]\d{{1,2}}[-/.](\d\d|\d{{4}})|\d{{1,2}}\.?[- ]?{_MONTH}[-, ]*(\d\d|\d{{4}})"
    rf"|{_MONTH} \d{{1,2}},? \d{{4}}"
)
_DATE = re.compile(rf"({_DAY})([T ,].*)?|{_TIME}", re.IGNORECASE)
_COMPACT_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\.0)?")


@dataclass(frozen=True)
class Suggestion:
    """Suggested kind of a column, with the reason as a comment."""

    name: str
    kind: Kind
    comment: str
    categories: list[str] | None = None
    has_missing: bool = False


def suggest_columns(table: Table, target: str) -> list[Suggestion]:
    """Suggest a kind for each column except the target."""
    is_yes = find_codes(table.rows[target], list_categories(table.rows[target])[1:]) == 0
    has_target = table.rows[target].notna().to_numpy()
    decimal, suggestions = str(table.load_args.get("decimal", ".")), []
    for position, (column, values) in enumerate(table.rows.items()):
        if column != target:
            missing = _describe_missing(table, str(column))
            suggestion = _suggest(values, table.texts[column], missing, decimal, is_first=position == 0)
            if suggestion.kind not in ("ignore", "identifier") and (
                leak := describe_leak(values[has_target], is_yes[has_target])
            ):
                suggestion = Suggestion(suggestion.name, "ignore", f"gives the answer away: {leak}")
            suggestions.append(suggestion)
    return _ignore_duplicates(table.rows, _treat_siblings_alike(table.rows, suggestions))


def _suggest(values: pd.Series, texts: pd.Series, missing: str, decimal: str, is_first: bool) -> Suggestion:
    """Suggest a kind for a column, given its values and its texts in the file."""
    column, present = str(values.name), values.dropna()
    share, distinct = 1 - len(present) / len(values), present.nunique()

    def ignore(reason: str) -> Suggestion:
        return Suggestion(column, "ignore", reason)

    if distinct < 2:
        return ignore(f"always the same{missing}" if distinct else f"no values{missing}")
    if share > MAX_MISSING_SHARE:
        return ignore(f"missing in {100 * share:.1f} % of the rows")
    is_number = types.is_numeric_dtype(values) and not types.is_bool_dtype(values)
    if _UNNAMED.fullmatch(column) and distinct == len(values):
        return ignore("row numbers")
    is_named = _ID.search(column) or (is_first and (not is_number or _counts_rows(values)))
    if is_named and distinct == len(values) and not types.is_float_dtype(values):
        return Suggestion(column, "identifier", "a different value in each row")
    if _ID.search(column) and distinct > MAX_CATEGORIES:
        return ignore(f"an identifier, judging by its name, with {distinct:,} distinct values{missing}")
    if _are_dates(texts.dropna(), is_number):
        return ignore(f"dates or times, such as {quote(texts.dropna()[:1])[0]}{missing}")
    if not is_number:
        if distinct <= max(2, min(MAX_CATEGORIES, len(present) // 5)):
            return _categorical(values, missing)
        return ignore(f"{distinct:,} distinct values{missing}{_hint_at_numbers(present, decimal)}")
    if not present.between(-MAX_MAGNITUDE, MAX_MAGNITUDE).all():
        return ignore(f"numbers too large to compute with{missing}")
    are_whole = bool((present % 1 == 0).all())
    if are_whole and _identifies_rows(present):
        return ignore(f"a different whole number in nearly every row: an identifier or row numbers{missing}")
    low, middle, upper, high = (float(present.quantile(share)) for share in (0, 0.5, 0.75, 1))
    if are_whole and distinct <= MAX_NUMERIC_CATEGORIES and not (low == 0 and distinct > 2):
        return _categorical(values, missing)
    is_skewed = low >= 0 and high > 10 * max(upper, 1)  # below 1, ln(x + 1) is nearly x
    comment = f"{low:g} to {high:g}, median {middle:g}{missing}"
    return Suggestion(column, "log" if is_skewed else "continuous", comment, has_missing=bool(values.hasnans))


def _describe_missing(table: Table, column: str) -> str:
    values, texts, placeholders = table.rows[column], table.texts[column], table.placeholders.get(column, [])
    missing, words = int(values.isna().sum()), texts[values.isna().to_numpy() & texts.notna().to_numpy()]
    if placeholders:
        count = int(words.isin(placeholders).sum())
        text = f", numbers except in {count:,} row{'s' * (count > 1)} with "
        text += list_some(quote(placeholders), len(placeholders))
        return text + f", {missing - count:,} more missing" * (missing > count)
    text = f", {missing:,} missing" if missing else ""
    given = table.load_args.get("na_values", [])
    given = given.get(column, []) if isinstance(given, dict) else given
    if (known := int(words.isin(given).sum())) and not words.isin(given).all():
        text += f", {known:,} of them placeholders"
    words = words[~words.isin(given)]
    if len(words):
        text += f" ({len(words):,} of them are {list_some(quote(words.unique()), 3)}; if that is a value, "
        text += "set load_args: {keep_default_na: false, na_values: ['']} in catalog.yml)"
    return text


def _hint_at_numbers(present: pd.Series, decimal: str) -> str:
    """Return a hint on how to read texts as numbers, if most of them look like numbers."""
    texts = present.astype(str)
    texts.attrs["decimal"] = decimal
    are_numbers = to_numbers(texts).notna()
    with_commas = texts[texts.str.contains(",")]
    if decimal != "," and len(with_commas) > 0.2 * len(texts):
        if with_commas.str.fullmatch(_THOUSANDS).all():
            return "; if these are numbers, set load_args: {thousands: ','} in catalog.yml"
        if with_commas.str.fullmatch(_DECIMAL_COMMA).mean() > 0.5:
            return "; if these are numbers, use --decimal ','"
    if are_numbers.mean() > 0.5:
        others = list_some(quote(texts[~are_numbers].unique()), 3)
        return (
            f"; {are_numbers.sum():,} rows contain numbers, the others {others}; use --missing to read these "
            "as missing"
        )
    return ""


def _counts_rows(values: pd.Series) -> bool:
    """Return whether whole numbers count the rows."""
    return bool((values.diff().iloc[1:] == 1).all())


def _identifies_rows(present: pd.Series) -> bool:
    """Return whether whole numbers identify rows rather than measure something.

    Measurements can differ in nearly every row too, such as incomes. But identifiers count the rows, are
    sorted, or are evenly spread: their Kolmogorov-Smirnov distance from a uniform distribution is small.
    """
    if present.nunique() < NEARLY_ALL * len(present) or len(present) < 3:
        return False
    steps = present.diff().iloc[1:]
    if (steps == 1).all() or (len(present) >= MIN_ROWS and ((steps > 0).all() or (steps < 0).all())):
        return True
    numbers = np.sort(present.to_numpy("float64"))
    numbers = (numbers - numbers[0]) / (numbers[-1] - numbers[0])
    distance = np.abs(numbers - np.linspace(0, 1, len(numbers))).max()
    critical_value = 1.63 / np.sqrt(len(numbers))  # at 1 %
    return len(present) >= MIN_ROWS and bool(distance < critical_value)


def _are_dates(texts: pd.Series, is_number: bool) -> bool:
    pattern = _COMPACT_DATE if is_number else _DATE
    return bool(texts.iloc[: 50 * MIN_ROWS].str.fullmatch(pattern).mean() > NEARLY_ALL)


def _categorical(values: pd.Series, missing: str) -> Suggestion:
    categories = list_categories(values)
    listed = categories if len(categories) <= MAX_LISTED else None
    return Suggestion(str(values.name), "categorical", f"{len(categories)} categories{missing}", listed)


def _treat_siblings_alike(rows: pd.DataFrame, suggestions: list[Suggestion]) -> list[Suggestion]:
    """Treat categories of whole numbers as numbers if a column on the same scale is one of numbers."""
    numbers = [
        rows[column.name]
        for column in suggestions
        if column.kind in ("continuous", "log") and (rows[column.name].dropna() % 1 == 0).all()
    ]

    def adapt(column: Suggestion) -> Suggestion:
        values = rows[column.name]
        is_number = types.is_numeric_dtype(values) and not types.is_bool_dtype(values)
        if not (column.kind == "categorical" and is_number):
            return column
        sibling = next((number.name for number in numbers if _are_siblings(values, number)), None)
        if sibling is None:
            return column
        missing = column.comment.partition("categories")[2]
        comment = f"{values.min():g} to {values.max():g}, a number like {sibling}{missing}"
        return Suggestion(column.name, "continuous", comment, has_missing=bool(values.hasnans))

    return [adapt(column) for column in suggestions]


def _are_siblings(few: pd.Series, many: pd.Series) -> bool:
    """Return whether two columns share their minimum, and their maximum or their name apart from digits."""
    if few.min() != many.min():
        return False
    stems = [re.sub(r"\d+", "#", str(values.name)) for values in (few, many)]
    is_near = few.nunique() == 2 or many.max() <= 2 * few.max()
    return bool(few.max() == many.max() or ("#" in stems[0] and stems[0] == stems[1] and is_near))


def _ignore_duplicates(rows: pd.DataFrame, suggestions: list[Suggestion]) -> list[Suggestion]:
    """Ignore columns that equal an earlier one up to the names of categories or the scale of numbers."""
    first_columns: dict[bytes, str] = {}
    checked = []
    for column in suggestions:
        if column.kind in ("continuous", "log", "categorical"):
            first = first_columns.setdefault(_pattern(rows[column.name]), column.name)
            if first != column.name:
                column = Suggestion(column.name, "ignore", f"duplicates {first}, {column.comment}")
        checked.append(column)
    return checked


def _pattern(values: pd.Series) -> bytes:
    """Return bytes that show which rows share a value; for many numbers, their position in the range."""
    codes, present = pd.factorize(values)
    if len(present) <= min(MAX_CATEGORIES, len(values) // 2) or not types.is_numeric_dtype(values):
        return codes.astype("int32").tobytes()
    numbers: NDArray[np.float64] = values.to_numpy("float64")
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    return ((numbers - low) / (high - low)).astype("float16").tobytes()
