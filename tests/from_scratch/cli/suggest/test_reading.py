"""Detection of the separator, the header, blanks and placeholders of a file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from kedro.io.core import DatasetError

from from_scratch.datasets import RawCSVDataset
from kedro_ledger.errors import InputError
from tests.support.suggesting import block_of, comment_on, kind_of, load_args_of, read, suggested


def written(folder: Path, rows: list[list[str]], separator: str = ",") -> Path:
    file = folder / "own.csv"
    file.write_text("".join(separator.join(row) + "\n" for row in rows))
    return file


def numbers(count: int = 60, seed: int = 1) -> list[list[str]]:
    """Return realistic rows: an age, a fare, and whether the person came."""
    draw = random.Random(seed)
    return [
        [str(draw.randint(18, 80)), f"{draw.uniform(1, 90):.2f}", draw.choice(["yes", "no"])]
        for _ in range(count)
    ]


HEADER = ["age", "fare", "came"]


@pytest.mark.parametrize("placeholder", [" ", "?", "-", "unknown", "n.a."])
def test_placeholders_in_a_column_of_numbers_are_missing_values(placeholder: str, tmp_path: Path) -> None:
    rows = numbers()
    for row in rows[:20]:
        row[0] = placeholder
    files = suggested(written(tmp_path, [HEADER, *rows]), "came")
    assert load_args_of(files) == {"na_values": [placeholder]}
    assert kind_of(files, "age") == "continuous"
    assert f"numbers except in 20 rows with {placeholder!r}" in comment_on(files, "age")
    loaded = RawCSVDataset(filepath=str(tmp_path / "own.csv"), load_args=load_args_of(files)).load()
    assert loaded["age"].isna().sum() == 20
    assert loaded["age"].dtype == "float64"


def test_a_word_that_is_a_value_elsewhere_is_a_placeholder_only_in_its_column(tmp_path: Path) -> None:
    rows = [
        [*row, random.Random(place).choice(["married", "single", "unknown"])]
        for place, row in enumerate(numbers())
    ]
    rows[3][0] = "unknown"
    files = suggested(written(tmp_path, [[*HEADER, "status"], *rows]), "came")
    assert load_args_of(files) == {"na_values": {"age": ["unknown"]}}
    assert block_of(files)["categorical"][0]["categories"] == ["married", "single", "unknown"]
    assert "numbers except in 1 row with 'unknown'" in comment_on(files, "age")


def test_texts_with_digits_are_not_placeholders(tmp_path: Path) -> None:
    rows = [[*row, ["0", "1", "2", "3+"][place % 4]] for place, row in enumerate(numbers())]
    files = suggested(written(tmp_path, [[*HEADER, "dependents"], *rows]), "came")
    assert load_args_of(files) == {}
    assert block_of(files)["categorical"] == [{"column": "dependents", "categories": [0, 1, 2, "3+"]}]


def test_placeholders_can_be_given_as_an_option(tmp_path: Path) -> None:
    rows = [[*row, ["a", "b", "?"][place % 3]] for place, row in enumerate(numbers())]
    files = suggested(written(tmp_path, [[*HEADER, "kind"], *rows]), "came", missing=["?"])
    assert load_args_of(files) == {"na_values": ["?"]}
    assert block_of(files)["categorical"] == [{"column": "kind", "categories": ["a", "b"]}]
    assert comment_on(files, "kind") == "2 categories, 20 missing"


def test_blanks_after_separators(tmp_path: Path) -> None:
    files = suggested(written(tmp_path, [HEADER, *numbers()], ", "), "came")
    assert load_args_of(files) == {"skipinitialspace": True}
    assert block_of(files)["target"] == {"column": "came", "positive": "yes"}


@pytest.mark.parametrize("separator", [";", "\t", "|", "  ", "~", ":", "§"])
def test_the_right_separator_is_named(separator: str, tmp_path: Path) -> None:
    file = written(tmp_path, [HEADER, *numbers()], separator)
    with pytest.raises(InputError) as error:
        suggested(file, "came")
    named = {"\t": "\\t", "  ": r"\s+"}.get(separator, separator)
    assert f"which gives 3 columns. Use --separator '{named}'" in str(error.value)
    assert load_args_of(suggested(file, "came", {"sep": named.replace("\\t", "\t")})) == {
        "sep": named.replace("\\t", "\t")
    }


def test_a_wrong_separator_gets_the_comma_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not separated by ';'; expected ',', which gives 3 columns"):
        suggested(written(tmp_path, [HEADER, *numbers()]), "came", {"sep": ";"})


def test_a_first_row_of_data_is_not_lost(tmp_path: Path) -> None:
    rows = numbers()
    file = written(tmp_path, rows)
    for target in ("came", rows[0][2]):  # the second is in the first row
        with pytest.raises(InputError, match=r"the first row looks like data: .*--no-header"):
            suggested(file, target)
    files = suggested(file, "column_3", has_header=False)
    assert load_args_of(files) == {"header": None, "names": ["column_1", "column_2", "column_3"]}
    files = suggested(file, "came", names=HEADER)
    assert load_args_of(files) == {"header": None, "names": HEADER}
    assert len(RawCSVDataset(filepath=str(file), load_args=load_args_of(files)).load()) == 60


def test_a_file_of_texts_without_a_header(tmp_path: Path) -> None:
    draw = random.Random(3)
    rows = [[draw.choice("xyz"), draw.choice("abc"), draw.choice("pe")] for _ in range(40)]
    with pytest.raises(InputError, match="the first row looks like data"):
        suggested(written(tmp_path, rows), "target")


def test_a_repeated_value_in_the_first_row_suggests_data(tmp_path: Path) -> None:
    rows = [["1", "1", "0.5", "yes"], *([str(i), "2", f"{i / 3:.2f}", "no"] for i in range(9))]
    with pytest.raises(InputError, match=r"the first row looks like data: '1', '1', '0\.5'"):
        suggested(written(tmp_path, rows), "came")


@pytest.mark.parametrize(
    "header",
    [["0", "1", "2"], ["1", "2", "came"], ["1990", "2000", "came"], ["age", "1.5", "came"], ["", "0", "1"]],
)
def test_numbers_may_be_names(header: list[str], tmp_path: Path) -> None:
    assert suggested(written(tmp_path, [header, *numbers()]), header[2])


def test_a_header_that_looks_like_data_can_be_declared(tmp_path: Path) -> None:
    file = written(tmp_path, [["3.5", "0.1", "came"], *numbers()])
    with pytest.raises(InputError, match="if it is a header, use --header"):
        suggested(file, "came")
    assert kind_of(suggested(file, "came", has_header=True), "3.5") == "continuous"


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["a", "b"], "--names has 2 names; expected 3, one for each column"),
        (["a", "b", "a"], "--names contains 'a' twice"),
        (["a", "b", "c"], "the first row looks like a header: 'age', 'fare', 'came'; expected data"),
    ],
)
def test_names_that_do_not_fit(names: list[str], line: str, tmp_path: Path) -> None:
    rows = numbers() if "header" not in line else [HEADER, *numbers()]
    with pytest.raises(InputError) as error:
        suggested(written(tmp_path, rows), "a", names=names)
    assert line in str(error.value)


def test_a_row_that_is_cut_short_is_a_fault_without_a_header_too(tmp_path: Path) -> None:
    rows = numbers()
    rows[7] = rows[7][:2]
    with pytest.raises(DatasetError, match="row 8 has 2 fields; expected 3, one for each column"):
        suggested(written(tmp_path, rows), "came", names=HEADER)


def with_placeholder(placeholder: str, rows: list[list[str]]) -> list[list[str]]:
    for row in rows[:20]:
        row[0] = placeholder
    return rows


def test_a_placeholder_that_is_a_value_elsewhere_is_missing_only_in_its_column(tmp_path: Path) -> None:
    rows = [[*row, "-+ab"[place % 4]] for place, row in enumerate(with_placeholder("-", numbers()))]
    files = suggested(written(tmp_path, [[*HEADER, "sign"], *rows]), "came")
    assert load_args_of(files) == {"na_values": {"age": ["-"]}}
    assert block_of(files)["categorical"] == [{"column": "sign", "categories": ["+", "-", "a", "b"]}]


@pytest.mark.parametrize("given", [[], ["?"]])
@pytest.mark.parametrize(("placeholder", "yes"), [("-", "+"), ("no", "yes"), (" ", "Y")])
def test_placeholders_remove_no_values_of_the_target(
    placeholder: str, yes: str, given: list[str], tmp_path: Path
) -> None:
    rows = [
        [*row[:2], yes if row[2] == "yes" else placeholder]
        for row in with_placeholder(placeholder, numbers())
    ]
    files = suggested(written(tmp_path, [HEADER, *rows]), "came", missing=given)
    assert load_args_of(files)["na_values"]["age"] == [*given, placeholder]
    assert placeholder not in load_args_of(files)["na_values"].get("came", [])
    assert block_of(files)["target"] == {"column": "came", "positive": yes}


@pytest.mark.parametrize("cells", [["2", "4", "more"], ["0", "1", "yes"], ["1", "2", "3", "G"]])
def test_a_word_among_few_numbers_is_a_category(cells: list[str], tmp_path: Path) -> None:
    draw = random.Random(8)
    rows = [[*row, draw.choice(cells)] for row in numbers()]
    files = suggested(written(tmp_path, [[*HEADER, "doors"], *rows]), "came")
    assert load_args_of(files) == {}
    assert {str(category) for category in block_of(files)["categorical"][0]["categories"]} == {*cells}


def test_columns_of_numbers_with_other_texts_get_a_hint(tmp_path: Path) -> None:
    rows = with_placeholder("#DIV/0!", numbers())
    files = suggested(written(tmp_path, [HEADER, *rows]), "came")
    assert (
        "40 rows contain numbers, the others '#DIV/0!'; use --missing to read these as missing"
        in comment_on(files, "age")
    )
    files = suggested(written(tmp_path, [HEADER, *rows]), "came", missing=["#DIV/0!"])
    assert kind_of(files, "age") == "continuous"


@pytest.mark.parametrize("separator", [" ", "  "])
def test_a_short_row_between_blanks_is_a_fault(separator: str, tmp_path: Path) -> None:
    rows = numbers()
    rows[7] = rows[7][:2]
    with pytest.raises(DatasetError, match="row 8 has 2 fields; expected 3, as in the header"):
        suggested(written(tmp_path, [HEADER, *rows], separator), "came", {"sep": r"\s+"})


def test_an_open_quote_is_a_fault(tmp_path: Path) -> None:
    rows = numbers()
    rows[7][1], rows[20][1] = f'"{rows[7][1]}', f'{rows[20][1]}"'
    with pytest.raises(DatasetError, match="row 8 has an unclosed quote: 12 rows are part of one field"):
        suggested(written(tmp_path, [HEADER, *rows]), "came", {})
    rows = [[*row, f'"a, {place}\nb, c\nd\ne, f"'] for place, row in enumerate(numbers())]
    assert suggested(written(tmp_path, [[*HEADER, "text"], *rows]), "came")


def test_a_target_that_is_one_of_its_values_is_not_a_header(tmp_path: Path) -> None:
    rows = [[f"name {place}", f"street {place}", "yes no".split()[place % 2]] for place in range(60)]
    for target in ("yes", "no"):
        with pytest.raises(InputError, match=r"the first row looks like data, because .* is also a value"):
            suggested(written(tmp_path, rows), target)


def test_a_column_may_have_the_name_of_one_of_its_values(tmp_path: Path) -> None:
    rows = [[*row[:2], "came" if row[2] == "yes" else "stayed"] for row in numbers()]
    assert block_of(suggested(written(tmp_path, [HEADER, *rows]), "came"))["target"]["column"] == "came"


def test_new_rows_of_a_file_without_a_header_need_no_target(tmp_path: Path) -> None:
    files = suggested(written(tmp_path, numbers()), "came", names=HEADER)
    catalog = read(files, "catalog.yml")
    assert catalog["raw_data"]["load_args"]["names"] == HEADER
    assert catalog["new_data"]["load_args"]["names"] == HEADER[:2]


def test_a_comma_in_the_header_of_another_separator(tmp_path: Path) -> None:
    rows = [[age, fare.replace(".", ","), came] for age, fare, came in numbers()]
    file = written(tmp_path, [["age", "fare, in pounds", "came"], *rows], ";")
    with pytest.raises(InputError, match=r"which gives 3 columns\. Use --separator ';'"):
        suggested(file, "came")


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        (["no", "yes", "?"], "Use --missing '?' to read '?' as missing"),
        (["no", "yes", "NO"], "These differ only in blanks or capitals: write them alike"),
        (["yes", ""], "column came has one value: 'yes', and no value in 30 rows; expected two values"),
    ],
)
def test_a_target_that_is_nearly_valid(answers: list[str], line: str, tmp_path: Path) -> None:
    rows = [[*row[:2], answers[place % len(answers)]] for place, row in enumerate(numbers())]
    with pytest.raises(InputError) as error:
        suggested(written(tmp_path, [HEADER, *rows]), "came")
    assert line in str(error.value)
