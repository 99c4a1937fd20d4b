"""What the page needs to compute predictions itself: the models at each epoch, and how rows reach them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from math import ceil, log10
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from from_scratch.models import MODELS
from from_scratch.pipelines.data_processing.categories import find_codes
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.reporting.nodes import GROUPING, SMALLEST_GROUP
from from_scratch.pipelines.reporting.words import name_answers, name_column, name_value
from from_scratch.pipelines.training.variants import list_layers
from from_scratch.schema.features import Column, NumberColumn
from from_scratch.scoring import THRESHOLD

EACH = 40
"""Up to this epoch the page shows each; later, a twentieth more each time: long trainings end as soon."""
SAMPLE = 1000
"""On how many validation rows what the page computes is held against what the model predicted."""
TOLERANCE = 1e-4
MAX_NUMBERS = 1_000_000
"""How many coefficients of all epochs and models a page has room for: about five megabytes."""
ON_THE_SURFACE = ("Age", "Fare")
"""The numbers that the article's surfaces are drawn over."""


@dataclass(frozen=True)
class Net:
    """A variant as layers: products of matrices, with a rectifier between each two."""

    epochs: list[int]
    """After which epochs; 0 is before the first."""
    layers: list[tuple[Tensor, Tensor]]
    """Of each layer, the weights [epochs, inputs, outputs] and the constants [epochs, outputs]."""
    ends_in_sigmoid: bool

    def predict(self, x: Tensor, place: int = -1) -> Tensor:
        """Predict rows x [rows, features] after one of the epochs."""
        for depth, (weights, constants) in enumerate(self.layers):
            x = (torch.relu(x) if depth else x) @ weights[place] + constants[place]
        return torch.sigmoid(x[:, 0]) if self.ends_in_sigmoid else x[:, 0]


def make_playground(data: PreparedData, results: dict[str, Results]) -> dict[str, Any]:
    """Describe the models, and the columns that they see, for the page's script.

    Returns:
        `epochs`, those that can be shown; `models`, those whose predictions the page can compute; `missing`,
        the names of the others; `fields`, the columns; `choices`, the places of the fields whose
        category the reader chooses, and which to begin with; `axes`, at most two fields of numbers to draw
        predictions over; and `answers`, the target's two values in words.
    """
    nets = {variant: _find_net(data, result) for variant, result in results.items()}
    names = [column.column for column in data.columns.columns]
    choices = [column.column for column in data.columns.categorical[:GROUPING]]
    known = _take_first({variant: net for variant, net in nets.items() if net})
    return {
        "epochs": choose_epochs(max(len(result.losses) for result in results.values())),
        "models": [
            {
                "name": variant,
                "epochs": net.epochs,
                "endsInSigmoid": net.ends_in_sigmoid,
                "layers": [
                    {
                        "inputs": weights.shape[1],
                        "outputs": weights.shape[2],
                        "weights": _encode(weights),
                        "constants": _encode(constants),
                    }
                    for weights, constants in net.layers
                ],
            }
            for variant, net in known.items()
        ],
        "missing": [variant for variant in results if variant not in known],
        "fields": [_describe_field(data, column) for column in data.columns.columns],
        "choices": list(zip(map(names.index, choices), _choose_group(data, results, choices), strict=True)),
        "axes": [names.index(name) for name in _choose_axes(data, list(known.values()))],
        "answers": name_answers(data),
    }


