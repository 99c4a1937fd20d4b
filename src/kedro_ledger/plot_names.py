"""Names in plots: shown as they stand in the data, and no longer than there is room for."""

from __future__ import annotations

from html import escape
from typing import Any

LABELS = {"ticktext": 28, "text": 28, "name": 40}
"""How many characters of a label are shown, by the property that holds it: at an axis, over a plot, in the
legend."""
ON_HOVER = ("customdata", "meta")
LINE, LINES = 80, 10
"""How many characters are in a line on hover, and how many lines."""
TEMPLATES = ("hovertemplate", "title")
"""What may hold markup, and so no name: hover templates refer to one by `%{meta}` or `%{customdata}`."""


def show_names(plot: dict[str, Any]) -> dict[str, Any]:
    """Let a plot show names as they are, which plotly would take for markup: a link, bold text, a line break.

    Returns:
        The same with all texts escaped but for titles and hover templates. Labels are cut in the middle, as
        both ends may tell them apart; what is shown on hover is broken into lines.
    """
    return {key: value if key in TEMPLATES else _show(value, key) for key, value in plot.items()}


def _show(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return show_names(value)
    if isinstance(value, list):
        return [_show(part, key) for part in value]
    if not isinstance(value, str):
        return value
    if key in ON_HOVER:
        lines = [value[start : start + LINE] for start in range(0, len(value), LINE)]
        return "<br>".join(map(_escape, [*lines[:LINES], *["…"] * (len(lines) > LINES)]))
    return _escape(_cut(value, LABELS.get(key, len(value))))


def _escape(text: str) -> str:
    return escape(text, quote=False)


def _cut(text: str, length: int) -> str:
    end = length // 3
    return text if len(text) <= length else f"{text[: length - end - 1]}…{text[-end:]}"
