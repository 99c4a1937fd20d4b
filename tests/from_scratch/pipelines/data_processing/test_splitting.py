"""The split into training and validation rows, with and without `split.stratify`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedShuffleSplit

from from_scratch.pipelines.data_processing import nodes
from from_scratch.pipelines.data_processing.derivation import learn_counts
from from_scratch.pipelines.data_processing.splitting import find_fitting, find_positives, shuffle
from from_scratch.pipelines.stability.nodes import prepare_splits
from from_scratch.schema.parameters import Split, Stability
from kedro_ledger.errors import InputError
from tests.from_scratch.pipelines.data_processing.conftest import FEATURES, changed, good

PLAIN = Split(seed=42, validation_fraction=0.2)
STRATIFIED = Split(seed=42, validation_fraction=0.2, stratify=True)


def targets(positives: int, rows: int) -> np.ndarray:
    """Return a number of positive rows among others, shuffled."""
    return np.random.default_rng(0).permutation(np.arange(rows) < positives)


def test_without_stratify_the_first_shuffled_rows_validate() -> None:
    train, valid = shuffle(targets(70, 891), PLAIN)
    shuffled = torch.randperm(891, generator=torch.Generator().manual_seed(42))
    assert valid.equal(shuffled[:178])
    assert train.equal(shuffled[178:])


@pytest.mark.parametrize(("positives", "rows", "validating"), [(80, 1000, 16), (342, 891, 68), (3, 50, 1)])
def test_each_class_gives_its_share(positives: int, rows: int, validating: int) -> None:
    are_positive = targets(positives, rows)
    train, valid = (part.numpy() for part in shuffle(are_positive, STRATIFIED))
    assert are_positive[valid].sum() == validating
    assert are_positive[train].sum() == positives - validating
    assert len(valid) == int(0.2 * rows), "as many as without"
    assert sorted([*train, *valid]) == list(range(rows))
    (_, theirs), *_ = StratifiedShuffleSplit(1, test_size=len(valid)).split(are_positive, are_positive)
    assert abs(are_positive[theirs].sum() - validating) <= 1, "scikit-learn rounds differently"


@given(rows=st.integers(4, 60), data=st.data())
def test_both_parts_have_both_classes_or_an_error_is_raised(rows: int, data: st.DataObject) -> None:
    positives = data.draw(st.integers(0, rows))
    fraction = data.draw(st.floats(0.01, 0.99))
    are_positive = targets(positives, rows)
    split = Split(seed=1, validation_fraction=fraction, stratify=True)
    try:
        parts = shuffle(are_positive, split)
    except InputError:
        fewest = min(positives, rows - positives, int(fraction * rows), rows - int(fraction * rows))
        assert fewest < 2
    else:
        counts = [(are_positive[part.numpy()].sum(), len(part)) for part in parts]
        assert all(0 < yes < count for yes, count in counts)
        assert counts[1][1] == int(fraction * rows)
        assert abs(counts[1][0] - counts[1][1] * positives / rows) <= 1


def test_another_seed_gives_another_split() -> None:
    are_positive = targets(80, 1000)
    splits = [shuffle(are_positive, STRATIFIED.model_copy(update={"seed": seed})) for seed in (42, 42, 43)]
    assert splits[0][1].equal(splits[1][1])
    assert set(splits[0][1].tolist()) != set(splits[2][1].tolist())
    mixed = are_positive[splits[0][1].numpy()]
    assert not mixed[: mixed.sum()].all(), "the classes are mixed"


@pytest.mark.parametrize(
    ("survived", "fault"),
    [
        ([0] * 9 + [1], "the number of positive rows is 1 of 10"),
        ([1] * 9 + [0], "the number of negative rows is 1 of 10"),
        ([0, 1] * 4, "the number of validation rows is 1 of 8"),
    ],
)
def test_rows_that_cannot_be_stratified_are_reported(survived: Sequence[int], fault: str) -> None:
    frame = pd.concat([good()] * 5, ignore_index=True)[: len(survived)].assign(Survived=survived)
    with pytest.raises(InputError) as raised:
        nodes.ingest(frame, FEATURES, STRATIFIED)
    assert str(raised.value) == (
        f"the data: parameter split.stratify is true: {fault}; expected at least 2, so that training rows "
        "and validation rows have both classes. Add rows, or set split.stratify: false"
    )


@pytest.mark.parametrize("survived", [[1] * 10, [0] * 10, [0, 2] * 5, [0, 1, 2, 0, 1] * 2, None])
@pytest.mark.parametrize("fit_on", ["all", "train"])
def test_a_faulty_target_is_reported_once(survived: list[int] | None, fit_on: str) -> None:
    frame = pd.concat([good()] * 5, ignore_index=True).assign(Survived=survived)
    if survived is None:
        frame = frame.drop(columns="Survived")
    with pytest.raises(InputError) as raised:
        nodes.ingest(frame, changed(fit_on=fit_on), STRATIFIED)
    (fault,) = str(raised.value).splitlines()
    assert "Survived" in fault


def test_everything_is_learnt_from_the_training_rows_of_the_stratified_split() -> None:
    rng = np.random.default_rng(2)
    frame = pd.concat([good()] * 20, ignore_index=True).assign(
        Survived=targets(8, 40).astype(int), Age=rng.integers(1, 80, 40), Cabin=rng.choice(["a", "b"], 40)
    )
    derived = [{"column": "Mates", "count": {"of": "Cabin"}}]
    features = changed(
        fit_on="train",
        continuous=[{"column": "Age", "fill": "mean"}, "Mates"],
        derived=derived,
        ignore=[],
        normalisation="deviation",
    )
    data, _ = nodes.ingest(frame, features, STRATIFIED)
    counts = learn_counts(data, features, STRATIFIED)
    fill_values = nodes.compute_fill_values(data, features, STRATIFIED)
    imputed = nodes.impute(data, fill_values)
    categories = nodes.learn_categories(imputed, features, STRATIFIED)
    encoded = nodes.one_hot_encode(imputed, features, categories)
    scales = nodes.compute_scales(encoded, imputed, features, STRATIFIED)
    train, valid = nodes.split(nodes.make_model_input(encoded, scales, imputed, features), STRATIFIED)
    assert [int(part["dependent"].sum()) for part in (train, valid)] == [6, 2]

    training, _ = (part.numpy() for part in shuffle(find_positives(frame, features), STRATIFIED))
    assert set(np.flatnonzero(find_fitting(data, features, STRATIFIED))) == set(training)
    assert fill_values["Age"][0] == pytest.approx(frame["Age"][training].mean())
    assert scales["shift"][0] == pytest.approx(frame["Age"][training].mean())
    assert counts["Cabin"] == frame["Cabin"][training].value_counts().sort_index().to_dict()

    splits = prepare_splits(data, features, STRATIFIED, Stability(splits=3))
    assert splits[0].train["independent"].equal(train["independent"])
    assert [int(split.valid["dependent"].sum()) for split in splits] == [2, 2, 2]
