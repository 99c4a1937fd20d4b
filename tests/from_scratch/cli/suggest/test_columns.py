"""Suggested kinds of columns, in files with other columns."""

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
    """Write a CSV of a numeric feature, the given columns and a target."""
    frame = pd.DataFrame({"weight": DRAW.normal(70, 9, ROWS).round(1), **columns, "sold": SOLD})
    frame.to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


LEAKS = [
    ("sale", np.where(SOLD == 1, "sold", "left"), "each of its values has one answer"),
    ("price", 1000 * SOLD + DRAW.uniform(0, 900, ROWS).round(2), "a single threshold separates the answers"),
    ("loss", 0.001 * DRAW.uniform(size=ROWS) - SOLD, "a single threshold separates the answers"),
    (
        "state",
        np.where(SOLD == 1, DRAW.integers(5, 8, ROWS), DRAW.integers(1, 4, ROWS)),
        "each of its values",
    ),
    ("day", np.where(SOLD == 1, DRAW.normal(size=ROWS), np.nan), "missing in all rows with one answer"),
    ("reason", np.where((SOLD == 0) & (DRAW.uniform(size=ROWS) < 0.4), "broken", ""), "always the same"),
    (
        "body",
        np.where((SOLD == 0) & (DRAW.uniform(size=ROWS) < 0.4), DRAW.integers(1, 9, ROWS), np.nan),
        "each of",
    ),
]


@pytest.mark.parametrize(("name", "values", "seen"), LEAKS, ids=[name for name, _, _ in LEAKS])
def test_a_column_that_gives_the_answer_away(name: str, values: object, seen: str, tmp_path: Path) -> None:
    files = suggested(written(tmp_path, **{name: values}), "sold")
    assert kind_of(files, name) == "ignore"
    assert seen in comment_on(files, name)


def test_a_column_that_gives_nearly_all_answers_away_is_kept(tmp_path: Path) -> None:
    price = 1000 * SOLD + DRAW.uniform(0, 900, ROWS)
    price[SOLD == 0] = np.where(DRAW.uniform(size=(SOLD == 0).sum()) < 0.05, 1500.5, price[SOLD == 0])
    assert kind_of(suggested(written(tmp_path, price=price), "sold"), "price") == "continuous"


def test_a_coincidence_in_few_rows_is_not_a_leak(tmp_path: Path) -> None:
    frame = pd.DataFrame({"size": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5], "sold": [0, 0, 0, 1, 1, 1]})
    frame.to_csv(tmp_path / "own.csv", index=False)
    assert kind_of(suggested(tmp_path / "own.csv", "sold"), "size") == "continuous"


IDENTIFIERS = [
    ("number", np.arange(ROWS) + 1, "row numbers"),
    ("ticket", DRAW.permutation(10_000_000)[:ROWS], "a different whole number in nearly every row"),
    ("account", np.sort(DRAW.permutation(10_000_000)[:ROWS]), "a different whole number in nearly every row"),
    ("mail", [f"user{place}@example.org" for place in range(ROWS)], "400 distinct values"),
    ("customer_id", DRAW.integers(1, 200, ROWS), "an identifier, judging by its name"),
    ("Unnamed: 0", DRAW.permutation(ROWS), "row numbers"),
]


@pytest.mark.parametrize(("name", "values", "seen"), IDENTIFIERS, ids=[name for name, _, _ in IDENTIFIERS])
def test_an_identifier_is_not_a_feature(name: str, values: object, seen: str, tmp_path: Path) -> None:
    files = suggested(written(tmp_path, **{name: values}), "sold")
    assert kind_of(files, name) == "ignore"
    assert seen in comment_on(files, name)


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


def test_unusable_columns_are_ignored(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=ROWS, freq="7h")
    file = written(
        tmp_path,
        country="Atlantis",
        day=days.strftime("%d.%m.%Y"),
        when=days.astype(str),
        town=[f"town {place}" for place in DRAW.integers(0, 60, ROWS)],
        rare=np.where(DRAW.uniform(size=ROWS) < 0.05, DRAW.integers(0, 9, ROWS), np.nan),
    )
    files = suggested(file, "sold")
    assert block_of(files)["ignore"] == ["country", "day", "when", "town", "rare"]
    reasons = {name: comment_on(files, name) for name in block_of(files)["ignore"]}
    assert reasons["country"] == "always the same"
    assert reasons["day"] == "dates or times, such as '01.01.2024'"
    assert reasons["town"] == "60 distinct values"
    assert reasons["rare"].startswith("missing in 9")


def test_the_second_of_two_equivalent_columns_is_ignored(tmp_path: Path) -> None:
    grade = DRAW.integers(1, 4, ROWS)
    celsius = DRAW.integers(0, 33, ROWS) / 4
    file = written(
        tmp_path,
        grade=grade,
        word=np.array(["low", "middle", "high"])[grade - 1],
        celsius=celsius,
        fahrenheit=32 + 1.8 * celsius,
    )
    files = suggested(file, "sold")
    assert block_of(files)["ignore"] == ["word", "fahrenheit"]
    assert comment_on(files, "word") == "duplicates grade, 3 categories"
    assert comment_on(files, "fahrenheit").startswith("duplicates celsius, 32 to ")


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
    assert [column["column"] for column in block["categorical"]] == ["grade", "owner"]


def test_columns_of_few_rows_with_distinct_values_are_not_duplicates(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": DRAW.normal(size=12), "b": DRAW.normal(size=12), "sold": SOLD[:12]})
    frame.to_csv(tmp_path / "own.csv", index=False)
    assert block_of(suggested(tmp_path / "own.csv", "sold"))["continuous"] == ["a", "b"]


def test_numbers_with_commas_get_a_hint(tmp_path: Path) -> None:
    price = DRAW.uniform(500, 2000, ROWS)
    file = written(
        tmp_path,
        thousands=[f"{value:,.0f}" for value in price],
        decimal=[f"{value:.2f}".replace(".", ",") for value in price],
        text=[f"Smith, {place}" for place in range(ROWS)],
        both=[f"{1000 * value:,.2f}" for value in price],
    )
    files = suggested(file, "sold")
    assert comment_on(files, "thousands").endswith("load_args: {thousands: ','} in catalog.yml")
    assert comment_on(files, "both").endswith("load_args: {thousands: ','} in catalog.yml")
    assert comment_on(files, "decimal").endswith("--decimal ','")
    assert comment_on(files, "text") == "400 distinct values"


def test_a_file_that_is_sorted_by_its_target_keeps_its_identifier(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(ROWS), "weight": DRAW.normal(size=ROWS), "sold": np.sort(SOLD)})
    frame.to_csv(tmp_path / "own.csv", index=False)
    assert block_of(suggested(tmp_path / "own.csv", "sold"))["identifier"] == "id"
