from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import Tensor

from from_scratch.models import MODELS, Model
from from_scratch.pipelines.data_processing import nodes as processing
from from_scratch.pipelines.data_processing.splitting import find_positives, shuffle
from from_scratch.pipelines.stability import nodes
from from_scratch.pipelines.stability.nodes import StudySplit
from from_scratch.pipelines.training import nodes as training
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, Stability, Variant
from kedro_ledger.errors import InputError
from tests.from_scratch.pipelines.data_processing.conftest import SOURCE
from tests.from_scratch.schema.test_parameters import COMMITTED
from tests.support.project import RAW

FEATURES = Features.model_validate(COMMITTED["features"])
ON_TRAIN = FEATURES.model_copy(update={"fit_on": "train"})
SPLIT = Split(seed=42, validation_fraction=0.2)
NET = Variant(model="neural_net", seed=1, learning_rate=20, epochs=10, hidden=[20])
LINEAR = Variant(model="linear", seed=1, learning_rate=0.2, epochs=5)


@pytest.fixture(scope="module")
def passengers() -> pd.DataFrame:
    rows, _ = processing.ingest(pd.read_csv(RAW / "train.csv"), FEATURES, SPLIT)
    return rows


@pytest.fixture(scope="module")
def split(passengers: pd.DataFrame) -> StudySplit:
    return nodes.prepare_splits(passengers, FEATURES, SPLIT, Stability(splits=2))[1]


