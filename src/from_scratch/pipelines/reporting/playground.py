"""The data from which the page computes predictions: models at each epoch, and the encoding of columns."""

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
from from_scratch.pipelines.reporting.nodes import GROUPING_COLUMNS, MIN_GROUP_ROWS
from from_scratch.pipelines.reporting.words import name_answers, name_column, name_value
from from_scratch.pipelines.training.variants import list_layers
from from_scratch.schema.features import Column, NumberColumn
from from_scratch.scoring import THRESHOLD

DENSE_EPOCHS = 40
"""Number of epochs that are all shown; later, the steps grow by 5 %, so that long trainings play quickly."""
SAMPLE_ROWS = 1000
"""Number of validation rows on which the page's computation is compared with the model's predictions."""
TOLERANCE = 1e-4
MAX_COEFFICIENTS = 1_000_000
"""Maximum number of coefficients on a page, over all epochs and models: about five megabytes."""
ORIGINAL_AXES = ("Age", "Fare")
"""Axes of the surfaces for the article's passengers."""


@dataclass(frozen=True)
class Net:
    """A variant as layers: matrix products, with a relu between two layers."""

    epochs: list[int]
    """Epochs whose coefficients are kept; 0 is before the first step."""
    layers: list[tuple[Tensor, Tensor]]
    """The weights [epochs, inputs, outputs] and constants [epochs, outputs] of each layer."""
    ends_in_sigmoid: bool

    def predict(self, x: Tensor, index: int = -1) -> Tensor:
        """Predict rows x [rows, features] with the coefficients at an index of `epochs`."""
        for depth, (weights, constants) in enumerate(self.layers):
            x = (torch.relu(x) if depth else x) @ weights[index] + constants[index]
        return torch.sigmoid(x[:, 0]) if self.ends_in_sigmoid else x[:, 0]


