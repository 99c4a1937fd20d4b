"""In which order metrics come, and how their lines look: by their place in the parameters, in all plots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Masataka Okabe and Kei Ito's, which colour-blind people can tell apart, on white and on black."""
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def look_of(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Give each name its `color`, `symbol` and `dash`.

    Beyond six names colours come again, with other symbols.
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
        All keys of the block that has most of the names as its keys, but for keys that hold nothing; then the
        other names, as they come.
    """
    names = list(dict.fromkeys(names))
    block = max(_blocks(parameters), key=lambda block: len(block.keys() & names))
    keys = [key for key, value in block.items() if value is not None] if block.keys() & names else []
    return [*keys, *(name for name in names if name not in keys)]


def short_name(dataset: str) -> str:
    """Return what a dataset is of: `deep` for `deep.metrics`."""
    return dataset.rpartition(".")[0] or dataset


def sort_datasets(datasets: Iterable[str], parameters: Mapping[str, Any]) -> list[str]:
    """Sort datasets by what they are of, as `order_names` does."""
    names = sorted(datasets)
    order = order_names(map(short_name, names), parameters)
    return sorted(names, key=lambda name: order.index(short_name(name)))


def _blocks(parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a block, and all blocks in it."""
    yield parameters
    for value in parameters.values():
        if isinstance(value, Mapping):
            yield from _blocks(value)
