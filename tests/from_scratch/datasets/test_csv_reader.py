"""CSV files as they occur in practice."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from kedro.io.core import DatasetError

from from_scratch.datasets.csv_reader import read_csv

ROWS = {"a": [1, 2], "é b": ["x", "y"]}


@pytest.mark.parametrize(
    ("content", "load_args"),
    [
        (b"a,\xc3\xa9 b\n1,x\n2,y\n", {}),
        (b"\xef\xbb\xbfa,\xc3\xa9 b\r\n1,x\r\n2,y\r\n", {}),
        (b'"a","\xc3\xa9 b"\n1,"x"\n\n2,"y"', {}),
        (b"a;\xc3\xa9 b\n1;x\n2;y\n", {"sep": ";"}),
        (b"a;\xe9 b\n1;x\n2;y\n", {"sep": ";", "encoding": "latin-1"}),
        ("a\té b\n1\tx\n2\ty\n".encode("utf-16"), {"sep": "\t", "encoding": "utf-16"}),
        (b"a::\xc3\xa9 b\n1::x\n2::y\n", {"sep": "::"}),
        (b"a,\xc3\xa9 b\n1,x\n2,y\n", {"sep": None}),
        (b"a,\xc3\xa9 b\n1,x\n2,y\n", {"engine": "python"}),
        (b"# of\na,\xc3\xa9 b\n1,x\n2,y\nthe end\n", {"skiprows": 1, "skipfooter": 1}),
        (b"1,x\n2,y\n", {"names": ["a", "é b"]}),
    ],
)
def test_the_same_rows(content: bytes, load_args: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_bytes(content)
    assert read_csv(file, load_args).to_dict("list") == ROWS


def test_columns_without_names_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("1,x\n2,y\n")
    assert read_csv(file, {"header": None}).to_dict("list") == {"0": [1, 2], "1": ["x", "y"]}


def test_compressed_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "own.csv.gz"
    file.write_bytes(gzip.compress("a,é b\n1,x\n2,y\n".encode()))
    assert read_csv(file, {}).to_dict("list") == ROWS


@pytest.mark.parametrize(
    ("content", "load_args", "words"),
    [
        ("a,b\n1,2\n3\n", {}, "row 2 has 1 field; expected 2, as in the header"),
        ("a;b\n1;2\n\n3\n", {"sep": ";"}, "row 2 has 1 field; expected 2"),
        (
            "a,b\n1,2\n3\n",
            {"header": 0, "engine": "python", "quotechar": '"'},
            "row 2 has 1 field; expected 2",
        ),
        ("a,b\n1,2\n3,4,5\n", {"usecols": ["a", "b"]}, "row 2 has 3 fields; expected 2"),
        ("a,b\n1,2,3\n", {"index_col": None}, "row 1 has 3 fields; expected 2"),
        ("a,b,b\n1,2,3\n", {"header": 0}, "column b appears twice"),
        ("of 2026\na,b,b\n1,2,3\n", {"skiprows": 1}, "column b appears twice"),
        ("a,b\n'1,5',2\n3\n", {"quotechar": "'"}, "row 2 has 1 field; expected 2"),
        ("a,b\n1,2,3\n", {}, "a row has more fields than the header has names"),
        (
            "a;b;c\n1,5;2;3\n",
            {},
            "more fields than the header has names. If the separator is ';', set",
        ),
        ("a,b,a\n1,2,3\n", {}, "column a appears twice; expected each column once"),
        (
            "a,b\n1,2\n",
            {"chunksize": 1},
            "load_args has chunksize; expected to read the file as one table",
        ),
        ("a,b\n1,2\n", [1], r"load_args is \[1\]; expected a block"),
        ("a,b\n1,2\n", {"sepp": ";"}, "unexpected keyword argument 'sepp'"),
    ],
)
def test_faults(content: str, load_args: Any, words: str, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(content)
    with pytest.raises(DatasetError, match=words):
        read_csv(file, load_args)


@pytest.mark.parametrize(
    ("content", "words"), [("a,b,b\n1,2,3\n", "b appears twice"), ("a,b\n1\n", "row 1 has 1 ")]
)
def test_faults_of_a_compressed_file(content: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "own.csv.gz"
    file.write_bytes(gzip.compress(content.encode()))
    with pytest.raises(DatasetError, match=words):
        read_csv(file, {})


@pytest.mark.parametrize(
    ("content", "load_args"),
    [
        ("a,b\n1,2\n   \n3,4\n  ", {}),
        ("a,b,\n1,2,\n3,4,\n", {"usecols": ["a", "b"]}),
        ("a,b\n1,2,\n3,4,\n", {}),
        ("a,b,c,c\n1,2,0,0\n3,4,0,0\n", {"usecols": ["a", "b"]}),
        ("\ufeffa,b\n1,2\n3,4\n", {"encoding": "utf-8"}),
        ("a,b\n1,2\n3,4\n", {"engine": "pyarrow", "index_col": None}),
    ],
)
def test_no_false_alarms(content: str, load_args: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(content)
    assert read_csv(file, load_args).to_dict("list") | {"c": 0} == {"a": [1, 3], "b": [2, 4], "c": 0}


def test_a_field_in_quotes_may_contain_anything(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text('a,b\n"1,\n2","""x"""\n,\n')
    assert read_csv(file, {}).iloc[0].tolist() == ["1,\n2", '"x"']
