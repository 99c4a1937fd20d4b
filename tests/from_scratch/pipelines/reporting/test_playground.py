from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from from_scratch.models import MODELS, Coefficients, deep
from from_scratch.pipelines.reporting import playground as playground_module
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.reporting.playground import choose_epochs, make_playground
from from_scratch.pipelines.training import nodes
from from_scratch.schema.parameters import Variant

VARIANTS: dict[str, dict[str, Any]] = {
    "linear": {},
    "sigmoid": {"constants": "unit"},
    "matmul": {},
    "neural_net": {"hidden": [3]},
    "deep": {"hidden": [3, 2], "constants": "unit", "initialisation": "he"},
    "deep of the article": {"model": "deep", "hidden": [3, 2]},
}


def learn(data: PreparedData, name: str) -> Results:
    """Train a variant."""
    variant = Variant.model_validate(
        {"model": name, "seed": 1, "learning_rate": 0.5, "epochs": 3} | VARIANTS[name]
    )
    initial = nodes.initialise(data.train, variant)
    coefficients, losses, by_epoch = nodes.fit(initial, data.train, variant, 1, "float32")
    predictions = nodes.predict(coefficients, data.train, data.valid, variant, 1, "float32")
    metrics = nodes.score(predictions, losses, data.train, data.valid, data.source, variant, 1)
    return Results(variant, initial, coefficients, by_epoch, losses, predictions, metrics)


def decode(text: str, *shape: int) -> Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), dtype="<f4").copy()).reshape(shape)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_model_as_layers_predicts_what_it_did_in_each_epoch(data: PreparedData, name: str) -> None:
    result = learn(data, name)
    playground = make_playground(data, {name: result})
    (model,) = playground["models"]
    assert playground["epochs"] == model["epochs"] == [0, 1, 2, 3]
    assert playground["missing"] == []
    x = data.valid["independent"]
    for epoch in model["epochs"]:
        units = x
        for depth, layer in enumerate(model["layers"]):
            inputs, outputs = layer["inputs"], layer["outputs"]
            weights = decode(layer["weights"], 4, inputs, outputs)[epoch]
            constants = decode(layer["constants"], 4, outputs)[epoch]
            units = (torch.relu(units) if depth else units) @ weights + constants
        score = torch.sigmoid(units[:, 0]) if model["endsInSigmoid"] else units[:, 0]
        kept = {
            part: history[epoch - 1] if epoch else result.initial_coefficients[part]
            for part, history in result.coefficients_by_epoch.items()
        }
        torch.testing.assert_close(score, MODELS[result.variant.model].predict(kept, x), atol=1e-6, rtol=0)


def test_a_model_that_the_page_does_not_know_is_named(
    data: PreparedData, results: dict[str, Results]
) -> None:
    line = learn(data, "linear")
    forgotten = replace(line, coefficients_by_epoch={})
    playground = make_playground(data, {"line": line, "forgotten": forgotten, "other": results["net"]})
    assert [model["name"] for model in playground["models"]] == ["line"]
    assert playground["missing"] == ["forgotten", "other"], "the other's predictions are made up"
    playground = make_playground(data, {"forgotten": forgotten})
    assert (playground["models"], playground["epochs"]) == ([], [0, 1, 2, 3]), "its lines are still drawn"


