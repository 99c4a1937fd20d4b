"""The steps from raw passengers to tensors."""

from __future__ import annotations

from typing import Any

from from_scratch.errors import InputError
from from_scratch.node_types import DataFrame, Tensors
from from_scratch.parameters import Features, Split


def ingest(passengers: DataFrame, features: Features, parameters: Split) -> tuple[DataFrame, dict[str, Any]]:
    """Take the passengers in, if their columns are what the features need (section 5).

    Args:
        passengers: The passengers as they come.
        features: Which columns the models see.
        parameters: How the rows will be split.

    Returns:
        The passengers, unchanged, and where they come from: `source` (original, own or sample) and `rows`.

    Raises:
        InputError: One line that names the file and everything wrong with its columns, or that says it has
            too few rows for the split.
    """
    from from_scratch.pipelines.data_processing.checks import find_faults

    faults = find_faults(passengers, features)
    if faults:
        raise InputError(f"{passengers.attrs.get('file', 'passengers')}: {'; '.join(faults)}")
    _count_validating(len(passengers), parameters)
    return passengers, {"source": passengers.attrs.get("source", "own"), "rows": len(passengers)}


def count_missing_values(passengers: DataFrame) -> dict[str, int]:
    """Count what is missing (section 5).

    Args:
        passengers: The passengers.

    Returns:
        The number of missing values by column.
    """
    return {str(column): int(count) for column, count in passengers.isna().sum().items()}


def compute_modes(passengers: DataFrame) -> DataFrame:
    """Find the most frequent value of each column (section 5).

    Args:
        passengers: The passengers.

    Returns:
        One row: the mode of each column that has values, the smallest where several are as frequent.
    """
    import pandas as pd

    modes = pd.DataFrame(
        {column: values.mode().head(1) for column, values in passengers.items() if values.notna().any()}
    )
    modes.attrs = dict(passengers.attrs)
    return modes


def impute_modes(passengers: DataFrame, modes: DataFrame) -> DataFrame:
    """Put the mode where a value is missing (section 5).

    Args:
        passengers: The passengers.
        modes: One row, the mode of each column.

    Returns:
        The passengers, with no value missing in any column that has a mode.
    """
    return passengers.fillna({column: mode.iloc[0] for column, mode in modes.items()})


def one_hot_encode(passengers: DataFrame, features: Features) -> DataFrame:
    """Turn every column into numbers (section 5).

    A continuous column stays as it is. A log column becomes ln(value + 1): a few fares are huge, and would
    drown the others. A categorical column becomes a column of zeros and ones for each category.

    Args:
        passengers: The passengers, with nothing missing in the columns of `features`.
        features: Which columns to encode.

    Returns:
        A column for each feature, in the order of `features`.
    """
    import numpy as np
    import pandas as pd

    columns = {column: passengers[column] for column in features.continuous}
    columns |= {f"Log{column}": np.log(passengers[column] + 1) for column in features.log}
    columns |= {
        f"{column}_{category}": (passengers[column] == category).astype("int8")
        for column, categories in features.categorical.items()
        for category in categories
    }
    encoded = pd.DataFrame(columns)
    encoded.attrs = dict(passengers.attrs)
    return encoded


def compute_maxima(features: DataFrame) -> DataFrame:
    """Find the greatest value of each feature (section 6).

    Args:
        features: A column for each feature.

    Returns:
        One row: the maximum of each feature.
    """
    import pandas as pd

    maxima = pd.DataFrame({feature: [float(values.max())] for feature, values in features.items()})
    maxima.attrs = dict(features.attrs)
    return maxima


def normalise(features: DataFrame, maxima: DataFrame, passengers: DataFrame, target: str) -> Tensors:
    """Divide each feature by its maximum, so that none outweighs the others (section 6).

    Args:
        features: A column for each feature.
        maxima: One row, the maximum of each feature; one whose maximum is zero is left as it is.
        passengers: The same rows, with the target.
        target: The column to predict.

    Returns:
        `independent` [rows, features] and `dependent` [rows], float32.
    """
    import torch

    divisors = torch.tensor(maxima[features.columns].to_numpy()[0], dtype=torch.float32)
    divisors[divisors == 0] = 1
    independent = torch.tensor(features.to_numpy(dtype="float64"), dtype=torch.float32)
    dependent = torch.tensor(passengers[target].to_numpy(), dtype=torch.float32)
    return {"independent": independent / divisors, "dependent": dependent}


def split(model_input: Tensors, parameters: Split) -> tuple[Tensors, Tensors]:
    """Shuffle the rows, and set some aside to validate with (section 6.2).

    Args:
        model_input: `independent` [rows, features] and `dependent` [rows].
        parameters: The seed of the shuffle, and the fraction that validates, rounded down to whole rows.

    Returns:
        The rows that train and the rows that validate, each with the tensors of `model_input`.

    Raises:
        InputError: If one of the two would have no row.
    """
    import torch

    rows = len(model_input["dependent"])
    validating = _count_validating(rows, parameters)
    shuffled = torch.randperm(rows, generator=torch.Generator().manual_seed(parameters.seed))
    valid, train = shuffled[:validating], shuffled[validating:]
    return (
        {name: tensor[train] for name, tensor in model_input.items()},
        {name: tensor[valid] for name, tensor in model_input.items()},
    )


def _count_validating(rows: int, parameters: Split) -> int:
    """Count the rows that validate, and see that there is at least one, and one that trains."""
    fraction = parameters.validation_fraction
    validating = int(fraction * rows)
    if not 0 < validating < rows:
        raise InputError(
            f"parameter split.validation_fraction is {fraction}: {validating} of {rows} rows would validate; "
            "expected at least one, and one to train"
        )
    return validating