def prepare(
    passengers: pd.DataFrame, features: Features, split: Split
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Prepare the rows as the pipeline `data_processing` does."""
    imputed = processing.impute(passengers, processing.compute_fill_values(passengers, features, split))
    categories = processing.learn_categories(imputed, features, split)
    encoded = processing.one_hot_encode(imputed, features, categories)
    scales = processing.compute_scales(encoded, imputed, features, split)
    return processing.split(processing.make_model_input(encoded, scales, imputed, features), split)


@pytest.mark.parametrize("features", [FEATURES, ON_TRAIN], ids=["all", "train"])
def test_each_split_equals_that_of_data_processing_with_its_seed(
    passengers: pd.DataFrame, features: Features
) -> None:
    splits = nodes.prepare_splits(passengers, features, SPLIT, Stability(splits=3))
    assert [split.seed for split in splits] == [42, 43, 44]
    for split in splits:
        train, valid = prepare(passengers, features, Split(seed=split.seed, validation_fraction=0.2))
        assert all(split.train[name].equal(train[name]) for name in train)
        assert all(split.valid[name].equal(valid[name]) for name in valid)
    assert not splits[0].train["independent"].equal(splits[1].train["independent"])


def test_validation_rows_do_not_influence_how_rows_are_prepared(passengers: pd.DataFrame) -> None:
    """The training rows are the same whatever values the validation rows have."""
    second = Split(seed=43, validation_fraction=0.2)
    _, validating = shuffle(find_positives(passengers, FEATURES), second)
    altered = passengers.copy()
    altered.loc[validating.numpy(), ["Fare", "Age"]] *= 1000
    study = Stability(splits=2)
    before, after = (nodes.prepare_splits(rows, ON_TRAIN, SPLIT, study)[1] for rows in (passengers, altered))
    assert before.train["independent"].equal(after.train["independent"])
    assert not before.valid["independent"].equal(after.valid["independent"])


def test_each_split_counts_the_rows_that_it_trains_on(passengers: pd.DataFrame) -> None:
    block = COMMITTED["features"] | {
        "fit_on": "train",
        "continuous": ["Age", "Mates"],
        "derived": [{"column": "Mates", "count": {"of": "Ticket"}}],
    }
    features = Features.model_validate(block)
    rows, _ = processing.ingest(pd.read_csv(RAW / "train.csv"), features, SPLIT)
    second = Split(seed=43, validation_fraction=0.2)
    train, _ = shuffle(find_positives(rows, features), second)
    tickets = rows["Ticket"]
    mates = tickets.map(tickets[train.numpy()].value_counts()).fillna(0)
    mates += ~rows.index.isin(train.numpy())
    assert mates.ne(rows["Mates"]).any(), "the first split counts others"
    expected = prepare(rows.assign(Mates=mates), features, second)
    split = nodes.prepare_splits(rows, features, SPLIT, Stability(splits=2))[1]
    assert split.train["independent"].equal(expected[0]["independent"])
    assert split.valid["independent"].equal(expected[1]["independent"])


def test_the_largest_seed_is_followed_by_0(passengers: pd.DataFrame) -> None:
    greatest = SPLIT.model_copy(update={"seed": 2**63 - 1})
    splits = nodes.prepare_splits(passengers, ON_TRAIN, greatest, Stability(splits=2))
    assert [split.seed for split in splits] == [2**63 - 1, 0]


def test_a_split_without_a_value_to_learn_from_is_reported(passengers: pd.DataFrame) -> None:
    """All known values of a column may be validation rows of the second split, but not of the first."""
    are_positive = find_positives(passengers, FEATURES)
    _, first = shuffle(are_positive, SPLIT)
    _, second = shuffle(are_positive, Split(seed=43, validation_fraction=0.2))
    known = [row for row in second.tolist() if row not in first.tolist()]
    rows = passengers.assign(Age=passengers["Age"].fillna(30).where(passengers.index.isin(known)))
    with pytest.raises(InputError, match=r"split with seed 43: .*Age"):
        nodes.prepare_splits(rows, ON_TRAIN, SPLIT, Stability(splits=2))


@pytest.mark.parametrize("variant", [NET, LINEAR], ids=["net", "linear"])
def test_many_score_as_each_would_alone(
    split: StudySplit, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "from_scratch.pipelines.stability.many.MAX_ACTIVATIONS", 3 * 20 * len(split.train["dependent"])
    )
    table = nodes.train_seeds(split, variant, Stability(seeds=8), 1)
    assert table["seed"].tolist() == list(range(8))
    for row in table.to_dict("records"):
        alone = variant.model_copy(update={"seed": row["seed"]})
        initial = training.initialise(split.train, alone)
        coefficients, losses, _ = training.fit(initial, split.train, alone, 1, "float64")
        predictions = training.predict(coefficients, split.train, split.valid, alone, 1, "float64")
        metrics = training.score(predictions, losses, split.train, split.valid, SOURCE, alone, 1)
        same = ["model", "valid_accuracy", "train_accuracy", "majority_accuracy", "train_rows", "valid_rows"]
        assert {name: row[name] for name in same} == {name: metrics[name] for name in same}
        assert row["last_loss"] == pytest.approx(metrics["last_loss"], abs=1e-5)
        assert row["split"] == 43


def test_models_that_are_not_finite_are_counted(split: StudySplit) -> None:
    wild = LINEAR.model_copy(update={"learning_rate": 1e200})
    with pytest.raises(
        InputError,
        match=r"learning_rate 1e\+200 overflows for 8 of 8 seeds, first for seed 0; .* smaller learning_rate",
    ):
        nodes.train_seeds(split, wild, Stability(seeds=8), 1)


def test_a_model_that_forward_does_not_know_is_studied_too(
    split: StudySplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
        return torch.tanh((independent * coefficients["weights"][..., None, :]).sum(dim=-1))

    monkeypatch.setitem(MODELS, "linear", Model(MODELS["linear"].initialise, predict))
    table = nodes.train_seeds(split, LINEAR, Stability(seeds=4), 1)
    assert len({*table["last_loss"]}) == 4


def test_runs_are_named_by_their_variant(split: StudySplit) -> None:
    table = nodes.train_seeds(split, LINEAR, Stability(seeds=2), 1)
    runs = nodes.collect_runs(**{"a.1": table, "a.2": table, "b_1.1": table})
    assert runs["variant"].tolist() == ["a"] * 4 + ["b_1"] * 2
    assert list(runs.columns) == ["variant", *table.columns]