def test_a_model_with_another_activation_is_not_known_even_where_all_scores_are_0(
    data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(coefficients: Coefficients, x: Tensor) -> Tensor:
        return deep(coefficients, x, hidden=torch.tanh)

    monkeypatch.setitem(MODELS, "deep", MODELS["deep"]._replace(predict=predict))
    result = learn(data, "deep of the article")
    zeros = {name: torch.zeros_like(tensor) for name, tensor in result.coefficients.items()}
    history = result.coefficients_by_epoch
    faded = replace(
        result,
        coefficients=zeros,
        coefficients_by_epoch={
            name: torch.cat([kept[:2], zeros[name][None]]) for name, kept in history.items()
        },
        predictions=result.predictions | {"valid": torch.full((4,), 0.5)},
    )
    assert make_playground(data, {"tanh": faded})["missing"] == ["tanh"]


def test_the_page_contains_at_most_max_coefficients(
    data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = {"a": learn(data, "linear"), "b": learn(data, "deep"), "c": learn(data, "linear")}
    monkeypatch.setattr(playground_module, "MAX_COEFFICIENTS", 4 * (5 + 1) * 2)
    playground = make_playground(data, variants)
    assert [model["name"] for model in playground["models"]] == ["a"]
    assert playground["missing"] == ["b", "c"]


def test_long_trainings_are_shown_in_few_epochs() -> None:
    assert choose_epochs(0) == [0]
    assert choose_epochs(30) == list(range(31))
    many = choose_epochs(1_000_000)
    assert many[:41] == list(range(41))
    assert many[-1] == 1_000_000
    assert len(many) < 350
    assert choose_epochs(300)[:-1] == many[: len(choose_epochs(300)) - 1], "the same for all variants"


def test_fields_describe_how_a_column_becomes_features(data: PreparedData) -> None:
    playground = make_playground(data, {"linear": learn(data, "linear")})
    age, sex, pclass = playground["fields"]
    assert (age["column"], age["log"], age["shift"], age["scale"]) == ("Age", False, 0, 80)
    assert age["fill"] is None, "0.5 is the age of one row"
    assert age["low"] < age["typical"] < age["high"]
    assert (sex["categories"], sex["fill"]) == (["male", "female"], -1)
    assert pclass["label"] == "Pclass"
    assert playground["answers"] == ("Survived = 0", "Survived = 1")
    public = replace(data, source=data.source | {"source": "original"})
    playground = make_playground(public, {"linear": learn(data, "linear")})
    assert playground["answers"] == ("died", "survived")
    assert playground["fields"][0]["fill"] == 0.5
    assert playground["fields"][2]["categories"] == ["1st class", "2nd class"]


@pytest.mark.parametrize(("rows", "may_be_seen"), [(4, False), (5, True)])
def test_a_fill_value_is_shown_unless_it_is_the_value_of_few_rows(
    data: PreparedData, rows: int, may_be_seen: bool
) -> None:
    ages = data.features.assign(Age=[0.5] * rows + [0.1 * row for row in range(8 - rows)])
    (age, *_) = make_playground(replace(data, features=ages), {"linear": learn(data, "linear")})["fields"]
    assert age["fill"] == (0.5 if may_be_seen else None)
    constant = data.columns.continuous[0].model_copy(update={"constant": 0.5})
    columns = data.columns.model_copy(update={"continuous": [constant]})
    known = replace(data, features=ages, columns=columns)
    assert make_playground(known, {"linear": learn(data, "linear")})["fields"][0]["fill"] == 0.5


def test_ranges_of_numbers_reveal_no_row(data: PreparedData) -> None:
    ages = data.features.assign(Age=[17.1234, 18.2345, 20.3456, 21.4567, 30.5678, 40.6789, 51.7891, 60.8912])
    (age, *_) = make_playground(replace(data, features=ages), {"linear": learn(data, "linear")})["fields"]
    assert (age["low"], age["typical"], age["high"]) == (17, 26, 60)


def test_if_all_groups_are_small_the_most_frequent_categories_are_chosen(
    data: PreparedData, results: dict[str, Results]
) -> None:
    assert make_playground(data, results)["choices"] == [(1, 0), (2, 0)]


def test_the_surface_begins_with_the_rows_that_variants_differ_about(
    data: PreparedData, results: dict[str, Results]
) -> None:
    train, valid = (
        {name: torch.cat([rows] * 4) for name, rows in part.items()} for part in (data.train, data.valid)
    )
    many = {
        name: replace(
            result, predictions={part: torch.cat([scores] * 4) for part, scores in result.predictions.items()}
        )
        for name, result in results.items()
    }
    playground = make_playground(replace(data, train=train, valid=valid), many)
    assert playground["choices"] == [(1, 0), (2, 1)], "line says no to men of the second class, net yes"
