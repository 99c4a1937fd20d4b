"""The previews that Kedro-Viz shows for a dataset."""

from __future__ import annotations

import json
import re
from html import escape

import pandas as pd
from torch import Tensor

from from_scratch.kedro_internals import HTMLPreview, PlotlyPreview, TablePreview

GREY = "#808080"
BELOW, ABOVE = "#0072B2", "#E69F00"
CELL = 12
"""Width and height of a heat map's cell, in pixels."""
MAX_CELLS = 32
"""Maximum number of rows, and of columns, in a heat map."""
_NO_MARKDOWN = str.maketrans(
    {
        "_": "\N{MODIFIER LETTER LOW MACRON}",
        "*": "\N{ASTERISK OPERATOR}",
        "~": "\N{TILDE OPERATOR}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "\\": "\N{SET MINUS}",
    }
)
"""Lookalikes for characters that Kedro-Viz treats as Markdown, even if they are escaped."""
_IN_LINKS = re.compile(r"(?<=])(?=\()|(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
"""Positions where an invisible character keeps a name from becoming a link or an email address."""


def preview_table(table: pd.DataFrame) -> TablePreview:
    """Show a table whose values are dates or JSON values."""
    return TablePreview(json.loads(table.to_json(orient="split", date_format="iso", double_precision=15)))


def preview_rows(rows: pd.DataFrame, nrows: int) -> TablePreview:
    """Show the first rows of the article's data, but only a summary of the columns of any other data.

    Previews may be published (`kedro viz build --include-previews`), so they must not show personal data.

    Returns:
        The first `nrows` rows; or, for each column, its type and its numbers of values, missing values and
        distinct values.
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


def preview_html(text: str) -> HTMLPreview:
    """Show HTML, on one line and with lookalikes of special characters: Kedro-Viz treats it as Markdown."""
    text = _IN_LINKS.sub("\N{WORD JOINER}", " ".join(text.split()))
    return HTMLPreview(text.translate(_NO_MARKDOWN))


def preview_losses(losses: pd.DataFrame) -> PlotlyPreview:
    """Draw a variant's losses, in grey, since only the report knows the colours of the variants.

    Args:
        losses: One row per epoch, with columns `epoch` and `loss`.
    """
    axis = {"gridcolor": "rgba(128, 128, 128, 0.25)", "automargin": True}
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": losses["epoch"].tolist(),
        "y": losses["loss"].tolist(),
        "line": {"color": GREY, "width": 2.5},
        "hovertemplate": "epoch %{x}: %{y:.4g}<extra></extra>",
    }
    layout = {
        "xaxis": axis | {"title": {"text": "epoch"}},
        "yaxis": axis | {"title": {"text": "loss before the step"}},
    }
    return PlotlyPreview({"data": [line], "layout": layout})


def preview_tensors(tensors: dict[str, Tensor], heat_maps: bool = False) -> HTMLPreview:
    """Describe tensors in a table, and optionally draw them.

    Args:
        tensors: Tensors by name.
        heat_maps: Whether to draw heat maps, which show each value.

    Returns:
        With `heat_maps`, a heat map for each tensor with several values and one or two dimensions; then a
        table with a row for each tensor: name, shape, dtype, minimum, mean and maximum. An empty
        tensor has only the first three.
    """
    described = [_describe(name, tensor) for name, tensor in tensors.items()]
    table = pd.DataFrame(described).to_html(index=False, border=0, na_rep="")
    maps = [_draw(name, tensor) for name, tensor in tensors.items() if heat_maps and _is_drawn(tensor)]
    return preview_html("".join(maps) + table)


def _describe(name: str, tensor: Tensor) -> dict[str, str]:
    row = {
        "name": name,
        "shape": " × ".join(map(str, tensor.shape)) or "one number",
        "dtype": str(tensor.dtype).removeprefix("torch."),
    }
    if tensor.numel():
        values = tensor.double()
        numbers = {"minimum": values.min(), "mean": values.mean(), "maximum": values.max()}
        row |= {key: f"{number.item():.4g}" for key, number in numbers.items()}
    return row


def _is_drawn(tensor: Tensor) -> bool:
    return tensor.numel() > 1 and tensor.dim() in (1, 2)


def _draw(name: str, tensor: Tensor) -> str:
    """Draw a tensor as a heat map: blue below zero, orange above, and stronger for larger magnitudes.

    Args:
        name: The tensor's name.
        tensor: [columns] or [rows, columns]; only the first `MAX_CELLS` of each are drawn.
    """
    values = tensor.double().reshape(-1, tensor.shape[-1])
    drawn = values[:MAX_CELLS, :MAX_CELLS]
    rows, columns = drawn.shape
    largest = drawn.abs().nan_to_num(0, 0, 0).max().item() or 1.0
    cells = "".join(
        f'<rect x="{column * CELL}" y="{row * CELL}" width="{CELL}" height="{CELL}" '
        f'fill="{BELOW if value < 0 else ABOVE}" fill-opacity="{min(abs(value) / largest, 1):.2f}">'
        f"<title>{value:.4g}</title></rect>"
        for row, line in enumerate(drawn.tolist())
        for column, value in enumerate(line)
        if value == value  # not NaN
    )
    part = "" if drawn.shape == values.shape else f", its first {rows} × {columns}"
    size = f'width="{columns * CELL}" height="{rows * CELL}"'
    svg = f'<svg {size} style="outline: 1px solid {GREY}">{cells}</svg>'
    style = "display: inline-block; margin: 1px 16px 12px 1px; vertical-align: top"
    return f'<div style="{style}"><div>{escape(name)}{part}</div>{svg}</div>'
