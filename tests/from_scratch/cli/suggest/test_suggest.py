"""`kedro features suggest`: initial parameters that a run accepts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.io.core import DatasetError
from omegaconf import OmegaConf

from from_scratch.cli.suggest.environment import FILES
from from_scratch.datasets import RawCSVDataset
from from_scratch.pipelines.data_processing import nodes
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, check
from kedro_ledger.errors import InputError
from tests.from_scratch.schema.test_parameters import COMMITTED
from tests.support.project import RAW, Project
from tests.support.suggesting import block_of, comment_on, kind_of, load_args_of, read, suggested


def written(folder: Path, text: str) -> Path:
    file = folder / "own.csv"
    file.write_text(text, newline="")
    return file


def test_the_titanic() -> None:
    block = block_of(suggested(RAW / "train.csv", "Survived"))
    assert block["identifier"] == "PassengerId"
    assert block["target"] == {"column": "Survived", "positive": 1}
    assert block["continuous"] == [{"column": "Age", "fill": "median"}, "SibSp", "Parch"]
    assert block["log"] == ["Fare"]
    assert block["categorical"] == [
        {"column": "Pclass", "categories": [1, 2, 3]},
        {"column": "Sex", "categories": ["female", "male"]},
        {"column": "Embarked", "categories": ["C", "Q", "S"]},
    ]
    assert block["ignore"] == ["Name", "Ticket", "Cabin"]


@pytest.mark.parametrize(
    ("rows", "decay", "epochs", "deep_decay", "batch_size"),
    [
        (8, 1, 100, 1, 64),
        (40, 0.3, 100, 1, 64),
        (500, 0.024, 60, 1, 64),
        (2000, 0.006, 30, 0.5, 64),
        (9600, 0.00125, 30, 0.3, 64),
        (9601, 0.00125, 30, 0.3, 128),
        (280_000, 0.000043, 30, 0.3, 2048),
    ],
)
def test_the_variants_are_those_of_base_adapted_to_the_number_of_rows(
    rows: int, decay: float, epochs: int, deep_decay: float, batch_size: int, tmp_path: Path
) -> None:
    text = "a,b\n" + "".join(f"{i / 7},{i % 2}\n" for i in range(rows))
    files = suggested(written(tmp_path, text), "b")["parameters.yml"]
    merged = OmegaConf.to_container(OmegaConf.merge(COMMITTED, OmegaConf.create(files)))
    assert isinstance(merged, dict)
    parameters = check({str(name): value for name, value in merged.items()})
    committed = check(COMMITTED).variants
    logistic = committed["logistic"].model_copy(update={"weight_decay": decay})
    changed = {"epochs": epochs, "weight_decay": deep_decay, "batch_size": batch_size}
    deep = committed["deep_practice"].model_copy(update=changed)
    assert parameters.variants == {"logistic": logistic, "deep_practice": deep}
    assert parameters.inference.variant == "logistic"
    assert parameters.studied == ["logistic", "deep_practice"]
    assert parameters.without_constants == []


COLUMNS = [
    ("0.5,1.5,,2.5,9,4,5,6,7,8", "continuous", "0.5 to 9, median 5, 1 missing"),
    ("1,2,3,1,2,3,1,2,3,1", "categorical", "3 categories"),
    ("True,False,,True,False,True,True,True,True,True", "categorical", "2 categories, 1 missing"),
    ("a,b,a,b,a,b,a,b,,b", "categorical", "2 categories, 1 missing"),
    ("1,2,3,4,5,6,7,8,9,5000", "log", "1 to 5000, median 5.5"),
    ("x,x,x,x,x,x,x,x,x,x", "ignore", "always the same"),
    (",,,,,,,,,", "ignore", "no values"),
    ("a,b,c,d,e,f,g,h,i,j", "ignore", "10 distinct values"),
    ("1e300,1,2,3,4,5,6,7,8,9", "ignore", "numbers too large to compute with"),
    ("inf,1,2,3,4,5,6,7,8,9", "ignore", "numbers too large to compute with"),
    ("01,02,01,02,01,02,01,02,01,02", "categorical", "2 categories"),
    ("3,1,4,1,5,9,2,6,5,", "continuous", "1 to 9, median 4, 1 missing"),
    (
        "1,2,3,4,5,6,7,8,9,",
        "ignore",
        "a different whole number in nearly every row: an identifier or row numbers",
    ),
    ("0,1,2,0,1,2,0,1,2,0", "continuous", "0 to 2, median 1"),
    ("0,1,0,1,0,1,1,1,0,0", "categorical", "2 categories"),
    ("2024-01-31,2024-02-01,3/1/2024,1 Mar 2024,2024-01-31 12:00,,,,,", "ignore", "dates or times"),
    ("20240131,20240201,20240131,20240201,20240131,20240201,20240131,20240201,20240131,", "ignore", "dates"),
    ("12:30,12:45,1:00 pm,12:30,12:45,1:00 pm,12:30,12:45,1:00 pm,", "ignore", "dates or times"),
    (
        "a,b,a,b,NA,NA,a,b,a,b",
        "categorical",
        "2 missing (2 of them are 'NA'; if that is a value, set load_args: {keep_def",
    ),
    ("01,02,,02,01,02,01,02,01,02", "categorical", "2 categories, 1 missing"),
    ("12345678901234567,12345678901234568,1,2,3,4,5,6,7,", "ignore", "9 distinct values, 1 missing"),
    (f"{'9' * 30},1,2,3,4,5,6,7,8,9", "ignore", "distinct values"),
]


@pytest.mark.parametrize(("values", "kind", "seen"), COLUMNS)
def test_a_column(values: str, kind: str, seen: str, tmp_path: Path) -> None:
    rows = [f"{row * row % 7},{value},{row % 2}" for row, value in enumerate(values.split(","))]
    files = suggested(written(tmp_path, "\n".join(["other,what,target", *rows])), "target")
    assert kind_of(files, "what") == kind
    assert seen in comment_on(files, "what")


@pytest.mark.parametrize(
    ("classes", "yes"),
    [("ja nein", "ja"), ("False True", "True"), ("0 1", 1), ("1 2", 2), ("+ -", "+"), ("a b", "b")],
)
def test_which_value_counts_as_yes(classes: str, yes: str, tmp_path: Path) -> None:
    rows = [f"{row}.5,{classes.split()[row % 2]}" for row in range(9)]
    files = suggested(written(tmp_path, "\n".join(["x,t", *rows])), "t")
    assert block_of(files)["target"]["positive"] == yes


@pytest.mark.parametrize(
    ("header", "identifier"),
    [("no,b,t", "no"), ("b,user_id,t", "user_id"), ("b,userId,t", "userId"), ("b,paid,t", None)],
)
def test_the_identifier(header: str, identifier: str | None, tmp_path: Path) -> None:
    place = 0 if header.startswith("no") else 1
    rows = [[f"{row}", "x"] if place == 0 else ["x", f"{7 * row}"] for row in range(9)]
    text = "\n".join([f"{header},n", *(",".join([*row, str(i % 2), f"{i}.5"]) for i, row in enumerate(rows))])
    assert block_of(suggested(written(tmp_path, text), "t"))["identifier"] == identifier


def test_codes_stay_texts(tmp_path: Path) -> None:
    rows = [f"0{row % 2},{row},{row % 2}" for row in range(10)]
    file = written(tmp_path, "\n".join(["code,number,target", *rows]))
    files = suggested(file, "target")
    assert load_args_of(files) == {"dtype": {"code": "str"}}
    assert block_of(files)["categorical"] == [{"column": "code", "categories": ["00", "01"]}]


names = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)
odd_names = st.sampled_from(
    [
        "yes",
        "null",
        "1",
        "-1",
        "1e5",
        "a: b",
        "#a",
        "${x}",
        "\\${x}",
        '"',
        "'",
        "{a}",
        "[",
        "é 🙂",
        "\0",
        "\x85",
    ]
)


@given(
    st.lists(names | odd_names, min_size=2, max_size=4, unique=True),
    st.lists(odd_names, min_size=8, max_size=8),
)
def test_the_block_works_with_any_names(
    tmp_path_factory: pytest.TempPathFactory, header: list[str], cells: list[str]
) -> None:
    rows = [
        [cells[row % 8], *[str(row + place) for place in range(len(header) - 2)], row % 2]
        for row in range(24)
    ]
    file = tmp_path_factory.mktemp("names") / "own.csv"
    pd.DataFrame(rows, columns=header).to_csv(file, index=False)
    try:
        files = suggested(file, header[-1], has_header=True)
    except (DatasetError, InputError):
        return  # pandas cannot read back every name
    block = Features.model_validate(block_of(files))
    taken_in, _ = nodes.ingest(
        RawCSVDataset(filepath=str(file), load_args=load_args_of(files)).load(),
        block,
        Split(seed=1, validation_fraction=0.5),
    )
    assert block.target.column == header[-1]
    assert {column.column for column in block.columns} <= set(taken_in.columns)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a,b\n", "own.csv: there are no rows, only a header"),
        ("a,b\n1,2\n", "own.csv: no column target; found 'a', 'b'"),
        ("a,targets\n1,2\n", "did you mean targets"),
        ("a,target\n1,2\n1,3\n", "own.csv: no column except target can be a feature"),
        ("a,target\n1,2\n", "own.csv: column target has one value: '2'; expected two values"),
        ("a,target\n1,\n", "own.csv: column target has no values; expected two values"),
        (
            "a,target\n1,x\n1,y\n1,z\n",
            "own.csv: column target has 3 values: 'x', 'y', 'z'; expected two values, since the models "
            "predict yes or no. Keep only the rows of two values, or add a column that says "
            "whether target is 'x', and make it the target",
        ),
        (
            "a,target\n" + "".join(f"x,{i}\n" for i in range(30)),
            "own.csv: column target has 30 distinct numbers; expected two values, since the models predict "
            "yes or no. Add a column that says whether target is above 14.5, its median, and make it "
            "the target",
        ),
        (
            "Logx,x,target\n1.5,1,0\n2,2,1\n3,900,0\n,3,1\n,2,1\n,5,1\n,6,0\n",
            "two features would be named Logx",
        ),
    ],
)
def test_no_suggestion(text: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        suggested(written(tmp_path, text), "target")
    assert line in str(error.value)


def test_the_command(project: Project) -> None:
    written(project.folder, "id;price;sold\r\n" + "".join(f"{i};{i},5;{i % 2}\r\n" for i in range(9)))
    asked = ("features", "suggest", "own.csv", "--target", "sold")
    ran = project.kedro(*asked)
    assert ran.returncode == 1
    assert "which gives 3 columns. Use --separator ';'" in ran.stderr
    assert "if these are numbers, use --decimal ','" in project.kedro(*asked, "--separator", ";").stderr
    options = ("--separator", ";", "--decimal", ",", "--encoding", "latin-1")
    ran = project.kedro(*asked, *options)
    assert '#     load_args: {"sep": ";", "decimal": ",", "encoding": "latin-1"}' in ran.stdout
    assert block_of({"parameters.yml": ran.stdout})["continuous"] == ["price"]
    assert project.kedro("features", "suggest", "nope.csv", "--target", "x").returncode == 1

    assert project.kedro(*asked, *options, "--env", "bikes").returncode == 0
    assert sorted(file.name for file in (project.folder / "conf/bikes").iterdir()) == sorted(FILES)
    files = {name: (project.folder / "conf/bikes" / name).read_text() for name in FILES}
    assert read(files, "globals.yml") == {"data_folder": "data/bikes"}
    assert load_args_of(files) == {"sep": ";", "decimal": ",", "encoding": "latin-1"}
    assert ran.stdout.endswith(files["parameters.yml"])
    assert "conf/bikes/globals.yml exists" in project.kedro(*asked, *options, "--env", "bikes").stderr
    assert "--env is '../x'; expected" in project.kedro(*asked, *options, "--env", "../x").stderr
