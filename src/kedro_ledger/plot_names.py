"""Names in plots: escaped, so that they appear as in the data, and cut to the space that they have."""

from __future__ import annotations

from html import escape
from typing import Any

MAX_LENGTHS = {"ticktext": 28, "text": 28, "name": 40}
"""Maximum number of characters of a label, by plotly's property: at an axis, above a plot, in the legend."""
HOVER_PROPERTIES = ("customdata", "meta")
LINE_LENGTH, MAX_LINES = 80, 10
"""Number of characters in a line on hover, and maximum number of lines."""
MARKUP_PROPERTIES = ("hovertemplate", "title")
"""Properties that may contain markup, but no names: hover templates refer to `%{meta}` or `%{customdata}`."""


def escape_names(plot: dict[str, Any]) -> dict[str, Any]:
    """Escape the names in a plot, which plotly would interpret as markup such as links or line breaks.

    Returns:
        The plot with all texts escaped except titles and hover templates. Long labels are cut in the middle,
        since either end may distinguish them; texts on hover are broken into lines.
    """
    return {key: value if key in MARKUP_PROPERTIES else _convert(value, key) for key, value in plot.items()}


def _convert(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return escape_names(value)
    if isinstance(value, list):
        return [_convert(part, key) for part in value]
    if not isinstance(value, str):
        return value
    if key in HOVER_PROPERTIES:
        lines = [value[start : start + LINE_LENGTH] for start in range(0, len(value), LINE_LENGTH)]
        return "<br>".join(map(_escape, [*lines[:MAX_LINES], *["…"] * (len(lines) > MAX_LINES)]))
    return _escape(_cut(value, MAX_LENGTHS.get(key, len(value))))


def _escape(text: str) -> str:
    return escape(text, quote=False)


def _cut(text: str, length: int) -> str:
    end = length // 3
    return text if len(text) <= length else f"{text[: length - end - 1]}…{text[-end:]}"
