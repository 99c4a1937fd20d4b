"""What each column of a CSV may be, and why: a number, a category, an identifier, or of no use."""

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
"""A whole number of so few values is taken for a category, unless it counts from 0."""
MAX_CATEGORIES = 20
"""A text of more different values is taken for nothing to learn from, such as names."""
MAX_LISTED = 10
"""So many categories are listed; more are left to be learnt."""
MAX_MISSING = 0.9
"""A column that is missing in a greater share of the rows is taken for nothing to learn from."""
NEARLY_ALL = 0.95
"""Whole numbers that differ in such a share of the rows may name the rows."""
MIN_ROWS = 100
"""Of fewer rows nobody can tell whether numbers are spread evenly."""
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
    """What a column may be, and why."""

    name: str
    kind: Kind
    seen: str
    categories: list[str] | None = None
    has_gaps: bool = False


def look_at_columns(table: Table, target: str) -> list[Suggestion]:
    """Look through all columns but the target."""
    is_yes = find_codes(table.rows[target], list_categories(table.rows[target])[1:]) == 0
    has_target = table.rows[target].notna().to_numpy()
    decimal, found = str(table.load_args.get("decimal", ".")), []
    for place, (column, values) in enumerate(table.rows.items()):
        if column != target:
            missing = _describe_missing(table, str(column))
            seen = _look_at(values, table.texts[column], missing, decimal, is_first=place == 0)
            if seen.kind not in ("ignore", "identifier"):
                leak = describe_leak(values[has_target], is_yes[has_target])
                seen = Suggestion(seen.name, "ignore", f"gives the answer away: {leak}") if leak else seen
            found.append(seen)
    return _mark_doubles(table.rows, _treat_siblings_alike(table.rows, found))


