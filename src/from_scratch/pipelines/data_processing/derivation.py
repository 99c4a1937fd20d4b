"""New columns, computed from those in the file as the parameters `features.derived` describe."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from from_scratch.pipelines.data_processing.categories import find_codes, name_values
from from_scratch.pipelines.data_processing.checks import to_numbers
from from_scratch.pipelines.data_processing.splitting import find_fitting
from from_scratch.schema.derived import Count, Extract, IsKnown, Sum, surround
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split

ValueCounts = dict[str, dict[str, int]]
"""The number of rows with each value, by column and the value's name."""


def derive(rows: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Add the derived columns that depend only on the same row.

    Columns whose sources are missing from the file are skipped.
    """
    columns = {}
    for derived in features.derived:
        if not all(name in rows.columns for name in derived.sources):
            continue
        match derived.way:
            case Extract() as extract:
                columns[derived.column] = _extract(rows[extract.of], extract)
            case Sum(of=names, plus=constant):
                total = np.sum([to_numbers(rows[name]) for name in names], axis=0) + constant
                columns[derived.column] = pd.Series(total, index=rows.index)
            case IsKnown(of=name):
                columns[derived.column] = rows[name].notna().astype("int64")
            case Count():  # depends on other rows: `count_rows` adds it
                pass
    return rows.assign(**columns)


def _extract(values: pd.Series, extract: Extract) -> pd.Series:
    # RE2, since some of Python's regular expressions take exponential time on some texts.
    texts = pa.array(name_values(values), pa.large_string())
    whole = surround(extract.pattern)
    group = compute.replace_substring_regex(texts, pattern=whole, replacement=r"\1")
    found = pd.Series(group.to_pandas(), index=values.index, dtype="str")
    matches = compute.match_substring_regex(texts, pattern=whole).fill_null(False).to_numpy(False)
    found = found.where(matches & found.ne("")).replace(extract.mapping)
    if extract.keep:
        found = found.where(found.isin(extract.keep) | found.isna(), extract.other)
    return found


def learn_counts(data: pd.DataFrame, features: Features, parameters: Split) -> ValueCounts:
    """Count the rows with each value, in the columns that `features.derived` counts.

    Returns:
        The number of rows by column and value, sorted; values are named as categories are.
    """
    return count_values(data, features, find_fitting(data, features, parameters))


def count_values(data: pd.DataFrame, features: Features, are_fitting: NDArray[np.bool_]) -> ValueCounts:
    """Count as `learn_counts` does, but only the rows `are_fitting` [rows]; missing columns are skipped."""
    value_counts = {}
    for name in features.counted:
        if name in data.columns:
            counts = name_values(data[name][are_fitting]).value_counts().sort_index()
            value_counts[name] = dict(zip(counts.index.astype(str), counts.tolist(), strict=True))
    return value_counts


def count_rows(
    rows: pd.DataFrame, features: Features, value_counts: ValueCounts, are_fitting: NDArray[np.bool_]
) -> pd.DataFrame:
    """Add the number of rows with each row's value: itself, and the others that counts are learnt from.

    The learnt count of a value already includes the rows `are_fitting` [rows]; any other row adds itself. So
    validation rows and new rows are counted like training rows. New rows do not count each other, so that a
    prediction does not depend on the other new rows.
    """
    columns = {}
    for derived in features.derived:
        if isinstance(derived.way, Count) and derived.way.of in rows.columns:
            names, counts = name_values(rows[derived.way.of]), value_counts[derived.way.of]
            known = np.array([*counts.values(), 0])[find_codes(names, list(counts))]
            numbers = pd.Series(known + ~are_fitting, index=rows.index, dtype="float64")
            columns[derived.column] = numbers.where(names.notna())
    return rows.assign(**columns)
