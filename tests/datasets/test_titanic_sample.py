from __future__ import annotations

import hashlib

import pandas as pd

from from_scratch.datasets.titanic_sample import COUNTS, draw_passengers

COLUMNS = (
    "PassengerId Survived Pclass Name Sex Age SibSp Parch Ticket Fare Cabin Embarked".split()  # as Kaggle's
)


def test_has_the_columns_and_the_missing_values_of_the_original() -> None:
    passengers = draw_passengers()
    assert list(passengers.columns) == COLUMNS
    assert passengers["PassengerId"].tolist() == list(range(1, 892))
    missing = passengers.isna().sum()
    assert missing[missing > 0].to_dict() == {"Age": 177, "Cabin": 687, "Embarked": 2}


def test_counts_are_the_published_ones() -> None:
    by_class = {
        pclass: sum(sum(c) for group, c in COUNTS.items() if group[0] == pclass) for pclass in (1, 2, 3)
    }
    assert by_class == {1: 325, 2: 285, 3: 706}
    assert sum(survived for _, survived in COUNTS.values()) == 499


def test_draws_no_more_of_a_group_than_there_were() -> None:
    passengers = draw_passengers()
    for (pclass, sex), group in passengers.groupby(["Pclass", "Sex"]):
        for survived in (0, 1):
            there_were = sum(c[survived] for g, c in COUNTS.items() if g[:2] == (pclass, sex))
            drawn = int((group["Survived"] == survived).sum())
            assert 0.5 * there_were < drawn <= there_were
    known = passengers.dropna(subset="Age")
    children = known[known["Age"] < 15]
    assert (children["Name"].str.contains("Master|Miss")).all()
    assert not known[known["Name"].str.contains("Mrs")]["Age"].lt(15).any()


def test_is_always_the_same() -> None:
    csv = draw_passengers().to_csv(index=False, lineterminator="\n")
    pd.testing.assert_frame_equal(draw_passengers(), draw_passengers())
    assert (
        hashlib.sha256(csv.encode()).hexdigest()
        == "cab8dee940ed8448c2fe2ab06b680f40f9ffb08c08aecac9203ba6788d8e28a0"
    )
