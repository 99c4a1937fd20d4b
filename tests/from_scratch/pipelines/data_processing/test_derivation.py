"""Derived columns are computed as `features.derived` describes, for rows to train on and for new rows."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from from_scratch.pipelines.data_processing import nodes
from from_scratch.pipelines.data_processing.derivation import count_rows, derive, learn_counts
from from_scratch.pipelines.data_processing.splitting import find_positives, shuffle
from from_scratch.pipelines.inference.nodes import ingest_new
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Inference
from kedro_ledger.errors import InputError
from tests.from_scratch.pipelines.data_processing.conftest import SPLIT, changed, good

NEW = Inference(variant="linear", unseen_categories="error")
COUNT = {"column": "Mates", "count": {"of": "Cabin"}}


def derived(rows: dict[str, Any], **way: Any) -> list[Any]:
    """Return the values of a derived column, None for missing ones."""
    features = changed(derived=[{"column": "New", **way}], ignore=[])
    values = derive(pd.DataFrame(rows), features)["New"]
    return [None if pd.isna(value) else value for value in values]


def extracted(texts: list[Any], pattern: str, **options: Any) -> list[Any]:
    return derived({"Cabin": texts}, extract={"of": "Cabin", "pattern": pattern, **options})


def test_a_group_is_extracted_where_the_pattern_first_matches() -> None:
    names = ["Braund, Mr. Owen", "Rothes, the Countess. of (Mrs. X)", "nobody", None, "two,\nMr. lines"]
    assert extracted(names, r", (?:the )?([A-Za-z]+)\.") == ["Mr", "Countess", None, None, None]
    assert extracted(names, r",\s(?:the )?([A-Za-z]+)\.")[4] == "Mr"
    assert extracted(["C85", "c23 C25"], "(?i)(c)[0-9]+") == ["C", "c"]
    assert extracted(["ab", "b"], "(a)|b") == ["a", None], "an empty group is nothing"
    assert extracted(["é1", "☃"], r"(\pL)") == ["é", None]


def test_extracted_texts_are_mapped_and_then_kept_or_others() -> None:
    texts = ["Mlle", "Miss", "Dr", "a", "b", "-", None]
    mapping = {"Mlle": "Miss", "a": "b", "b": "a"}
    assert extracted(texts, r"(\w+)", mapping=mapping) == ["Miss", "Miss", "Dr", "b", "a", None, None]
    kept = {"mapping": mapping, "keep": ["Miss", "a"]}
    assert extracted(texts, r"(\w+)", **kept) == ["Miss", "Miss", None, None, "a", None, None]
    assert extracted(texts, r"(\w+)", other="rare", **kept) == [
        *("Miss", "Miss", "rare", "rare", "a"),
        *(None, None),
    ]


def test_texts_are_the_same_however_they_were_read() -> None:
    assert extracted(["12", "3a", None], r"(\d)") == ["1", "3", None]
    assert extracted([12, 3.0, None], r"(\d+)") == ["12", "3", None]
    assert extracted([None, None], r"(\d)", keep=["1"], other="more") == [None, None]
    assert extracted([], r"(\d)") == []


def test_no_text_takes_exponential_time() -> None:
    began = time.process_time()
    assert extracted(["a" * 100_000 + "b"], "((?:a+)+)$") == [None]
    assert time.process_time() - began < 5


def test_a_sum_needs_all_its_parts() -> None:
    rows = {"SibSp": [1, 0, 2], "Parch": ["2", "0", None]}
    assert derived(rows, sum={"of": ["SibSp", "Parch"], "plus": 1}) == [4, 1, None]
    assert derived(rows, sum={"of": ["SibSp", "SibSp"]}) == [2, 0, 4]


def test_is_known_is_one_for_known_values() -> None:
    assert derived({"Cabin": ["C85", None, "0"]}, is_known={"of": "Cabin"}) == [1, 0, 1]
    assert derived({"Cabin": [1.5, np.nan]}, is_known={"of": "Cabin"}) == [1, 0]


def test_a_row_counts_itself_and_the_others_that_counts_are_learnt_from() -> None:
    rows = pd.concat([good()] * 3, ignore_index=True).assign(Cabin=pd.Series(["a", "a", "b", None, "a", "b"]))
    features = changed(continuous=["Age", "Mates"], derived=[COUNT], ignore=[])
    checked, _ = nodes.ingest(rows, features, SPLIT)
    assert checked["Mates"].tolist() == [3, 3, 2, pytest.approx(np.nan, nan_ok=True), 3, 2]
    assert learn_counts(checked, features, SPLIT) == {"Cabin": {"a": 3, "b": 2}}

    features = changed(continuous=["Age", "Mates"], derived=[COUNT], ignore=[], fit_on="train")
    train, valid = (part.tolist() for part in shuffle(find_positives(rows, features), SPLIT))
    checked, _ = nodes.ingest(rows, features, SPLIT)
    for row in [*train, *valid]:
        others = [other for other in train if other != row]
        expected = 1 + int((rows["Cabin"][others] == rows["Cabin"][row]).sum())
        assert pd.isna(rows["Cabin"][row]) or checked["Mates"][row] == expected
    assert sum(learn_counts(checked, features, SPLIT)["Cabin"].values()) == rows["Cabin"][train].count()


def test_a_new_row_counts_itself_and_the_rows_known_of() -> None:
    features = changed(derived=[COUNT, {"column": "Again", "count": {"of": "Cabin"}}], ignore=[])
    counts = {"Cabin": {"1": 3, "1.50": 1, "x": 2}}
    new = pd.DataFrame({"Cabin": [1, 1.5, None, 7, 7]}, index=[0, 0, 1, 1, 2])
    counted = count_rows(new, features, counts, np.zeros(5, dtype=bool))
    expected = [4, 2, pytest.approx(np.nan, nan_ok=True), 1, 1]
    assert counted["Mates"].tolist() == expected, "new rows don't count each other"
    assert counted["Again"].tolist() == expected


def test_learnt_counts_are_plain_and_sorted_whatever_the_order_of_rows() -> None:
    features = changed(derived=[COUNT], ignore=[])
    rows = pd.concat([good()] * 2, ignore_index=True).assign(Cabin=["é", 10, 2.0, "B"])
    one, other = (learn_counts(frame, features, SPLIT) for frame in (rows, rows[::-1]))
    assert json.dumps(one) == json.dumps(other) == r'{"Cabin": {"10": 1, "2": 1, "B": 1, "\u00e9": 1}}'


EVERYTHING = changed(
    continuous=["Age", {"column": "Family", "maximum": 5}, "Known", "Mates"],
    categorical=["Sex", "Pclass", {"column": "Deck", "categories": ["A", "C"]}],
    ignore=["Cabin"],
    derived=[
        COUNT,
        {"column": "Family", "sum": {"of": ["SibSp", "Parch"], "plus": 1}},
        {"column": "Known", "is_known": {"of": "Cabin"}},
        {"column": "Deck", "extract": {"of": "Cabin", "pattern": "^([A-Z])"}},
    ],
)

KNOWN = {"Sex": ["male", "female"], "Pclass": ["1", "3"], "Deck": ["A", "C"], "Survived": ["0", "1"]}


def everything(**columns: Any) -> pd.DataFrame:
    return good().assign(Cabin=pd.Series(["C85", None]), Parch=[0, 2]).assign(**columns)


def faults_of(rows: pd.DataFrame, features: Features = EVERYTHING) -> list[str]:
    """Return the faults of the rows, which are the same for training and for new rows, except for hints."""
    with pytest.raises(InputError) as error:
        nodes.ingest(rows, features, SPLIT)
    with pytest.raises(InputError) as error_of_new:
        ingest_new(rows.drop(columns="Survived"), features, KNOWN, NEW, {"Cabin": {"C85": 1}})
    hint = re.compile(r"\. (List all|Set inference).*")
    faults = [hint.sub("", str(line).removeprefix("the data: ")) for line in error.value.args]
    new = [hint.sub("", str(line).removeprefix("the data: ")) for line in error_of_new.value.args]
    assert [fault.replace("'Survived', ", "") for fault in faults] == new
    return faults


def test_derived_columns_are_checked_like_any_other() -> None:
    assert faults_of(everything(Cabin="B5", SibSp=[9, 0])) == [
        "column Family has 10.0 in row 1; expected a number of at most 5",
        "column Deck has 'B' in row 1, 'B' in row 2 (2 rows); expected one of 'A', 'C'",
    ]
    assert faults_of(everything(SibSp=[1e39, 0])) == [
        "column Family has 1e+39 in row 1; expected a number of at most 5 and of at most 1e+38",
        "column SibSp has 1e+39 in row 1; expected a number of at most 1e+38",
    ]


def test_sources_of_derived_columns_are_checked() -> None:
    assert faults_of(everything().drop(columns=["Cabin", "Parch"])) == [
        "no columns Cabin, Parch; found 'Survived', 'Age', 'SibSp', 'Fare', 'Sex', 'Pclass'"
    ]
    assert faults_of(everything(Parch=["none", 1])) == ["column Parch has 'none' in row 1; expected a number"]
    assert faults_of(everything(Age=["x", 1], SibSp=["y", 1])) == [
        "column Age has 'x' in row 1; expected a number",
        "column SibSp has 'y' in row 1; expected a number",
    ]
    assert faults_of(everything().iloc[:0]) == ["there are no rows, only a header; expected at least one row"]


def test_a_part_of_a_sum_that_the_models_see_too_is_reported_once() -> None:
    features = changed(derived=[{"column": "Family", "sum": {"of": ["SibSp"]}}])
    with pytest.raises(InputError) as error:
        nodes.ingest(everything(SibSp=["x", 1]), features, SPLIT)
    assert error.value.args == ("the data: column SibSp has 'x' in row 1; expected a number",)


def test_a_name_of_the_file_is_not_taken_from_it() -> None:
    assert faults_of(everything(Deck="A")) == [
        "column Deck is in the file and in features.derived; expected another name in one of them"
    ]


def test_a_derived_column_without_values_is_reported() -> None:
    with pytest.raises(InputError, match="column Deck has no value; expected at least one, or a `constant`"):
        nodes.ingest(everything(Cabin="?"), EVERYTHING, SPLIT)


def test_new_rows_are_derived_like_training_rows() -> None:
    checked, _ = nodes.ingest(everything(), EVERYTHING, SPLIT)
    counts = learn_counts(checked, EVERYTHING, SPLIT)
    new = ingest_new(everything(Cabin=pd.Series(["C9", None])), EVERYTHING, KNOWN, NEW, counts)
    columns = ["Family", "Known", "Deck", "Mates"]
    pd.testing.assert_frame_equal(new[columns], checked[columns])
    with pytest.raises(InputError, match=r"features\.derived: the training run has no counts of Cabin"):
        ingest_new(everything(), EVERYTHING, KNOWN, NEW)


def test_sources_of_derived_columns_need_not_be_ignored(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    checked, _ = nodes.ingest(everything(), EVERYTHING.model_copy(update={"ignore": []}), SPLIT)
    assert not caplog.records
    assert checked.columns.tolist()[-6:] == ["Cabin", "Parch", "Family", "Known", "Deck", "Mates"]


def test_parts_of_a_sum_are_stored_as_numbers() -> None:
    rows = everything(Parch=["1,5", "0"], SibSp=["0", "2,5"])
    rows.attrs["decimal"] = ","
    checked, _ = nodes.ingest(rows, EVERYTHING, SPLIT)
    assert checked["Family"].tolist() == [2.5, 3.5]
    assert checked["Parch"].tolist() == [1.5, 0]
