"""What columns are taken for, each beside others as files have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.suggesting import block_of, comment_on, kind_of, suggested

ROWS = 400
DRAW = np.random.default_rng(5)
SOLD = DRAW.integers(0, 2, ROWS)


def written(folder: Path, **columns: object) -> Path:
    """Write a CSV with something to learn from, and a target, around columns."""
    frame = pd.DataFrame({"weight": DRAW.normal(70, 9, ROWS).round(1), **columns, "sold": SOLD})
    frame.to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


LEAKS = [
    ("sale", np.where(SOLD == 1, "sold", "left"), "each of its values has one answer"),
    ("price", 1000 * SOLD + DRAW.uniform(0, 900, ROWS).round(2), "a single limit separates the answers"),
    ("loss", 0.001 * DRAW.uniform(size=ROWS) - SOLD, "a single limit separates the answers"),
    (
        "state",
        np.where(SOLD == 1, DRAW.integers(5, 8, ROWS), DRAW.integers(1, 4, ROWS)),
        "each of its values",
    ),
    ("day", np.where(SOLD == 1, DRAW.normal(size=ROWS), np.nan), "missing in all rows of one answer"),
    ("reason", np.where((SOLD == 0) & (DRAW.uniform(size=ROWS) < 0.4), "broken", ""), "always the same"),
    (
        "body",
        np.where((SOLD == 0) & (DRAW.uniform(size=ROWS) < 0.4), DRAW.integers(1, 9, ROWS), np.nan),
        "each of",
    ),
]


@pytest.mark.parametrize(("name", "values", "seen"), LEAKS, ids=[name for name, _, _ in LEAKS])
def test_a_column_that_gives_the_answer_away(name: str, values: object, seen: str, tmp_path: Path) -> None:
    said = suggested(written(tmp_path, **{name: values}), "sold")
    assert kind_of(said, name) == "ignore"
    assert seen in comment_on(said, name)


def test_a_column_that_gives_nearly_all_answers_away_is_kept(tmp_path: Path) -> None:
    price = 1000 * SOLD + DRAW.uniform(0, 900, ROWS)
    price[SOLD == 0] = np.where(DRAW.uniform(size=(SOLD == 0).sum()) < 0.05, 1500.5, price[SOLD == 0])
    assert kind_of(suggested(written(tmp_path, price=price), "sold"), "price") == "continuous"


def test_chance_in_few_rows_is_no_leak(tmp_path: Path) -> None:
    frame = pd.DataFrame({"size": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5], "sold": [0, 0, 0, 1, 1, 1]})
    frame.to_csv(tmp_path / "own.csv", index=False)
    assert kind_of(suggested(tmp_path / "own.csv", "sold"), "size") == "continuous"


IDENTIFIERS = [
    ("number", np.arange(ROWS) + 1, "row numbers"),
    ("ticket", DRAW.permutation(10_000_000)[:ROWS], "another whole number in nearly every row"),
    ("account", np.sort(DRAW.permutation(10_000_000)[:ROWS]), "another whole number in nearly every row"),
    ("mail", [f"user{place}@example.org" for place in range(ROWS)], "400 different values"),
    ("customer_id", DRAW.integers(1, 200, ROWS), "an identifier by its name"),
    ("Unnamed: 0", DRAW.permutation(ROWS), "row numbers"),
]


@pytest.mark.parametrize(("name", "values", "seen"), IDENTIFIERS, ids=[name for name, _, _ in IDENTIFIERS])
def test_an_identifier_is_no_feature(name: str, values: object, seen: str, tmp_path: Path) -> None:
    said = suggested(written(tmp_path, **{name: values}), "sold")
    assert kind_of(said, name) == "ignore"
    assert seen in comment_on(said, name)


MEASURES = [
    ("income", DRAW.lognormal(10, 0.6, ROWS).astype(int)),
    ("distance", DRAW.normal(1_000_000, 150_000, ROWS).astype(int)),
    ("area", (DRAW.gamma(4, 300, ROWS) * 10).astype(int)),
]


@pytest.mark.parametrize(("name", "values"), MEASURES, ids=[name for name, _ in MEASURES])
def test_a_measure_that_differs_in_nearly_every_row_is_a_feature(
    name: str, values: object, tmp_path: Path
) -> None:
    assert kind_of(suggested(written(tmp_path, **{name: values}), "sold"), name) in ("continuous", "log")


def test_columns_of_no_use(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=ROWS, freq="7h")
    file = written(
        tmp_path,
        country="Atlantis",
        day=days.strftime("%d.%m.%Y"),
        when=days.astype(str),
        town=[f"town {place}" for place in DRAW.integers(0, 60, ROWS)],
        rare=np.where(DRAW.uniform(size=ROWS) < 0.05, DRAW.integers(0, 9, ROWS), np.nan),
    )
    said = suggested(file, "sold")
    assert block_of(said)["ignore"] == ["country", "day", "when", "town", "rare"]
    reasons = {name: comment_on(said, name) for name in block_of(said)["ignore"]}
    assert reasons["country"] == "always the same"
    assert reasons["day"] == "dates or times, such as '01.01.2024'"
    assert reasons["town"] == "60 different values"
    assert reasons["rare"].startswith("missing in 9")


def test_of_two_columns_that_say_the_same_one_is_ignored(tmp_path: Path) -> None:
    grade = DRAW.integers(1, 4, ROWS)
    celsius = DRAW.integers(0, 33, ROWS) / 4
    file = written(
        tmp_path,
        grade=grade,
        word=np.array(["low", "middle", "high"])[grade - 1],
        celsius=celsius,
        fahrenheit=32 + 1.8 * celsius,
    )
    said = suggested(file, "sold")
    assert block_of(said)["ignore"] == ["word", "fahrenheit"]
    assert comment_on(said, "word") == "says the same as grade, 3 categories"
    assert comment_on(said, "fahrenheit").startswith("says the same as celsius, 32 to ")


def test_counts_stay_numbers_and_siblings_are_treated_alike(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        children=DRAW.integers(0, 4, ROWS),
        grade=DRAW.integers(1, 4, ROWS),
        pixel_1=DRAW.integers(0, 17, ROWS),
        pixel_2=DRAW.integers(0, 2, ROWS),
        q1=DRAW.integers(1, 8, ROWS),
        q2=DRAW.integers(1, 5, ROWS),
        rough=DRAW.choice([1, 2, 7], ROWS),
        owner=DRAW.integers(0, 2, ROWS),
    )
    block = block_of(suggested(file, "sold"))
    assert block["continuous"] == ["weight", "children", "pixel_1", "pixel_2", "q1", "q2", "rough"]
    assert [one["column"] for one in block["categorical"]] == ["grade", "owner"]


def test_few_rows_in_which_all_values_differ_do_not_say_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": DRAW.normal(size=12), "b": DRAW.normal(size=12), "sold": SOLD[:12]})
    frame.to_csv(tmp_path / "own.csv", index=False)
    assert block_of(suggested(tmp_path / "own.csv", "sold"))["continuous"] == ["a", "b"]


def test_numbers_with_commas_get_a_hint(tmp_path: Path) -> None:
    price = DRAW.uniform(500, 2000, ROWS)
    file = written(
        tmp_path,
        thousands=[f"{one:,.0f}" for one in price],
        decimal=[f"{one:.2f}".replace(".", ",") for one in price],
        text=[f"Smith, {place}" for place in range(ROWS)],
        both=[f"{1000 * one:,.2f}" for one in price],
    )
    said = suggested(file, "sold")
    assert comment_on(said, "thousands").endswith("load_args: {thousands: ','}")
    assert comment_on(said, "both").endswith("load_args: {thousands: ','}")
    assert comment_on(said, "decimal").endswith("--decimal ','")
    assert comment_on(said, "text") == "400 different values"


def test_a_file_that_is_sorted_by_its_target_keeps_its_identifier(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(ROWS), "weight": DRAW.normal(size=ROWS), "sold": np.sort(SOLD)})
    frame.to_csv(tmp_path / "own.csv", index=False)
    assert block_of(suggested(tmp_path / "own.csv", "sold"))["identifier"] == "id"
