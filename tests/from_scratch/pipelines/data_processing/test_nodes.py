"""Properties of the steps, on passengers that hypothesis makes up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes
from torch import Tensor

from from_scratch.pipelines.data_processing import nodes
from from_scratch.pipelines.data_processing.categories import find_codes, list_categories
from from_scratch.pipelines.data_processing.splitting import find_positives, shuffle
from from_scratch.schema.features import Features, text_of
from from_scratch.schema.parameters import Split
from kedro_ledger.errors import InputError
from tests.from_scratch.pipelines.data_processing.conftest import FEATURES, SOURCE, SPLIT, changed, good

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
).filter(lambda frame: bool(frame[["Age", "Fare"]].notna().any().all()) and frame["Survived"].nunique() == 2)


class Prepared(NamedTuple):
    fill_values: pd.DataFrame
    imputed: pd.DataFrame
    categories: dict[str, list[str]]
    encoded: pd.DataFrame
    scales: pd.DataFrame
    tensors: dict[str, Tensor]


def process(frame: pd.DataFrame, features: Features = FEATURES, split: Split = SPLIT) -> Prepared:
    taken_in, _ = nodes.ingest(frame, features, split)
    fill_values = nodes.compute_fill_values(taken_in, features, split)
    imputed = nodes.impute(taken_in, fill_values)
    categories = nodes.learn_categories(imputed, features, split)
    encoded = nodes.one_hot_encode(imputed, features, categories)
    scales = nodes.compute_scales(encoded, imputed, features, split)
    tensors = nodes.make_model_input(encoded, scales, imputed, features)
    return Prepared(fill_values, imputed, categories, encoded, scales, tensors)


@given(passengers)
def test_nothing_is_missing_after_imputation_and_nothing_else_changes(frame: pd.DataFrame) -> None:
    _, imputed, _, features, _, _ = process(frame)
    assert not imputed.drop(columns="Cabin").isna().any().any()
    assert not features.isna().any().any()
    present = frame.notna()
    pd.testing.assert_frame_equal(imputed.where(present), frame.where(present), check_dtype=False)
    filled = imputed["Age"][frame["Age"].isna()]
    assert filled.isin(frame["Age"].mode()[:1]).all()


@given(passengers)
def test_features_stand_in_the_declared_order_and_dummies_sum_to_one(frame: pd.DataFrame) -> None:
    features = process(frame).encoded
    assert list(features.columns) == ENCODED
    for name in ("Sex", "Pclass"):
        dummies = features.filter(like=f"{name}_")
        assert dummies.isin([0, 1]).all().all()
        assert (dummies.sum(axis=1) == 1).all()
    assert np.allclose(np.exp(features["LogFare"]) - 1, process(frame).imputed["Fare"])


@given(passengers)
def test_normalised_features_are_finite_and_at_most_one(frame: pd.DataFrame) -> None:
    features, tensors = process(frame).encoded, process(frame).tensors
    independent = tensors["independent"]
    assert independent.dtype == tensors["dependent"].dtype == torch.float32
    assert independent.shape == features.shape
    assert independent.isfinite().all()
    assert ((independent >= 0) & (independent <= 1)).all()
    assert tensors["dependent"].tolist() == frame["Survived"].tolist()


def test_a_feature_of_zeros_is_not_divided_by_zero() -> None:
    features = changed(continuous=["zeros", "Age"], log=[], categorical=[])
    encoded = pd.DataFrame({"zeros": [0.0, 0.0], "Age": [10.0, 40.0]})
    tensors = nodes.normalise(encoded, nodes.compute_scales(encoded, good(), features, SPLIT))
    assert tensors["independent"].tolist() == [[0.0, 0.25], [0.0, 1.0]]


def test_count_missing_values() -> None:
    frame = pd.DataFrame({"Age": [1.0, None, None], "Sex": ["male", None, "male"], "Pclass": [1, 2, 3]})
    assert nodes.count_missing_values(frame) == {"Age": 2, "Sex": 1, "Pclass": 0}


def test_count_categories() -> None:
    frame = good().assign(Sex=pd.Series(["male", None]), Pclass=[3.0, 3.0])
    assert nodes.count_categories(frame, FEATURES) == {
        "Sex": {"male": 1, "female": 0},
        "Pclass": {"1": 0, "2": 0, "3": 2},
        "Survived": {"0": 1, "1": 1},
    }
    learnt = changed(categorical=["Sex", "Pclass"])
    counts = nodes.count_categories(frame.assign(Pclass=[10, 9]), learnt)
    assert counts["Sex"] == {"male": 1}
    assert list(counts["Pclass"].items()) == [("9", 1), ("10", 1)], "by their value"


def test_the_smallest_of_several_modes_is_taken_and_a_column_without_values_has_none() -> None:
    frame = pd.DataFrame({"Age": [30.0, 20.0, None], "Cabin": [None, None, None]})
    assert nodes.compute_fill_values(frame, FEATURES, SPLIT).to_dict("list") == {"Age": [20.0]}


def tensors_of(rows: int) -> dict[str, Tensor]:
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


def test_source_says_where_rows_come_from() -> None:
    assert nodes.ingest(good(), FEATURES, SPLIT)[1] == SOURCE | {"file": "the data", "rows": 2}
    original = good()
    original.attrs["source"] = "original"
    assert nodes.ingest(original, FEATURES, SPLIT)[1]["source"] == "original"


def test_each_table_of_rows_says_where_they_come_from() -> None:
    frame = good()
    frame.attrs["source"] = "original"
    prepared = process(frame)
    for table in (prepared.fill_values, prepared.imputed, prepared.encoded, prepared.scales):
        assert table.attrs["source"] == "original"


def test_missing_values_are_filled_as_each_column_says() -> None:
    features = changed(
        continuous=[{"column": "Age", "fill": "median"}, {"column": "SibSp", "fill": "mean"}],
        log=[{"column": "Fare", "constant": 5}],
        categorical=[{"column": "Sex", "constant": "unknown"}, {"column": "Pclass", "constant": 0}],
    )
    frame = pd.DataFrame(
        {
            "Survived": [0, 1, 0, 1],
            "Age": [20.0, 30.0, 70.0, None],
            "SibSp": [0.0, 3.0, 3.0, None],
            "Fare": [1.0, 2.0, 2.0, None],
            "Sex": ["male", "male", "female", None],
            "Pclass": [1.0, 1.0, 3.0, None],
        }
    )
    prepared = process(frame, features)
    assert prepared.imputed.iloc[3].tolist() == [1, 30, 2, 5, "unknown", "0"]
    assert prepared.categories == {
        "Sex": ["female", "male", "unknown"],
        "Pclass": ["0", "1", "3"],
        "Survived": ["0", "1"],
    }


@pytest.mark.parametrize(
    ("values", "categories"),
    [
        ([10, 2, 1], ["1", "2", "10"]),
        ([10.0, 2.0, None], ["2", "10"]),
        ([0.5, 2.0, None], ["0.5", "2"]),
        ([True, False, True], ["False", "True"]),
        ([True, None, False], ["False", "True"]),
        (["b", "a", "10", "9"], ["10", "9", "a", "b"]),
        (["ü", " ", "'\""], [" ", "'\"", "ü"]),
        ([1, "1", "x"], ["1", "x"]),
    ],
)
def test_categories_are_learnt_and_sorted(values: list[Any], categories: list[str]) -> None:
    assert list_categories(pd.Series(values)) == categories
    codes = find_codes(pd.Series(values), categories)
    assert [categories[code] if code >= 0 else None for code in codes] == [
        None if value is None else text_of(value) for value in values
    ]


def test_a_category_is_the_same_however_it_was_read() -> None:
    for values in ([1, 2], [1.0, 2.0], ["1", "2"]):
        assert find_codes(pd.Series(values), ["1", "2"]).tolist() == [0, 1]
    assert find_codes(pd.Series(["1.50", "TRUE", "x"]), ["1.5", "True", "2"]).tolist() == [0, 1, -1]
    assert find_codes(pd.Series([True, 1.5]), ["true", "1.50"]).tolist() == [0, 1]
    assert find_codes(pd.Series(["01", "1.10", None]), ["1", "1.1", "1.100"]).tolist() == [-1, -1, -1]
    assert find_codes(pd.Series(["1.1"]), ["1.10", "1.1"]).tolist() == [1]


def test_numbers_are_normalised_by_mean_and_deviation_and_dummies_stay() -> None:
    rng = np.random.default_rng(1)
    frame = pd.concat([good().fillna({"Age": 30.0})] * 20, ignore_index=True)
    frame = frame.assign(Age=rng.normal(40, 9, 40), SibSp=7, Fare=rng.uniform(0, 500, 40))
    independent = process(frame, changed(normalisation="deviation")).tensors["independent"]
    numbers, dummies = independent[:, [0, 2]], independent[:, 3:]
    assert torch.allclose(numbers.mean(dim=0), torch.zeros(2), atol=1e-6)
    assert torch.allclose(numbers.std(dim=0, correction=0), torch.ones(2), atol=1e-6)
    assert independent[:, 1].eq(0).all(), "a constant has no deviation to be divided by"
    assert set(dummies.flatten().tolist()) == {0.0, 1.0}


def test_negative_numbers_keep_their_sign() -> None:
    frame = pd.concat([good()] * 2, ignore_index=True).assign(Age=[-4.0, -2.0, -1.0, -4.0])
    assert process(frame).tensors["independent"][:, 0].tolist() == [-1.0, -0.5, -0.25, -1.0]


def test_fitted_on_the_rows_that_train_the_others_change_nothing() -> None:
    rng = np.random.default_rng(2)
    frame = pd.concat([good()] * 20, ignore_index=True).assign(
        Age=np.where(rng.random(40) < 0.3, np.nan, rng.integers(1, 80, 40)), Sex=rng.choice(["a", "b"], 40)
    )
    block: dict[str, Any] = {
        "continuous": [{"column": "Age", "fill": "mean"}, "SibSp"],
        "categorical": ["Sex", "Pclass"],
    }
    train, valid = shuffle(find_positives(frame, FEATURES), SPLIT)
    other = frame.copy()
    other.loc[valid.numpy(), "Age"] = 1e6
    other.loc[valid.numpy(), "Sex"] = "c"
    ours, others = (process(rows, changed(fit_on="train", **block)) for rows in (frame, other))
    pd.testing.assert_frame_equal(ours.fill_values, others.fill_values)
    pd.testing.assert_frame_equal(ours.scales, others.scales)
    assert ours.categories == others.categories
    assert ours.tensors["independent"][train].equal(others.tensors["independent"][train])
    assert others.encoded.loc[valid.numpy(), ["Sex_a", "Sex_b"]].eq(0).all().all(), "none of the categories"
    assert ours.fill_values["Age"][0] == pytest.approx(frame["Age"][train.numpy()].mean())
    assert process(frame, changed(**block)).fill_values["Age"][0] == pytest.approx(frame["Age"].mean())


def test_new_rows_are_imputed_however_they_were_read() -> None:
    prepared = process(good())
    new = pd.DataFrame({"Age": [np.nan], "SibSp": [1], "Fare": [np.nan], "Sex": [np.nan], "Pclass": ["3"]})
    imputed = nodes.impute(nodes.to_types(new, FEATURES), prepared.fill_values)
    encoded = nodes.one_hot_encode(imputed, FEATURES, prepared.categories)
    assert encoded.iloc[0].tolist() == [22.0, 1.0, pytest.approx(np.log(8.25)), 0.0, 1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("trained", "new", "encoded"),
    [
        ([True, False, True], ["1", None, "0"], [[0, 0], [0, 1], [0, 0]]),
        ([0, 1, 0], [True, None, False], [[0, 0], [1, 0], [0, 0]]),
        (["TRUE", "no", "TRUE"], [True, None, True], [[1, 0], [1, 0], [1, 0]]),
        ([1.5, 2.0, 1.5], ["1.50", None, "x"], [[1, 0], [1, 0], [0, 0]]),
        ([5, 7, 5], [5.0, None, 7.0], [[1, 0], [1, 0], [0, 1]]),
    ],
)
def test_new_categories_are_found_however_they_were_read(
    trained: list[Any], new: list[Any], encoded: list[list[int]]
) -> None:
    features = changed(continuous=[], log=[], categorical=["Sex"])
    prepared = process(good().iloc[[0, 1, 1]].reset_index(drop=True).assign(Sex=trained), features)
    rows = nodes.impute(nodes.to_types(pd.DataFrame({"Sex": new}), features), prepared.fill_values)
    assert nodes.one_hot_encode(rows, features, prepared.categories).to_numpy().tolist() == encoded


def test_long_codes_are_not_confused() -> None:
    assert find_codes(pd.Series([90071992547409923]), ["5", "90071992547409920"]).tolist() == [-1]
    assert find_codes(pd.Series(["9" * 5000, "9" * 4999]), ["9" * 5000]).tolist() == [0, -1]


@pytest.mark.parametrize("positive", ["TRUE", "true", True, "True"])
def test_the_target_is_found_however_it_is_spelt(positive: Any) -> None:
    features = changed(target={"column": "Survived", "positive": positive})
    prepared = process(good().assign(Survived=[False, True]), features)
    assert prepared.categories["Survived"] == ["False", "True"]
    assert prepared.tensors["dependent"].tolist() == [0.0, 1.0]


def test_texts_are_numbers_as_the_reader_would_have_them() -> None:
    frame = good().assign(Age=["1,5", "2"], Fare=["1", "3,25"])
    frame.attrs["decimal"] = ","
    typed = nodes.ingest(frame, FEATURES, SPLIT)[0]
    assert typed[["Age", "Fare"]].to_numpy().tolist() == [[1.5, 1.0], [2.0, 3.25]]


def test_scales_of_other_features_are_told() -> None:
    prepared = process(good())
    with pytest.raises(InputError, match="not those of the run that trained: Age differ; expected that run"):
        nodes.normalise(prepared.encoded.drop(columns="Age"), prepared.scales)


def test_a_number_far_beyond_those_that_train_is_told() -> None:
    prepared = process(good().assign(Fare=[0.0, 1e-12]))
    far = prepared.encoded.assign(LogFare=[1.0, 1e30])
    far.attrs["file"] = "test.csv"
    with pytest.raises(InputError, match=r"test\.csv: LogFare is 1e\+30 in row 2; expected one nearer"):
        nodes.normalise(far, prepared.scales)


def test_features_of_the_same_name_are_told() -> None:
    features = changed(categorical=["Sex", {"column": "Sex_male", "categories": ["x"]}])
    frame = good().assign(Sex_male="x", Sex=["male_x", "female"])
    with pytest.raises(InputError, match="two features would be named Sex_male_x"):
        process(frame, features)


def test_columns_that_nobody_named_are_told(caplog: pytest.LogCaptureFixture) -> None:
    nodes.ingest(good().assign(Deck=1, Cabin=2), FEATURES, SPLIT)
    assert "Deck ignored" in caplog.text
    assert "Cabin" not in caplog.text


def test_values_of_several_types_can_be_stored() -> None:
    frame = good().assign(Cabin=[10**30, "x"], Age=["1", 2.5])
    typed = nodes.ingest(frame, FEATURES, SPLIT)[0]
    assert typed["Age"].tolist() == [1.0, 2.5]
    assert pa.Table.from_pandas(typed)["Cabin"].to_pylist() == [str(10**30), "x"]
