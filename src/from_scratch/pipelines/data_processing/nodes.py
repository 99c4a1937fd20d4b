"""The steps from raw rows to tensors; those that need nothing but what is learnt serve new rows too."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from from_scratch.pipelines.data_processing.categories import find_codes, list_categories, name_values
from from_scratch.pipelines.data_processing.checks import decimal_of, find_faults, shorten, to_numbers
from from_scratch.pipelines.data_processing.splitting import select_fitting, shuffle
from from_scratch.schema.features import CategoricalColumn, Features, find_doubled, text_of
from from_scratch.schema.parameters import Split
from kedro_ledger.errors import InputError

log = logging.getLogger(__name__)

SAME_PARAMETERS = "expected that run's parameters, and its --env; or `kedro run` with these, to train anew"

Categories = dict[str, list[str]]
"""The names of a column's categories, in their order."""


def ingest(data: pd.DataFrame, features: Features, parameters: Split) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Take the rows in, if their columns are what the features need (section 5).

    Args:
        data: The rows as they come.
        features: What each column is.
        parameters: How the rows will be split.

    Returns:
        The rows, with numbers as numbers, and where they come from: `source` (original or own),
        `file` and `rows`.

    Raises:
        InputError: A line for each fault: the file, the column, which rows, what was expected; or that there
            are too few rows for the split.
    """
    check_table("raw_data", data)
    faults: list[str] = []
    fitting = data
    if len(data):
        try:
            fitting = select_fitting(data, features, parameters)
            shuffle(len(data), parameters)
        except InputError as error:
            faults.append(str(error))
    stop_at(data, [*find_faults(data, fitting, features), *faults])
    _tell_unnamed(data, features)
    known = {"source": "own", "file": "the data", **data.attrs}
    source = {"source": known["source"], "file": known["file"], "rows": len(data)}
    return to_types(data, features), source


def check_table(dataset: str, rows: object) -> None:
    """See that the catalog loads a table.

    Args:
        dataset: The name of the dataset.
        rows: What it loads.

    Raises:
        InputError: If it is something else.
    """
    if not isinstance(rows, pd.DataFrame):
        raise InputError(f"{dataset}: the catalog loads a {type(rows).__name__}; expected a pandas table")


def stop_at(rows: pd.DataFrame, faults: list[str]) -> None:
    """Stop if there is any fault.

    Args:
        rows: The rows as they come; their `attrs` know the file.
        faults: What is wrong with them.

    Raises:
        InputError: A line for each fault, with the file's name.
    """
    if faults:
        file = rows.attrs.get("file", "the data")
        raise InputError(*(f"{file}: {fault}" for fault in faults))


def _tell_unnamed(data: pd.DataFrame, features: Features) -> None:
    named = {features.identifier, features.target.column, *features.ignore}
    named |= {one.column for one in features.columns}
    if unnamed := [str(column) for column in data.columns if column not in named]:
        log.warning(
            "%s: %s ignored: no parameter in `features` names %s",
            data.attrs.get("file", "the data"),
            ", ".join(unnamed[:10]) + ", …" * (len(unnamed) > 10),
            "it" if len(unnamed) == 1 else "them",
        )


def to_types(rows: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Give columns the types that the next steps, and Parquet, need.

    Args:
        rows: Rows without faults.
        features: What each column is.

    Returns:
        The rows, with numbers as numbers, and values of several types, or beyond all types, as text.
    """
    numbers = {one.column for one in (*features.continuous, *features.log)}
    changed: dict[str, Any] = {}
    typed = rows.rename(columns=str).reset_index(drop=True)
    for column, values in typed.items():
        if column in numbers:
            if not isinstance(values.dtype, np.dtype) or not pd.api.types.is_numeric_dtype(values):
                changed[str(column)] = to_numbers(values, decimal_of(rows))
        elif isinstance(values.dtype, pd.CategoricalDtype) or (
            values.dtype == object and pd.api.types.infer_dtype(values) not in ("string", "boolean")
        ):
            changed[str(column)] = name_values(values)
    typed = typed.assign(**changed)
    typed.attrs = dict(rows.attrs)
    return typed


def count_missing_values(data: pd.DataFrame) -> dict[str, int]:
    """Count what is missing (section 5).

    Args:
        data: The rows.

    Returns:
        The number of missing values by column.
    """
    return {str(column): int(count) for column, count in data.isna().sum().items()}


def count_categories(data: pd.DataFrame, features: Features) -> dict[str, dict[str, int]]:
    """Count how often each category occurs, those of the target too.

    Args:
        data: The rows.
        features: Which columns have categories.

    Returns:
        The number of rows by column and category: declared ones in their order, others sorted.
    """
    counts = {}
    declared = {one.column: one.declared for one in features.categorical}
    for column in [*declared, features.target.column]:
        categories = declared.get(column) or list_categories(data[column])
        codes = find_codes(data[column], categories)
        found = np.bincount(codes[codes >= 0], minlength=len(categories))
        counts[column] = dict(zip(categories, found.tolist(), strict=True))
    return counts


