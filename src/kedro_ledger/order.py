"""In which order datasets are shown that hold metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def short_name(dataset: str) -> str:
    """Return what a dataset is of: `deep` for `deep.metrics`."""
    return dataset.rpartition(".")[0] or dataset


def sort_as_in(parameters: Mapping[str, Any], datasets: Iterable[str]) -> list[str]:
    """Sort datasets by the keys of parameters: `deep.metrics` stands where the key `deep` does.

    Those that are named after no key follow, by name.
    """
    keys = list(dict.fromkeys(_list_keys(parameters)))
    places = {key: place for place, key in enumerate(keys)}
    return sorted(datasets, key=lambda name: (places.get(short_name(name), len(keys)), name))


def _list_keys(parameters: Mapping[str, Any]) -> Iterator[str]:
    for key, value in parameters.items():
        yield key
        if isinstance(value, Mapping):
            yield from _list_keys(value)
