"""Properties of the steps, on passengers that hypothesis makes up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes

from from_scratch.errors import InputError
from from_scratch.node_types import Tensors
from from_scratch.parameters import Features, Split
from from_scratch.pipelines.data_processing import nodes

FEATURES = Features(
    target="Survived",
    continuous=["Age", "SibSp"],
    log=["Fare"],
    categorical={"Sex": ["male", "female"], "Pclass": [1, 2, 3]},
)
SPLIT = Split(seed=42, validation_fraction=0.5)
ENCODED = ["Age", "SibSp", "LogFare", "Sex_male", "Sex_female", "Pclass_1", "Pclass_2", "Pclass_3"]

numbers = st.floats(0, 1e6, allow_nan=False)
passengers = data_frames(
    [
        column("Survived", elements=st.integers(0, 1), dtype="int64"),
        column("Age", elements=numbers | st.just(np.nan), dtype="float64"),
        column("SibSp", elements=st.integers(0, 9), dtype="int64"),
        column("Fare", elements=numbers | st.just(np.nan), dtype="float64"),
        column("Sex", elements=st.sampled_from(["male", "female"]), dtype="object"),
        column("Pclass", elements=st.integers(1, 3), dtype="int64"),
        column("Cabin", elements=st.sampled_from(["C85", None]), dtype="object"),
    ],
    index=range_indexes(min_size=2, max_size=30),
).filter(lambda frame: bool(frame[["Age", "Fare"]].notna().any().all()))


def process(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, Tensors]:
    taken_in, _ = nodes.ingest(frame, FEATURES, SPLIT)
    imputed = nodes.impute_modes(taken_in, nodes.compute_modes(taken_in))
    features = nodes.one_hot_encode(imputed, FEATURES)
    return (
        imputed,
        features,
        nodes.normalise(features, nodes.compute_maxima(features), imputed, FEATURES.target),
    )


@given(passengers)
def test_nothing_is_missing_after_imputation_and_nothing_else_changes(frame: pd.DataFrame) -> None:
    imputed, features, _ = process(frame)
    assert not imputed.drop(columns="Cabin").isna().any().any()
    assert not features.isna().any().any()
    present = frame.notna()
    pd.testing.assert_frame_equal(imputed.where(present), frame.where(present), check_dtype=False)
    filled = imputed["Age"][frame["Age"].isna()]
    assert filled.isin(frame["Age"].mode()[:1]).all()


@given(passengers)
def test_features_stand_in_the_declared_order_and_dummies_sum_to_one(frame: pd.DataFrame) -> None:
    _, features, _ = process(frame)
    assert list(features.columns) == ENCODED
    for name in ("Sex", "Pclass"):
        dummies = features.filter(like=f"{name}_")
        assert dummies.isin([0, 1]).all().all()
        assert (dummies.sum(axis=1) == 1).all()
    assert np.allclose(np.exp(features["LogFare"]) - 1, process(frame)[0]["Fare"])


@given(passengers)
def test_normalised_features_are_finite_and_at_most_one(frame: pd.DataFrame) -> None:
    _, features, tensors = process(frame)
    independent = tensors["independent"]
    assert independent.dtype == tensors["dependent"].dtype == torch.float32
    assert independent.shape == features.shape
    assert independent.isfinite().all()
    assert ((independent >= 0) & (independent <= 1)).all()
    assert tensors["dependent"].tolist() == frame["Survived"].tolist()


def test_a_feature_of_zeros_is_not_divided_by_zero() -> None:
    features = pd.DataFrame({"zeros": [0.0, 0.0], "Age": [10.0, 40.0]})
    target = pd.DataFrame({"Survived": [0, 1]})
    tensors = nodes.normalise(features, nodes.compute_maxima(features), target, "Survived")
    assert tensors["independent"].tolist() == [[0.0, 0.25], [0.0, 1.0]]


def test_count_missing_values() -> None:
    frame = pd.DataFrame({"Age": [1.0, None, None], "Sex": ["male", None, "male"], "Pclass": [1, 2, 3]})
    assert nodes.count_missing_values(frame) == {"Age": 2, "Sex": 1, "Pclass": 0}


def test_the_smallest_of_several_modes_is_taken_and_a_column_without_values_has_none() -> None:
    frame = pd.DataFrame({"Age": [30.0, 20.0, None], "Cabin": [None, None, None]})
    assert nodes.compute_modes(frame).to_dict("list") == {"Age": [20.0]}


def tensors_of(rows: int) -> Tensors:
    return {"independent": torch.arange(rows * 2.0).reshape(rows, 2), "dependent": torch.arange(rows * 1.0)}


@given(rows=st.integers(2, 300), seed=st.integers(0, 2**40), fraction=st.floats(0.01, 0.99))
def test_split_loses_no_row_and_doubles_none(rows: int, seed: int, fraction: float) -> None:
    parameters = Split(seed=seed, validation_fraction=fraction)
    if not 0 < int(fraction * rows) < rows:
        with pytest.raises(InputError, match=r"split\.validation_fraction"):
            nodes.split(tensors_of(rows), parameters)
        return
    train, valid = nodes.split(tensors_of(rows), parameters)
    assert len(valid["dependent"]) == int(fraction * rows)
    together = torch.cat([train["dependent"], valid["dependent"]])
    assert sorted(together.tolist()) == list(range(rows))
    for part in (train, valid):
        assert part["independent"][:, 0].equal(part["dependent"] * 2), "rows must stay together"
    again, _ = nodes.split(tensors_of(rows), parameters)
    assert again["dependent"].equal(train["dependent"])


def good() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Survived": [0, 1],
            "Age": [22.0, None],
            "SibSp": [0, 1],
            "Fare": [7.25, 8.0],
            "Sex": ["male", "female"],
            "Pclass": [1, 3],
        }
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Age": None}, "column Age has no values"),
        ({"Age": ["22", "old"]}, "column Age has 'old' in row 2; expected a number"),
        ({"Age": ["22", "23"]}, "column Age holds str; expected numbers"),
        ({"Age": [1.0, float("inf")]}, "column Age has inf in row 2; expected a number"),
        (
            {"Fare": [-1.0, 2.0]},
            "column Fare has -1.0 in row 1; expected a number, 0 or more, since its logarithm is taken",
        ),
        ({"Sex": ["male", "man"]}, "column Sex has 'man' in row 2; expected one of 'male', 'female'"),
        ({"Pclass": [0, 9]}, "column Pclass has 0 in row 1, 9 in row 2; expected one of 1, 2, 3"),
        ({"Age": [1.0, 1e39]}, "column Age has 1e+39 in row 2; expected a number"),
        ({"Pclass": ["1", "first"]}, "column Pclass has 'first' in row 2; expected one of 1, 2, 3"),
        ({"Survived": ["1", "x"]}, "column Survived has 'x' in row 2; expected 0 or 1 in every row"),
        ({"Survived": [0, 2]}, "column Survived has 2 in row 2; expected 0 or 1 in every row"),
        ({"Survived": [0, None]}, "column Survived has nan in row 2; expected 0 or 1 in every row"),
    ],
)
def test_bad_passengers_are_told_in_one_line(changes: dict[str, Any], words: str) -> None:
    frame = good().assign(**changes)
    frame.attrs["file"] = "train.csv"
    with pytest.raises(InputError) as error:
        nodes.ingest(frame, FEATURES, SPLIT)
    assert str(error.value) == f"train.csv: {words}"


def test_all_faults_are_told_at_once() -> None:
    frame = good().assign(Age=[-1, "x"], Sex="?")
    with pytest.raises(InputError, match=r"column Age .*; column Sex "):
        nodes.ingest(frame, FEATURES, SPLIT)


def test_absent_columns_and_rows() -> None:
    with pytest.raises(InputError, match="no column Fare; found 'Survived', 'Age', 'SibSp', 'Sex', 'Pclass'"):
        nodes.ingest(good().drop(columns="Fare"), FEATURES, SPLIT)
    with pytest.raises(
        InputError, match=r"no columns Fare, Sex; found 'Survived', 'Age', 'SibSp', 'Pclass'$"
    ):
        nodes.ingest(good().drop(columns=["Fare", "Sex"]), FEATURES, SPLIT)
    with pytest.raises(InputError, match="there are no rows, only a header"):
        nodes.ingest(good().iloc[:0], FEATURES, SPLIT)


def test_too_few_rows_for_the_split_are_told_before_anything_is_made() -> None:
    with pytest.raises(InputError, match=r"split\.validation_fraction is 0\.2: 0 of 2 rows would validate"):
        nodes.ingest(good(), FEATURES, Split(seed=42, validation_fraction=0.2))


def test_many_bad_rows_are_told_by_the_first() -> None:
    frame = pd.concat([good().assign(Sex="x")] * 5, ignore_index=True)
    with pytest.raises(InputError, match="'x' in row 1, 'x' in row 2, 'x' in row 3 and 7 more; expected"):
        nodes.ingest(frame, FEATURES, SPLIT)


def test_source_says_where_passengers_come_from() -> None:
    assert nodes.ingest(good(), FEATURES, SPLIT)[1] == {"source": "own", "rows": 2}
    sample = good()
    sample.attrs["source"] = "sample"
    assert nodes.ingest(sample, FEATURES, SPLIT)[1] == {"source": "sample", "rows": 2}


def test_each_table_of_rows_says_where_they_come_from() -> None:
    frame = good()
    frame.attrs["source"] = "sample"
    modes = nodes.compute_modes(frame)
    features = nodes.one_hot_encode(nodes.impute_modes(frame, modes), FEATURES)
    for table in (modes, features, nodes.compute_maxima(features)):
        assert table.attrs["source"] == "sample"