def compute_fill_values(data: pd.DataFrame, features: Features, parameters: Split) -> pd.DataFrame:
    """Find what takes the place of missing values: the most frequent value of each column (section 5).

    Args:
        data: The rows.
        features: Which columns take another value than their mode, and which rows decide.
        parameters: How the rows are split.

    Returns:
        One row: the value for each column that has any; of several modes the smallest.
    """
    said = {one.column: one for one in features.columns}
    values_of = {}
    for column, values in select_fitting(data, features, parameters).items():
        one = said.get(str(column))
        if one and one.constant is not None:
            is_category = isinstance(one, CategoricalColumn)
            values_of[column] = [text_of(one.constant) if is_category else float(one.constant)]
        elif values.notna().any():
            fill = one.fill if one else "mode"
            values_of[column] = list(values.mode().head(1)) if fill == "mode" else [values.agg(fill)]
    fill_values = pd.DataFrame(values_of)
    fill_values.attrs = dict(data.attrs)
    return fill_values


def impute(data: pd.DataFrame, fill_values: pd.DataFrame) -> pd.DataFrame:
    """Fill missing values (section 5).

    Args:
        data: The rows.
        fill_values: One row, the value for each column.

    Returns:
        The rows, with no value missing in any column that has a value to fill it with.
    """
    filled = {}
    for column, fill in ((column, values.iloc[0]) for column, values in fill_values.items()):
        if column not in data.columns or not data[column].isna().any():
            continue
        values = data[column]
        if values.isna().all():  # read as numbers, whatever they would be
            filled[str(column)] = pd.Series([fill] * len(values), index=values.index)
        elif _type_of(values) != _type_of(pd.Series([fill])):  # categories, read otherwise than in training
            filled[str(column)] = name_values(values).fillna(text_of(fill))
        else:
            filled[str(column)] = values.fillna(fill)
    imputed = data.assign(**filled)
    imputed.attrs = dict(data.attrs)
    return imputed


def _type_of(values: pd.Series) -> str:
    """Tell texts, booleans and numbers apart; None of all else."""
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    return {"integer": "number", "floating": "number", "mixed-integer-float": "number"}.get(
        inferred, inferred
    )


def learn_categories(data: pd.DataFrame, features: Features, parameters: Split) -> Categories:
    """Find the categories of each column, and the two classes of the target.

    Args:
        data: The rows, with nothing missing in the columns of `features`.
        features: Which categories are declared, and which rows decide about the others.
        parameters: How the rows are split.

    Returns:
        The categories by column: in their order if they are declared, and sorted otherwise. Those of the
        target are two: no and yes.

    Raises:
        InputError: If two features would have the same name.
    """
    fitting = select_fitting(data, features, parameters)
    categories = {
        one.column: one.declared or list_categories(fitting[one.column]) for one in features.categorical
    }
    for one in features.categorical:  # where nothing is missing, something may be in new rows
        known = categories[one.column]
        if one.constant is not None and find_codes(pd.Series([one.constant]), known)[0] < 0:
            known.append(text_of(one.constant))
    if doubled := find_doubled(features.names(categories)):
        raise InputError(
            f"parameter features: two features would be named {doubled}; expected each name once"
        )
    tell_unseen(data, features, categories)
    target = features.target.column
    classes = list_categories(data[target])
    place = find_codes(pd.Series([features.target.positive]), classes)[0]
    return {**categories, target: [classes[1 - place], classes[place]]}


def tell_unseen(rows: pd.DataFrame, features: Features, categories: Categories) -> None:
    """Count in the log what is none of the categories.

    Args:
        rows: The rows.
        features: Which columns have categories.
        categories: Those that are known, by column.
    """
    for one in features.categorical:
        values = rows[one.column]
        unseen = values[(find_codes(values, categories[one.column]) < 0) & values.notna().to_numpy()]
        if len(unseen):
            examples = [shorten(repr(value)) for value in unseen.unique()[:3].tolist()]
            named = ", ".join(examples) + ", …" * (unseen.nunique() > 3)
            log.warning(
                "%s: column %s has %s in %d of %d rows, and in none that trains: none of the categories",
                rows.attrs.get("file", "the data"),
                one.column,
                named,
                len(unseen),
                len(rows),
            )


