"""What Kedro-Viz shows of a dataset when it is clicked."""

from __future__ import annotations

import json

import pandas as pd
from torch import Tensor

from from_scratch.kedro_internals import TablePreview


def preview_table(table: pd.DataFrame) -> TablePreview:
    """Show a table as it is; its values are dates, or what JSON can hold."""
    return TablePreview(json.loads(table.to_json(orient="split", date_format="iso", double_precision=15)))


def preview_rows(rows: pd.DataFrame, nrows: int) -> TablePreview:
    """Show the first rows of the article's data, and of any other only what kind of columns there are.

    What Kedro-Viz shows may be published (`kedro viz build --include-previews`): nothing personal is in it.

    Returns:
        The first `nrows` rows, or a row for each column: its type, how many values it has, misses and has
        distinct.
    """
    if rows.attrs.get("source") == "original":
        return preview_table(rows.head(nrows))
    columns = {
        "column": rows.columns,
        "type": rows.dtypes.astype(str),
        "values": rows.count(),
        "missing": rows.isna().sum(),
        "distinct": rows.nunique(),
    }
    return preview_table(pd.DataFrame(columns).reset_index(drop=True))


def preview_tensors(tensors: dict[str, Tensor]) -> TablePreview:
    """Describe tensors.

    Returns:
        A row for each tensor: its name, shape and dtype, its minimum, mean and maximum; these are empty for a
        tensor that holds nothing.
    """
    described = []
    for name, tensor in tensors.items():
        row = {
            "name": name,
            "shape": " × ".join(map(str, tensor.shape)) or "one number",
            "dtype": str(tensor.dtype).removeprefix("torch."),
        }
        if tensor.numel():
            values = tensor.double()
            numbers = {"minimum": values.min(), "mean": values.mean(), "maximum": values.max()}
            row |= {key: f"{number.item():.4g}" for key, number in numbers.items()}
        described.append(row)
    return preview_table(pd.DataFrame(described))
