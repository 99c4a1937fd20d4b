"""Faults in the rows are reported, one per line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from from_scratch.pipelines.data_processing import nodes
from from_scratch.pipelines.data_processing.checks import find_faults_of_new
from from_scratch.pipelines.data_processing.splitting import shuffle
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split
from kedro_ledger.errors import InputError
from tests.from_scratch.pipelines.data_processing.conftest import FEATURES, SPLIT, changed, good

NUMBERED = changed(identifier="Id")


def faults_of(frame: pd.DataFrame, features: Features = FEATURES, split: Split = SPLIT) -> list[str]:
    frame.attrs["file"] = "train.csv"
    with pytest.raises(InputError) as error:
        nodes.ingest(frame, features, split)
    assert all(str(line).startswith("train.csv: ") for line in error.value.args)
    return [str(line).removeprefix("train.csv: ") for line in error.value.args]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Age": None}, "column Age has no value; expected at least one, or a `constant` to fill it"),
        ({"Age": ["22", "old"]}, "column Age has 'old' in row 2; expected a number"),
        ({"Age": ["x", "y"]}, "column Age has 'x' in row 1, 'y' in row 2 (2 rows); expected a number"),
        ({"Age": [1.0, float("inf")]}, "column Age has inf in row 2; expected a number"),
        ({"Age": pd.to_datetime(["2020-01-01"] * 2)}, "column Age has Timestamp('2020-01-01 00:00:00') in "),
        ({"Fare": [-1.0, 2.0]}, "column Fare has -1.0 in row 1; expected a number of at least 0"),
        (
            {"Sex": ["male", "man"]},
            "column Sex has 'man' in row 2; expected one of 'male', 'female'. List "
            "all categories, or set categories: auto to learn them",
        ),
        ({"Pclass": [0, 9]}, "column Pclass has 0 in row 1, 9 in row 2 (2 rows); expected one of '1', '2'"),
        ({"Age": [1.0, 1e39]}, "column Age has 1e+39 in row 2; expected a number"),
        ({"Pclass": ["1", "first"]}, "column Pclass has 'first' in row 2; expected one of '1', '2', '3'"),
        (
            {"Survived": [0, 2]},
            "column Survived has '0' in 1 row, '2' in 1 row; expected two values, one of them "
            "features.target.positive, which is 1",
        ),
        ({"Survived": [1, 1]}, "column Survived has '1' in 2 rows; expected two values, one of them"),
        ({"Survived": [0, None]}, "column Survived has no value in row 2; expected a value in every row"),
        (
            {"Survived": None},
            "column Survived has no value in row 1, no value in row 2 (2 rows); expected a value in every",
        ),
    ],
)
def test_a_fault_of_a_column(changes: dict[str, Any], words: str) -> None:
    assert faults_of(good().assign(**changes))[0].startswith(words)


def test_all_faults_are_reported_at_once_each_in_one_line() -> None:
    frame = good().assign(Age=[-1, "x"], Sex="?", Survived=1, Id=[7, 7]).drop(columns="Fare")
    frame = pd.concat([frame] * 4, ignore_index=True)
    assert faults_of(frame, NUMBERED) == [
        "no column Fare; found 'Survived', 'Age', 'SibSp', 'Sex', 'Pclass', 'Id'",
        "column Id has 7 in row 2, 7 in row 3, 7 in row 4, … (7 rows); expected each identifier once",
        "column Survived has '1' in 8 rows; expected two values, one of them features.target.positive, which "
        "is 1",
        "column Age has 'x' in row 2, 'x' in row 4, 'x' in row 6, … (4 rows); expected a number",
        "column Sex has '?' in row 1, '?' in row 2, '?' in row 3, … (8 rows); expected one of 'male', "
        "'female'. List all categories, or set categories: auto to learn them",
    ]


def test_absent_columns_and_rows() -> None:
    assert faults_of(good().drop(columns=["Fare", "Sex"])) == [
        "no columns Fare, Sex; found 'Survived', 'Age', 'SibSp', 'Pclass'"
    ]
    assert faults_of(good().iloc[:0]) == ["there are no rows, only a header; expected at least one row"]


def test_another_separator_is_guessed() -> None:
    (fault,) = faults_of(pd.DataFrame({"Survived;Age": ["1;2", "0;3"]}))
    hint = ". If the separator is ';', set `load_args: {sep: ';'}` in the catalog"
    assert fault.endswith(f"found 'Survived;Age'{hint}")


def test_too_few_rows_for_the_split() -> None:
    (fault,) = faults_of(good(), split=Split(seed=42, validation_fraction=0.2))
    assert fault.startswith(
        "parameter split.validation_fraction is 0.2: 0 of 2 rows would be validation rows; expected"
    )


def test_an_identifier_that_is_missing() -> None:
    assert faults_of(good().assign(Id=pd.Series([None, 2])), NUMBERED) == [
        "column Id has no value in row 1; expected a value in every row"
    ]


def test_required_and_ranges() -> None:
    features = changed(
        continuous=[{"column": "Age", "required": True}, {"column": "SibSp", "minimum": 1, "maximum": 5}]
    )
    assert faults_of(good().assign(SibSp=[0, 6]), features) == [
        "column Age has no value in row 2; expected a value in every row",
        "column SibSp has 0 in row 1, 6 in row 2 (2 rows); expected a number of at least 1 and of at most 5",
    ]


def test_a_point_is_no_decimal_comma() -> None:
    frame = good().assign(Age=["1.234", "950,5"])
    frame.attrs["decimal"] = ","
    assert faults_of(frame) == ["column Age has '1.234' in row 1; expected a number"]


def test_two_spellings_of_a_class_are_not_two_classes() -> None:
    assert faults_of(good().assign(Survived=["1", "1.0"]))[0].startswith(
        "column Survived has '1' in 1 row, '1.0'"
    )


def test_yaml_reads_yes_as_true() -> None:
    features = changed(target={"column": "Survived", "positive": True})
    (fault,) = faults_of(good().assign(Survived=["yes", "no"]), features)
    assert "which is True. YAML reads yes, no, on and off as true and false" in fault


def test_too_many_categories_are_not_learnt() -> None:
    frame = pd.concat([good()] * 600, ignore_index=True).assign(Sex=[f"s{i}" for i in range(1200)])
    (fault,) = faults_of(frame, changed(categorical=["Sex"]))
    assert fault.startswith(
        "column Sex has 1,200 distinct values; expected at most 1,000 categories to learn"
    )


def test_nothing_to_learn_among_the_training_rows() -> None:
    features = changed(fit_on="train", continuous=["Age", "SibSp"])
    frame = pd.concat([good()] * 2, ignore_index=True)
    _, valid = shuffle(np.zeros(4, dtype=bool), SPLIT)
    frame["Age"] = [5.0 if row in valid.tolist() else None for row in range(4)]
    assert faults_of(frame, features) == [
        "column Age has no value in any training row; expected at least one, or a `constant` to fill it"
    ]


def test_long_names_and_values_are_shortened() -> None:
    frame = good().assign(Sex="x" * 10**6).drop(columns="Age").assign(**{"y" * 10**6: 1})
    assert all(len(fault) < 300 for fault in faults_of(frame))


def test_new_rows() -> None:
    categories = {"Sex": ["male", "female"], "Pclass": ["1", "2", "3"]}
    new = good().drop(columns="Survived").iloc[:1]
    assert find_faults_of_new(new, FEATURES, categories) == []
    wrong = new.assign(Sex="other", Fare=-1, Age=None)
    assert find_faults_of_new(wrong, FEATURES, categories) == [
        "column Fare has -1 in row 1; expected a number of at least 0",
        "column Sex has 'other' in row 1; expected one of 'male', 'female'. "
        "Set inference.unseen_categories: none_of_them to accept other values",
    ]
    assert find_faults_of_new(wrong.assign(Fare=1), FEATURES, {}) == []
    assert find_faults_of_new(new.iloc[:0], FEATURES, categories) == [
        "there are no rows, only a header; expected at least one row"
    ]


def test_codes_that_were_read_as_numbers() -> None:
    new, categories = good().assign(Sex=[1, 2]), {"Sex": ["01", "02"], "Pclass": ["1", "3"]}
    assert find_faults_of_new(new, FEATURES, categories) == [
        "column Sex has 1 in row 1, 2 in row 2 (2 rows); expected one of '01', '02', as text. Set "
        "`load_args: {dtype: {Sex: str}}` in the catalog"
    ]