def choose_epochs(last: int) -> list[int]:
    """Choose the epochs to show, from 0 on: all of the first, and ever fewer of the later ones."""
    epochs = [0]
    while epochs[-1] < last:
        epochs.append(min(last, epochs[-1] + max(1, (epochs[-1] - EACH) // 20 + 1)))
    return epochs


def _find_net(data: PreparedData, result: Results) -> Net | None:
    """Find the layers of a variant; None if they don't predict what its model did, or were not kept."""
    names = list_layers(result.coefficients)
    named = {name for layer in names for name in layer if name}
    if not names or named != {*result.coefficients} or named != {*result.coefficients_by_epoch}:
        return None
    epochs = choose_epochs(len(result.losses))
    history = {
        name: torch.cat([result.initial_coefficients[name][None], by_epoch])[epochs]
        for name, by_epoch in result.coefficients_by_epoch.items()
    }
    layers = []
    for weights, constants in names:
        matrix = history[weights].reshape(len(epochs), len(history[weights][0]), -1)
        zeros = torch.zeros(len(epochs), matrix.shape[2])
        layers.append((matrix, zeros + history[constants].reshape(len(epochs), -1) if constants else zeros))
    rows = data.valid["independent"][:SAMPLE]
    predict = MODELS[result.variant.model].predict
    # Not the last epoch alone: where all scores are 0, any activation would do.
    expected = {
        place: predict({name: kept[place] for name, kept in history.items()}, rows)
        for place in (0, len(epochs) // 2)
    }
    expected[-1] = result.predictions["valid"][:SAMPLE]
    for ends_in_sigmoid in (True, False):
        net = Net(epochs, layers, ends_in_sigmoid)
        if all(torch.allclose(net.predict(rows, at), of, atol=TOLERANCE) for at, of in expected.items()):
            return net
    return None


def _take_first(nets: dict[str, Net]) -> dict[str, Net]:
    """Take those that a page has room for, from the first on."""
    taken, total = {}, 0
    for variant, net in nets.items():
        total += sum(weights.numel() + constants.numel() for weights, constants in net.layers)
        if total <= MAX_NUMBERS:
            taken[variant] = net
    return taken


def _encode(tensor: Tensor) -> str:
    """Write float32 numbers as base64 of their bytes, least significant first; the last dimension fastest."""
    return b64encode(tensor.contiguous().numpy().astype("<f4").tobytes()).decode()


def _describe_field(data: PreparedData, column: Column) -> dict[str, Any]:
    """Describe a column: how it becomes features, what fills it, and where most of its values lie."""
    name = column.column
    fill = None if column.required or name not in data.fill_values else data.fill_values[name].iloc[0]
    field = {"column": name, "label": name_column(data, name)}
    if not isinstance(column, NumberColumn):
        categories = data.categories[name]
        counts = data.features[[f"{name}_{category}" for category in categories]].sum()
        place = -1 if fill is None else find_codes(pd.Series([fill]), categories)[0]
        return field | {
            "categories": [name_value(data, name, category) for category in categories],
            "fill": int(place),
            "typical": int(counts.to_numpy().argmax()),
        }
    is_log = column in data.columns.log
    feature = f"Log{name}" if is_log else name
    values = data.features[feature].astype("float64")
    quantiles = values.quantile([0.01, 0.5, 0.99]).tolist()
    # Two digits of the range are enough to draw, and tell of no row.
    digits = 2 - ceil(log10(quantiles[-1] - quantiles[0] or 1))
    low, typical, high = (round(quantile, digits) for quantile in quantiles)
    if fill is not None and not _may_be_seen(data, column, float(fill)):
        fill = None
    scale = data.scales[data.scales["feature"] == feature].iloc[0]
    return field | {
        "fill": None if fill is None else float(fill),
        "log": is_log,
        "shift": float(scale["shift"]),
        "scale": float(scale["scale"]),
        "low": low,
        "high": high if high > low else low + 1,
        "typical": typical,
        "minimum": column.minimum,
        "maximum": column.maximum,
    }


def _may_be_seen(data: PreparedData, column: NumberColumn, fill: float) -> bool:
    """Whether what fills a column of numbers is no value of few rows, as the mode of unlike numbers is."""
    if data.is_original or column.constant is not None or column.fill == "mean":
        return True
    is_log = column in data.columns.log
    values = data.features[f"Log{column.column}" if is_log else column.column].to_numpy("float64")
    return int(np.isclose(values, np.log1p(fill) if is_log else fill).sum()) >= SMALLEST_GROUP


def _choose_group(data: PreparedData, results: dict[str, Results], columns: list[str]) -> list[int]:
    """Choose a category of each of some columns: that of the rows which the variants differ most about."""
    seen = torch.cat([data.train["independent"], data.valid["independent"]])
    names = data.features.columns.tolist()
    places = [[names.index(f"{name}_{category}") for category in data.categories[name]] for name in columns]
    codes = torch.stack([seen[:, place].argmax(dim=1) for place in places] or [torch.zeros(len(seen))], dim=1)
    groups, group_of, rows = codes.unique(dim=0, return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
    scores = torch.stack(
        [torch.cat([result.predictions["train"], result.predictions["valid"]]) for result in results.values()]
    )
    shares = torch.zeros(len(scores), len(groups)).index_add(1, group_of, (scores > THRESHOLD).float()) / rows
    if not (are_many := rows >= SMALLEST_GROUP).any():
        return [int(seen[:, place].sum(dim=0).argmax()) for place in places]
    spread = torch.where(are_many, shares.amax(dim=0) - shares.amin(dim=0), -1)
    return [int(code) for code in groups[spread.argmax()]][: len(columns)]


def _choose_axes(data: PreparedData, nets: list[Net]) -> list[str]:
    """Choose the two numbers that move predictions most, or the article's."""
    numbers = data.columns.number_columns
    if data.is_original and set(ON_THE_SURFACE) <= set(numbers):
        return list(ON_THE_SURFACE)
    seen = data.train["independent"][:SAMPLE]
    typical = seen.median(dim=0).values
    moved: dict[str, float] = {}
    for place, name in enumerate(numbers):
        rows = typical.repeat(2, 1)
        rows[:, place] = torch.stack([seen[:, place].min(), seen[:, place].max()])
        moved[name] = sum(float(net.predict(rows).diff().abs()) for net in nets)
    return sorted(numbers, key=lambda name: -moved[name])[:2]