def one_hot_encode(data: pd.DataFrame, features: Features, categories: Categories) -> pd.DataFrame:
    """Turn every column into numbers (section 5).

    A continuous column stays as it is. A log column becomes ln(value + 1): a few fares are huge, and would
    drown the others. A categorical column becomes a column of zeros and ones for each category; a value that
    is none of the categories has zeros in all.

    Args:
        data: The rows, with nothing missing in the columns of `features`.
        features: Which columns to encode.
        categories: Those of each categorical column.

    Returns:
        A column for each feature, in the order of `features`.
    """
    columns = {one.column: data[one.column] for one in features.continuous}
    columns |= {
        f"Log{one.column}": data[one.column].astype("float64").add(1).apply(np.log) for one in features.log
    }
    for one in features.categorical:
        codes = find_codes(data[one.column], categories[one.column])
        columns |= {
            f"{one.column}_{category}": pd.Series((codes == code).astype("int8"), index=data.index)
            for code, category in enumerate(categories[one.column])
        }
    encoded = pd.DataFrame(columns)
    encoded.attrs = dict(data.attrs)
    return encoded


def compute_scales(encoded: pd.DataFrame, features: Features, parameters: Split) -> pd.DataFrame:
    """Find how to bring all numbers to one scale (section 6): by default, by their maximum.

    Zeros and ones stay what they are.

    Args:
        encoded: A column for each feature.
        features: What numbers are divided by, and which rows decide.
        parameters: How the rows are split.

    Returns:
        A row for each feature: `feature`, `shift` (what is subtracted: the mean, or 0) and `scale` (what it
        is then divided by: the deviation, or the greatest magnitude; 1 where that is 0).
    """
    fitting = select_fitting(encoded, features, parameters)
    rows = []
    for feature in encoded.columns:
        shift, scale = 0.0, 1.0
        if feature in features.number_names:
            values = fitting[feature].to_numpy("float64")
            if features.normalisation == "maximum":
                scale = float(np.abs(values).max())
            else:
                shift = float(values.mean())
                scale = float(values.std()) if values.min() < values.max() else 1.0
        rows.append((feature, shift, scale if np.float32(scale) > 0 else 1.0))
    scales = pd.DataFrame(rows, columns=["feature", "shift", "scale"])
    scales.attrs = dict(encoded.attrs)
    return scales


def normalise(encoded: pd.DataFrame, scales: pd.DataFrame) -> dict[str, Tensor]:
    """Bring all numbers to one scale, so that none outweighs the others (section 6).

    Args:
        encoded: A column for each feature.
        scales: What is subtracted from each, and what it is divided by.

    Returns:
        `independent` [rows, features], float32.

    Raises:
        InputError: If these are the scales of other features, or a number is too far from those they were
            computed from.
    """
    found = encoded.columns.tolist()
    check_same(found, scales["feature"].tolist())
    shifted = torch.tensor(encoded.to_numpy("float64") - scales["shift"].to_numpy(), dtype=torch.float32)
    independent = shifted / torch.tensor(scales["scale"].to_numpy(), dtype=torch.float32)
    if not independent.isfinite().all():
        row, column = (~independent.isfinite()).nonzero()[0].tolist()
        raise InputError(
            f"{encoded.attrs.get('file', 'the data')}: {found[column]} is {encoded.iloc[row, column]} in row "
            f"{row + 1}; expected one nearer to those that its scale {scales['scale'][column]:g} comes from"
        )
    return {"independent": independent}


def check_same(features: list[str], trained: list[str]) -> None:
    """See that features are those of the run that readers see.

    Args:
        features: Their names, by the parameters of now.
        trained: Their names, by what that run made.

    Raises:
        InputError: If they differ.
    """
    if features != trained:
        differ = [name for name in [*trained, *features] if (name in trained) != (name in features)]
        raise InputError(
            f"the features are not those of the run that trained: {', '.join(differ[:5]) or 'their order'} "
            f"differ; {SAME_PARAMETERS}"
        )


def make_model_input(
    encoded: pd.DataFrame, scales: pd.DataFrame, data: pd.DataFrame, features: Features
) -> dict[str, Tensor]:
    """Normalise the features, and put the target beside them (section 6).

    Args:
        encoded: A column for each feature.
        scales: What is subtracted from each, and what it is divided by.
        data: The same rows, with the target.
        features: Which column that is, and which of its values counts as yes.

    Returns:
        `independent` [rows, features] and `dependent` [rows], 1 for yes, float32.
    """
    is_yes = find_codes(data[features.target.column], [text_of(features.target.positive)]) == 0
    return {**normalise(encoded, scales), "dependent": torch.tensor(is_yes, dtype=torch.float32)}


def split(model_input: dict[str, Tensor], parameters: Split) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Shuffle the rows, and set some aside to validate with (section 6.2).

    Args:
        model_input: `independent` [rows, features] and `dependent` [rows].
        parameters: The seed of the shuffle, and the fraction that validates.

    Returns:
        The rows that train and the rows that validate, each with the tensors of `model_input`.
    """
    train, valid = shuffle(len(model_input["dependent"]), parameters)
    return (
        {name: tensor[train] for name, tensor in model_input.items()},
        {name: tensor[valid] for name, tensor in model_input.items()},
    )
