"""The order and the styles of lines in plots, which follow the order of names in the parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Palette of Masataka Okabe and Kei Ito, which colour-blind people can distinguish, on white and on black."""
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def assign_styles(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return a `color`, a `symbol` and a `dash` for each name.

    After six names, colours repeat with other symbols.
    """
    return {
        name: {
            "color": COLOURS[i % len(COLOURS)],
            "symbol": SYMBOLS[(i + i // len(COLOURS)) % len(SYMBOLS)],
            "dash": DASHES[(i + i // len(COLOURS)) % len(DASHES)],
        }
        for i, name in enumerate(names)
    }


def order_names(names: Iterable[str], parameters: Mapping[str, Any]) -> list[str]:
    """Order names as the parameters do.

    Args:
        names: Names, such as those of namespaces.
        parameters: The parameters of a run.

    Returns:
        The keys of the block that contains the most names as keys, except keys with the value None; then the
        other names in the given order.
    """
    names = list(dict.fromkeys(names))
    block = max(_blocks(parameters), key=lambda block: len(block.keys() & names))
    keys = [key for key, value in block.items() if value is not None] if block.keys() & names else []
    return [*keys, *(name for name in names if name not in keys)]


def short_name(dataset: str) -> str:
    """Return a dataset's name without its last part: `deep` for `deep.metrics`."""
    return dataset.rpartition(".")[0] or dataset


def sort_datasets(datasets: Iterable[str], parameters: Mapping[str, Any]) -> list[str]:
    """Sort datasets by their short names, in the order of `order_names`."""
    names = sorted(datasets)
    order = order_names(map(short_name, names), parameters)
    return sorted(names, key=lambda name: order.index(short_name(name)))


def _blocks(parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a block and all blocks in it."""
    yield parameters
    for value in parameters.values():
        if isinstance(value, Mapping):
            yield from _blocks(value)
