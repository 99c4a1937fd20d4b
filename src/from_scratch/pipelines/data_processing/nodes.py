"""The nodes of data processing, from raw rows to tensors. Inference reuses some of them for new rows.

`data` has a row for each passenger, `encoded` a column for each feature. Fill values, categories and scales
are learnt from all rows, or only from the training rows (`features.fit_on`).
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from from_scratch.pipelines.data_processing.categories import find_codes, list_categories, name_values
from from_scratch.pipelines.data_processing.checks import (
    MAX_EXAMPLES,
    find_clashes,
    find_faults,
    to_numbers,
)
from from_scratch.pipelines.data_processing.derivation import count_rows, count_values, derive
from from_scratch.pipelines.data_processing.leaks import find_leaks
from from_scratch.pipelines.data_processing.splitting import (
    find_fitting,
    find_positives,
    select_fitting,
    shuffle,
)
from from_scratch.schema.features import CategoricalColumn, Features, find_duplicate, text_of
from from_scratch.schema.parameters import Split
from from_scratch.schema.validation import list_some, shorten
from kedro_ledger.errors import InputError

log = logging.getLogger(__name__)

SAME_PARAMETERS = (
    "expected the parameters and --env of the training run. To train with these, run `kedro run`"
)

Categories = dict[str, list[str]]
"""The names of each column's categories, in order."""


def ingest(data: pd.DataFrame, features: Features, parameters: Split) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Add derived columns, and check that the rows have what the features need (section 5).

    Returns:
        The rows, with numbers as numbers; and a description of them. The description has their origin:
        `source` (original or own), `file` and `rows`; the target: `target`, and its values, `negative` and
        `positive`; and `leaks`: how columns give the answer away, by column.

    Raises:
        InputError: A line for each fault: the file, the column, the rows, what was expected; or a line if
            there are too few rows to split.
    """
    require_table("raw_data", data)
    faults: list[str] = []
    are_fitting = np.ones(len(data), dtype=bool)
    are_positive = find_positives(data, features)
    if are_positive.all() or not are_positive.any():  # `find_faults` reports that the target is wrong
        parameters = parameters.model_copy(update={"stratify": False})
    if len(data):
        try:
            are_fitting = find_fitting(data, features, parameters)
            shuffle(are_positive, parameters)
        except InputError as error:
            faults.append(str(error))
    value_counts = count_values(data, features, are_fitting)
    rows = count_rows(derive(data, features), features, value_counts, are_fitting)
    fitting = rows if are_fitting.all() else rows[are_fitting]
    raise_faults(data, [*find_faults(rows, fitting, features), *find_clashes(data, features), *faults])
    _warn_unnamed(data, features)
    leaks = find_leaks(rows, features)
    for column, leak in leaks.items():
        log.warning(
            "%s: column %s gives the answer away: %s; expected it in features.ignore, unless new rows "
            "have it too",
            _file_of(data),
            column,
            leak,
        )
    negative, positive = name_classes(data, features)
    source = {
        "source": data.attrs.get("source", "own"),
        "file": _file_of(data),
        "rows": len(data),
        "target": features.target.column,
        "negative": negative,
        "positive": positive,
        "leaks": leaks,
    }
    return to_types(rows, features), source


def name_classes(data: pd.DataFrame, features: Features) -> list[str]:
    """Return the names of the target's two values: no, then yes."""
    classes = list_categories(data[features.target.column])
    code = find_codes(pd.Series([features.target.positive]), classes)[0]
    return [classes[1 - code], classes[code]]


def require_table(dataset: str, rows: object) -> None:
    """Require that a dataset is a table.

    Raises:
        InputError: If the catalog loads something else.
    """
    if not isinstance(rows, pd.DataFrame):
        raise InputError(f"{dataset}: the catalog loads a {type(rows).__name__}; expected a pandas table")


def raise_faults(rows: pd.DataFrame, faults: list[str]) -> None:
    """Raise an error if there are any faults in the rows.

    Raises:
        InputError: A line for each fault, with the file's name.
    """
    if faults:
        raise InputError(*(f"{_file_of(rows)}: {fault}" for fault in faults))


def _file_of(rows: pd.DataFrame) -> str:
    return str(rows.attrs.get("file", "the data"))


def _warn_unnamed(data: pd.DataFrame, features: Features) -> None:
    named = {features.identifier, features.target.column, *features.ignore, *features.sources}
    named |= {column.column for column in features.columns}
    if unnamed := [str(name) for name in data.columns if name not in named]:
        log.warning(
            "%s: ignoring column%s %s, not named in `features`",
            _file_of(data),
            "s" * (len(unnamed) > 1),
            list_some(unnamed, 10),
        )