def make_playground(data: PreparedData, results: dict[str, Results]) -> dict[str, Any]:
    """Describe the models, and the columns that they see, for the page's script.

    Returns:
        `epochs`, the epochs that can be shown; `models`, those whose predictions the page can compute;
        `missing`, the names of the others; `fields`, the columns; `choices`, the indices of the fields whose
        category the reader chooses, each with the initial choice; `axes`, the indices of at most two numeric
        fields that predictions are drawn over; and `answers`, readable names of the target's two values.
    """
    nets = {variant: _find_net(data, result) for variant, result in results.items()}
    names = [column.column for column in data.columns.columns]
    choices = [column.column for column in data.columns.categorical[:GROUPING_COLUMNS]]
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
    """Choose the epochs to show: all early ones from 0 on, then fewer and fewer."""
    epochs = [0]
    while epochs[-1] < last:
        epochs.append(min(last, epochs[-1] + max(1, (epochs[-1] - DENSE_EPOCHS) // 20 + 1)))
    return epochs


def _find_net(data: PreparedData, result: Results) -> Net | None:
    """Return the layers of a variant; None if they were not kept, or do not reproduce its predictions."""
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
    rows = data.valid["independent"][:SAMPLE_ROWS]
    predict = MODELS[result.variant.model].predict
    # Several epochs: if all scores are 0 in the last one, they do not show which activation the model has.
    expected = {
        index: predict({name: kept[index] for name, kept in history.items()}, rows)
        for index in (0, len(epochs) // 2)
    }
    expected[-1] = result.predictions["valid"][:SAMPLE_ROWS]
    for ends_in_sigmoid in (True, False):
        net = Net(epochs, layers, ends_in_sigmoid)
        if all(
            torch.allclose(net.predict(rows, index), scores, atol=TOLERANCE)
            for index, scores in expected.items()
        ):
            return net
    return None


def _take_first(nets: dict[str, Net]) -> dict[str, Net]:
    """Return the first nets that together have at most `MAX_COEFFICIENTS`."""
    taken, total = {}, 0
    for variant, net in nets.items():
        total += sum(weights.numel() + constants.numel() for weights, constants in net.layers)
        if total <= MAX_COEFFICIENTS:
            taken[variant] = net
    return taken


def _encode(tensor: Tensor) -> str:
    """Encode a tensor as base64 of its float32 values, little-endian, in row-major order."""
    return b64encode(tensor.contiguous().numpy().astype("<f4").tobytes()).decode()


def _describe_field(data: PreparedData, column: Column) -> dict[str, Any]:
    """Describe a column: its encoding, its fill value, and the range of most of its values."""
    name = column.column
    fill = None if column.required or name not in data.fill_values else data.fill_values[name].iloc[0]
    field = {"column": name, "label": name_column(data, name)}
    if not isinstance(column, NumberColumn):
        categories = data.categories[name]
        counts = data.features[[f"{name}_{category}" for category in categories]].sum()
        code = -1 if fill is None else find_codes(pd.Series([fill]), categories)[0]
        return field | {
            "categories": [name_value(data, name, category) for category in categories],
            "fill": int(code),
            "typical": int(counts.to_numpy().argmax()),
        }
    is_log = column in data.columns.log
    feature = f"Log{name}" if is_log else name
    values = data.features[feature].astype("float64")
    quantiles = values.quantile([0.01, 0.5, 0.99]).tolist()
    # Two digits of the range are enough to draw, and reveal no single row's value.
    digits = 2 - ceil(log10(quantiles[-1] - quantiles[0] or 1))
    low, typical, high = (round(quantile, digits) for quantile in quantiles)
    if fill is not None and not _may_be_shown(data, column, float(fill)):
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


def _may_be_shown(data: PreparedData, column: NumberColumn, fill: float) -> bool:
    """Return whether a fill value may be shown: not if it is the value of only a few private rows."""
    if data.is_original or column.constant is not None or column.fill == "mean":
        return True
    is_log = column in data.columns.log
    values = data.features[f"Log{column.column}" if is_log else column.column].to_numpy("float64")
    return int(np.isclose(values, np.log1p(fill) if is_log else fill).sum()) >= MIN_GROUP_ROWS


def _choose_group(data: PreparedData, results: dict[str, Results], columns: list[str]) -> list[int]:
    """Choose the initial category of each column: the group of rows on which the variants differ most."""
    seen = torch.cat([data.train["independent"], data.valid["independent"]])
    names = data.features.columns.tolist()
    dummies = [[names.index(f"{name}_{category}") for category in data.categories[name]] for name in columns]
    codes = torch.stack(
        [seen[:, indices].argmax(dim=1) for indices in dummies] or [torch.zeros(len(seen))], dim=1
    )
    groups, group_of, rows = codes.unique(dim=0, return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
    scores = torch.stack(
        [torch.cat([result.predictions["train"], result.predictions["valid"]]) for result in results.values()]
    )
    shares = torch.zeros(len(scores), len(groups)).index_add(1, group_of, (scores > THRESHOLD).float()) / rows
    if not (are_many := rows >= MIN_GROUP_ROWS).any():
        return [int(seen[:, indices].sum(dim=0).argmax()) for indices in dummies]
    spread = torch.where(are_many, shares.amax(dim=0) - shares.amin(dim=0), -1)
    return [int(code) for code in groups[spread.argmax()]][: len(columns)]


def _choose_axes(data: PreparedData, nets: list[Net]) -> list[str]:
    """Choose the two numeric columns that change predictions most; age and fare for the article's data."""
    numbers = data.columns.number_columns
    if data.is_original and set(ORIGINAL_AXES) <= set(numbers):
        return list(ORIGINAL_AXES)
    seen = data.train["independent"][:SAMPLE_ROWS]
    typical = seen.median(dim=0).values
    moved: dict[str, float] = {}
    for index, name in enumerate(numbers):
        rows = typical.repeat(2, 1)
        rows[:, index] = torch.stack([seen[:, index].min(), seen[:, index].max()])
        moved[name] = sum(float(net.predict(rows).diff().abs()) for net in nets)
    return sorted(numbers, key=lambda name: -moved[name])[:2]