def _look_at(values: pd.Series, texts: pd.Series, missing: str, decimal: str, is_first: bool) -> Suggestion:
    """Look through a column, as it was read and as it stands there."""
    column, present = str(values.name), values.dropna()
    share, distinct = 1 - len(present) / len(values), present.nunique()

    def ignore(reason: str) -> Suggestion:
        return Suggestion(column, "ignore", reason)

    if distinct < 2:
        return ignore(f"always the same{missing}" if distinct else f"no values{missing}")
    if share > MAX_MISSING:
        return ignore(f"missing in {100 * share:.1f} % of the rows")
    is_number = types.is_numeric_dtype(values) and not types.is_bool_dtype(values)
    if _UNNAMED.fullmatch(column) and distinct == len(values):
        return ignore("row numbers")
    is_named = _ID.search(column) or (is_first and (not is_number or _counts(values)))
    if is_named and distinct == len(values) and not types.is_float_dtype(values):
        return Suggestion(column, "identifier", "another value in each row")
    if _ID.search(column) and distinct > MAX_CATEGORIES:
        return ignore(f"an identifier by its name, with {distinct:,} different values{missing}")
    if _are_dates(texts.dropna(), is_number):
        return ignore(f"dates or times, such as {quote(texts.dropna()[:1])[0]}{missing}")
    if not is_number:
        if distinct <= max(2, min(MAX_CATEGORIES, len(present) // 5)):
            return _categorical(values, seen=missing)
        return ignore(f"{distinct:,} different values{missing}{_hint_at_numbers(present, decimal)}")
    if not present.between(-MAX_MAGNITUDE, MAX_MAGNITUDE).all():
        return ignore(f"numbers too great to compute with{missing}")
    are_whole = bool((present % 1 == 0).all())
    if are_whole and _names_rows(present):
        return ignore(f"another whole number in nearly every row: an identifier, or row numbers{missing}")
    low, middle, upper, high = (float(present.quantile(share)) for share in (0, 0.5, 0.75, 1))
    if are_whole and distinct <= MAX_NUMERIC_CATEGORIES and not (low == 0 and distinct > 2):
        return _categorical(values, seen=missing)
    is_skewed = low >= 0 and high > 10 * max(upper, 1)  # below 1, ln(x + 1) is nearly x
    seen = f"{low:g} to {high:g}, median {middle:g}{missing}"
    return Suggestion(column, "log" if is_skewed else "continuous", seen, has_gaps=bool(values.hasnans))


def _describe_missing(table: Table, column: str) -> str:
    values, texts, marks = table.rows[column], table.texts[column], table.marks.get(column, [])
    missing, words = int(values.isna().sum()), texts[values.isna().to_numpy() & texts.notna().to_numpy()]
    if marks:
        marked = int(words.isin(marks).sum())
        said = f", a number in all but {marked:,} row{'s' * (marked > 1)}, which hold{'s' * (marked == 1)} "
        said += list_some(quote(marks), len(marks))
        return said + f", {missing - marked:,} more missing" * (missing > marked)
    said = f", {missing:,} missing" if missing else ""
    given = table.load_args.get("na_values", [])
    given = given.get(column, []) if isinstance(given, dict) else given
    if (known := int(words.isin(given).sum())) and not words.isin(given).all():
        said += f", {known:,} of them marked"
    words = words[~words.isin(given)]
    if len(words):
        said += f" (of these {len(words):,} say {list_some(quote(words.unique()), 3)}: if that is a value, "
        said += "load_args: {keep_default_na: false, na_values: ['']})"
    return said


def _hint_at_numbers(present: pd.Series, decimal: str) -> str:
    """Hint at how texts are read as numbers, if most of them look like some."""
    texts = present.astype(str)
    texts.attrs["decimal"] = decimal
    are_numbers = to_numbers(texts).notna()
    with_commas = texts[texts.str.contains(",")]
    if decimal != "," and len(with_commas) > 0.2 * len(texts):
        if with_commas.str.fullmatch(_THOUSANDS).all():
            return "; if these are numbers, the catalog can say it: load_args: {thousands: ','}"
        if with_commas.str.fullmatch(_DECIMAL_COMMA).mean() > 0.5:
            return "; if these are numbers: --decimal ','"
    if are_numbers.mean() > 0.5:
        others = list_some(quote(texts[~are_numbers].unique()), 3)
        return (
            f"; {are_numbers.sum():,} rows hold numbers, others {others}: --missing takes these for missing"
        )
    return ""


def _counts(values: pd.Series) -> bool:
    """Tell whether whole numbers count the rows."""
    return bool((values.diff().iloc[1:] == 1).all())


def _names_rows(present: pd.Series) -> bool:
    """Tell whole numbers that name the rows from those that measure something.

    Both may differ in nearly every row, such as incomes. But those that name rows count them, or are spread
    evenly, since nobody chose them: Kolmogorov and Smirnov's distance from an even spread is small.
    """
    if present.nunique() < NEARLY_ALL * len(present) or len(present) < 3:
        return False
    steps = present.diff().iloc[1:]
    if (steps == 1).all() or (len(present) >= MIN_ROWS and ((steps > 0).all() or (steps < 0).all())):
        return True
    place = np.sort(present.to_numpy("float64"))
    place = (place - place[0]) / (place[-1] - place[0])
    distance = np.abs(place - np.linspace(0, 1, len(place))).max()
    return len(present) >= MIN_ROWS and bool(distance < 1.63 / np.sqrt(len(place)))  # 99 % are nearer


def _are_dates(texts: pd.Series, is_number: bool) -> bool:
    pattern = _COMPACT_DATE if is_number else _DATE
    return bool(texts.iloc[: 50 * MIN_ROWS].str.fullmatch(pattern).mean() > NEARLY_ALL)


def _categorical(values: pd.Series, seen: str) -> Suggestion:
    categories = list_categories(values)
    listed = categories if len(categories) <= MAX_LISTED else None
    return Suggestion(str(values.name), "categorical", f"{len(categories)} categories{seen}", listed)


def _treat_siblings_alike(rows: pd.DataFrame, found: list[Suggestion]) -> list[Suggestion]:
    """Take whole numbers of few values for numbers if a sibling's are: a column on the same scale."""
    numbers = [
        rows[column.name]
        for column in found
        if column.kind in ("continuous", "log") and (rows[column.name].dropna() % 1 == 0).all()
    ]

    def treat(column: Suggestion) -> Suggestion:
        values = rows[column.name]
        is_number = types.is_numeric_dtype(values) and not types.is_bool_dtype(values)
        if not (column.kind == "categorical" and is_number):
            return column
        sibling = next((number.name for number in numbers if _are_siblings(values, number)), None)
        if sibling is None:
            return column
        missing = column.seen.partition("categories")[2]
        seen = f"{values.min():g} to {values.max():g}, a number as {sibling} is{missing}"
        return Suggestion(column.name, "continuous", seen, has_gaps=bool(values.hasnans))

    return [treat(column) for column in found]


def _are_siblings(few: pd.Series, many: pd.Series) -> bool:
    """Tell whether two columns begin at one number, and end at one or have names alike but for digits."""
    if few.min() != many.min():
        return False
    stems = [re.sub(r"\d+", "#", str(values.name)) for values in (few, many)]
    is_near = few.nunique() == 2 or many.max() <= 2 * few.max()
    return bool(few.max() == many.max() or ("#" in stems[0] and stems[0] == stems[1] and is_near))


def _mark_doubles(rows: pd.DataFrame, found: list[Suggestion]) -> list[Suggestion]:
    """Ignore a column that says the same as one before it: each value of one has one value of the other."""
    seen: dict[bytes, str] = {}
    marked = []
    for column in found:
        if column.kind in ("continuous", "log", "categorical"):
            first = seen.setdefault(_write_pattern(rows[column.name]), column.name)
            if first != column.name:
                column = Suggestion(column.name, "ignore", f"says the same as {first}, {column.seen}")
        marked.append(column)
    return marked


def _write_pattern(values: pd.Series) -> bytes:
    """Write which rows have the same value; of many numbers, where each is in their range."""
    codes, present = pd.factorize(values)
    if len(present) <= min(MAX_CATEGORIES, len(values) // 2) or not types.is_numeric_dtype(values):
        return codes.astype("int32").tobytes()
    numbers: NDArray[np.float64] = values.to_numpy("float64")
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    return ((numbers - low) / (high - low)).astype("float16").tobytes()