def to_types(rows: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Convert columns to the types that the next nodes and Parquet need.

    Number columns become numbers; columns of mixed types, or of types that Parquet lacks, become text.
    """
    categorical = [column.column for column in features.categorical]
    numbers = {*features.number_columns, *features.summed}.difference(categorical)
    changed: dict[str, Any] = {}
    typed = rows.rename(columns=str).reset_index(drop=True)
    for name, values in typed.items():
        if name in numbers:
            if not isinstance(values.dtype, np.dtype) or not pd.api.types.is_numeric_dtype(values):
                changed[str(name)] = to_numbers(values)
        elif isinstance(values.dtype, pd.CategoricalDtype) or (
            values.dtype == object and pd.api.types.infer_dtype(values) not in ("string", "boolean")
        ):
            changed[str(name)] = name_values(values)
    return typed.assign(**changed)


def count_missing_values(data: pd.DataFrame) -> dict[str, int]:
    """Count the missing values of each column (section 5)."""
    return {str(name): int(count) for name, count in data.isna().sum().items()}


def count_categories(data: pd.DataFrame, features: Features) -> dict[str, dict[str, int]]:
    """Count the rows of each category, and of each class of the target.

    Returns:
        The number of rows by column and category: declared categories in order, others sorted.
    """
    counts = {}
    declared = {column.column: column.declared for column in features.categorical}
    for name in [*declared, features.target.column]:
        categories = declared.get(name) or list_categories(data[name])
        codes = find_codes(data[name], categories)
        found = np.bincount(codes[codes >= 0], minlength=len(categories))
        counts[name] = dict(zip(categories, found.tolist(), strict=True))
    return counts


def compute_fill_values(data: pd.DataFrame, features: Features, parameters: Split) -> pd.DataFrame:
    """Compute the values that fill missing values: by default, each column's mode (section 5).

    Returns:
        One row, with the fill value of each column that has values or a constant; the smallest of several
        modes.
    """
    columns = {column.column: column for column in features.columns}
    values_of = {}
    for name, values in select_fitting(data, features, parameters).items():
        column = columns.get(str(name))
        if column and column.constant is not None:
            is_category = isinstance(column, CategoricalColumn)
            values_of[name] = [text_of(column.constant) if is_category else float(column.constant)]
        elif values.notna().any():
            fill = column.fill if column else "mode"
            values_of[name] = list(values.mode().head(1)) if fill == "mode" else [values.agg(fill)]
    return _table_like(data, values_of)


def _table_like(rows: pd.DataFrame, columns: dict[Any, Any]) -> pd.DataFrame:
    """Make a table that inherits the `attrs` of `rows`, which describe the origin."""
    table = pd.DataFrame(columns)
    table.attrs = dict(rows.attrs)
    return table


def impute(data: pd.DataFrame, fill_values: pd.DataFrame) -> pd.DataFrame:
    """Fill the missing values of all columns that have a fill value (section 5)."""
    filled = {}
    for name, fill in ((name, values.iloc[0]) for name, values in fill_values.items()):
        if name not in data.columns or not data[name].isna().any():
            continue
        values = data[name]
        if values.isna().all():  # pandas reads such a column as numbers, whatever its type
            filled[str(name)] = pd.Series([fill] * len(values), index=values.index)
        elif _type_of(values) != _type_of(pd.Series([fill])):  # categories read as another type than before
            filled[str(name)] = name_values(values).fillna(text_of(fill))
        else:
            filled[str(name)] = values.fillna(fill)
    return data.assign(**filled)


def _type_of(values: pd.Series) -> str:
    """Return the type of the values, with all numbers as one type."""
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    return "number" if inferred in ("integer", "floating", "mixed-integer-float") else inferred


def learn_categories(data: pd.DataFrame, features: Features, parameters: Split) -> Categories:
    """Learn the categories of each column, and the two classes of the target.

    Returns:
        The categories by column: in the declared order, or else sorted. The target's are no and yes.

    Raises:
        InputError: If two features would have the same name.
    """
    fitting = select_fitting(data, features, parameters)
    categories = {}
    for column in features.categorical:
        known = column.declared or list_categories(fitting[column.column])
        # New rows may have missing values even if these rows have none.
        if column.constant is not None and find_codes(pd.Series([column.constant]), known)[0] < 0:
            known.append(text_of(column.constant))
        categories[column.column] = known
    if duplicate := find_duplicate(features.names(categories)):
        raise InputError(
            f"parameter features: two features would be named {duplicate}; expected each name once"
        )
    warn_unseen(data, features, categories)
    return {**categories, features.target.column: name_classes(data, features)}


def warn_unseen(rows: pd.DataFrame, features: Features, categories: Categories) -> None:
    """Warn about values that are none of the categories, with their number of rows."""
    for column in features.categorical:
        values = rows[column.column]
        unseen = values[(find_codes(values, categories[column.column]) < 0) & values.notna()]
        if len(unseen):
            log.warning(
                "%s: column %s has %s in %d of %d rows, but in no training row; it is none of the categories",
                _file_of(rows),
                column.column,
                list_some([shorten(repr(value)) for value in unseen.unique().tolist()], MAX_EXAMPLES),
                len(unseen),
                len(rows),
            )


def one_hot_encode(data: pd.DataFrame, features: Features, categories: Categories) -> pd.DataFrame:
    """Turn every column into numbers (section 5).

    A continuous column stays as it is. A log column becomes ln(value + 1), since a few fares are so large
    that they would dominate the others. A categorical column becomes one dummy of zeros and ones for each
    category; a value that is none of the categories has zeros in all dummies.

    Returns:
        A column for each feature, in the order of `features`.
    """
    columns = {column.column: data[column.column] for column in features.continuous}
    for name in (column.column for column in features.log):
        columns[f"Log{name}"] = data[name].astype("float64").add(1).apply(np.log)
    for column in features.categorical:
        codes = find_codes(data[column.column], categories[column.column])
        for code, category in enumerate(categories[column.column]):
            dummies = pd.Series((codes == code).astype("int8"), index=data.index)
            columns[f"{column.column}_{category}"] = dummies
    return _table_like(data, columns)


def compute_scales(
    encoded: pd.DataFrame, data: pd.DataFrame, features: Features, parameters: Split
) -> pd.DataFrame:
    """Compute the scale of each feature (section 6): by default, its maximum magnitude.

    Dummies are not scaled. `data` has the target, by which the split may be stratified.

    Returns:
        A row for each feature: `feature`; `shift`, the number to subtract: the mean, or 0; and `scale`, the
        number to divide by: the standard deviation, or the maximum magnitude, but 1 if that is 0.
    """
    fitting = encoded[find_fitting(data, features, parameters)] if features.fit_on == "train" else encoded
    shifts, scales = [], []
    for feature in encoded.columns:
        shift, scale = 0.0, 1.0
        if feature in features.number_names:
            values = fitting[feature].to_numpy("float64")
            if features.normalisation == "maximum":
                scale = float(np.abs(values).max())
            else:
                shift = float(values.mean())
                scale = float(values.std()) if values.min() < values.max() else 1.0
        shifts.append(shift)
        scales.append(scale if np.float32(scale) > 0 else 1.0)
    return _table_like(encoded, {"feature": encoded.columns.tolist(), "shift": shifts, "scale": scales})


def normalise(encoded: pd.DataFrame, scales: pd.DataFrame) -> dict[str, Tensor]:
    """Bring all features to the same scale, so that none outweighs the others (section 6).

    Returns:
        `independent` [rows, features], float32.

    Raises:
        InputError: If the scales are those of other features, or a number is too large for its scale.
    """
    found = encoded.columns.tolist()
    require_same_features(found, scales["feature"].tolist())
    independent = torch.empty(encoded.shape, dtype=torch.float32)
    # Column by column, since all columns in float64 would take twice the memory.
    for column, shift in enumerate(scales["shift"]):
        independent[:, column] = torch.from_numpy(encoded.iloc[:, column].to_numpy("float64") - shift)
    independent /= torch.tensor(scales["scale"].to_numpy(), dtype=torch.float32)
    if not all(values.isfinite().all() for values in independent.T):
        row, column = (~independent.isfinite()).nonzero()[0].tolist()
        raise InputError(
            f"{_file_of(encoded)}: {found[column]} is {encoded.iloc[row, column]} in row "
            f"{row + 1}; expected a number closer to its scale, {scales['scale'][column]:g}"
        )
    return {"independent": independent}


def require_same_features(features: list[str], trained: list[str]) -> None:
    """Require that the features are those of the training run, by name.

    Raises:
        InputError: If they differ.
    """
    if features != trained:
        differ = sorted({*features} ^ {*trained})
        raise InputError(
            "the features differ from those of the training run in "
            f"{', '.join(differ[:5]) or 'their order'}; {SAME_PARAMETERS}"
        )


def make_model_input(
    encoded: pd.DataFrame, scales: pd.DataFrame, data: pd.DataFrame, features: Features
) -> dict[str, Tensor]:
    """Normalise the features, and add the target (section 6).

    Returns:
        `independent` [rows, features] and `dependent` [rows], 1 for yes, float32.
    """
    are_positive = torch.from_numpy(find_positives(data, features))
    return {**normalise(encoded, scales), "dependent": are_positive.float()}


def split(model_input: dict[str, Tensor], parameters: Split) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Shuffle the rows, and set some of them aside for validation (section 6.2).

    Returns:
        The training rows and the validation rows, each with the tensors of `model_input`.
    """
    train, valid = shuffle(model_input["dependent"].bool().numpy(), parameters)
    return (
        {name: tensor[train] for name, tensor in model_input.items()},
        {name: tensor[valid] for name, tensor in model_input.items()},
    )
