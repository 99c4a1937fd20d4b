"""Problems in the input are reported, one per line, before anything is written, and no committed run is lost.

The first nodes of a run find the problems in data and parameters, and most tests call only these nodes. A few
cases (with `make test-all`, all of them) start `kedro run` as a user does, in a project with a committed run.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.io.core import DatasetError
from omegaconf import OmegaConf

from from_scratch.pipelines.data_processing.nodes import ingest
from from_scratch.pipelines.inference.nodes import ingest_new
from from_scratch.schema import parameters
from kedro_ledger.errors import InputError
from kedro_ledger.ledger import Ledger
from tests.support.project import RAW, ROOT, Project

Rows = list[list[str]]
GOOD: Rows = list(csv.reader(io.StringIO((RAW / "train.csv").read_text())))[:41]
HEADER = GOOD[0]


def written(rows: Rows, separator: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def having(**cells: str | dict[int, str]) -> bytes:
    """Return good passengers except for some cells: one value for all rows, or values by row number."""
    rows = [list(row) for row in GOOD]
    for column, values in cells.items():
        place = HEADER.index(column)
        for number, row in enumerate(rows[1:], start=1):
            row[place] = values if isinstance(values, str) else values.get(number, row[place])
    return written(rows)


def without(*columns: str) -> bytes:
    kept = [place for place, column in enumerate(HEADER) if column not in columns]
    return written([[row[place] for place in kept] for row in GOOD])


def renamed(column: str, name: str) -> bytes:
    return written([[name if cell == column else cell for cell in HEADER], *GOOD[1:]])


class Case(NamedTuple):
    """A problem in the input, and the lines that report it, as patterns."""

    name: str
    lines: list[str]
    train: bytes | None = written(GOOD)
    """The content of train.csv; None if the file does not exist."""
    test: bytes | None = None
    arguments: tuple[str, ...] = ()
    files: dict[str, str] = {}  # noqa: RUF012
    """Files in `conf`, by path."""
    prepare: Callable[[Path], object] | None = None
    """Called with data/01_raw, to prepare it further."""

    def write(self, folder: Path) -> None:
        """Write the problem into a project without raw data."""
        raw = folder / "data" / "01_raw"
        for name, content in (("train.csv", self.train), ("test.csv", self.test)):
            if content is not None:
                (raw / name).write_bytes(content)
        (folder / "pyproject.json").write_text("{}")
        for name, text in self.files.items():
            (folder / "conf" / name).parent.mkdir(exist_ok=True)
            (folder / "conf" / name).write_text(text)
        if self.prepare:
            self.prepare(raw)


def of_data(name: str, train: bytes | None, *lines: str, **others: object) -> Case:
    return Case(name, list(lines), train, **others)  # type: ignore[arg-type]


def of_parameters(parameters: str, *lines: str) -> Case:
    return Case(parameters, list(lines), arguments=("--params", parameters))


def of_options(*arguments: str, line: str) -> Case:
    return Case(" ".join(arguments), [line], arguments=arguments)


def of_configuration(name: str, file: str, content: str, line: str, *arguments: str) -> Case:
    return Case(name, [line], files={file: content}, arguments=arguments)


CSV = "type: from_scratch.datasets.RawCSVDataset"
INFERENCE = ("--pipeline", "inference")

DATA = [
    of_data("empty file", b"", r"train\.csv could not be read as CSV: the file is empty"),
    of_data("header only", written(GOOD[:1]), "train.csv: there are no rows, only a header; expected at"),
    of_data(
        "no such file",
        None,
        "train.csv does not exist; run `git checkout .*train.csv` or `kaggle competitions download",
    ),
    of_data(
        "no such file, but an address",
        None,
        "x.csv does not exist. To download it from http:.*, list its dataset in runs.changing",
        files={"local/catalog.yml": f"raw_data: {{{CSV}, filepath: x.csv, url: 'http://127.0.0.1:9/x.csv'}}"},
    ),
    of_data(
        "the catalog names a file that does not exist",
        None,
        "nope.csv does not exist; expected a CSV file there, or another `filepath` in the catalog",
        files={"local/catalog.yml": f"raw_data: {{{CSV}, filepath: data/01_raw/nope.csv}}"},
    ),
    of_data(
        "a folder",
        None,
        "train.csv could not be read as CSV: .*Is a directory",
        prepare=lambda raw: (raw / "train.csv").mkdir(),
    ),
    of_data(
        "a link to itself",
        None,
        "train.csv could not be read as CSV: .*Too many levels of symbolic links",
        prepare=lambda raw: (raw / "train.csv").symlink_to("train.csv"),
    ),
    of_data(
        "binary junk",
        bytes(range(256)) * 99,
        r"train\.csv could not be read as CSV: line 3 has 2 fields; expected 1",
    ),
    of_data("zero bytes", b"\0" * 999, r"train\.csv"),
    of_data(
        "semicolons", written(GOOD, ";"), r"more fields than the header has names.*load_args: \{sep: \";\"\}"
    ),
    of_data("tabs", written(GOOD, "\t"), r"more fields than the header .*load_args: \{sep: \"\\t\"\}"),
    of_data(
        "UTF-16",
        written(GOOD).decode().encode("utf-16"),
        r"'utf-8' codec can't decode .*load_args: \{encoding: utf-16",
    ),
    of_data(
        "Latin-1", having(Name="José").decode().encode("latin-1"), r"can't decode .*load_args: \{encoding: "
    ),
    of_data("a row that is cut short", written(GOOD)[:-9], r"train\.csv: row 40 has \d+ fields; expected 12"),
    of_data("a pipe", None, "is not a regular file", prepare=lambda raw: os.mkfifo(raw / "train.csv")),
    of_data(
        "a compressed file",
        gzip.compress(written(GOOD)),
        "could not be read as CSV: .*the file is compressed; expected",
    ),
    of_data(
        "a number of 400 digits",
        having(Age={3: "9" * 400}),
        "column Age has 9{60}… in row 3; expected a number of at most 1e.38",
    ),
    of_data(
        "a page of the web",
        b"<!DOCTYPE html>\n<html><body>\n<p>Sign in</p>\n</body></html>\n",
        "no columns ",
        "0 of 3 rows would be validation rows",
    ),
    of_data("a column is missing", without("Fare"), "train.csv: no column Fare; found 'PassengerId', "),
    of_data("two columns are missing", without("Fare", "Sex"), "train.csv: no columns Fare, Sex; found "),
    of_data(
        "a column appears twice",
        renamed("Parch", "Age"),
        "column Age appears twice; expected each column once",
    ),
    of_data("another case", renamed("Age", "age"), "no column Age; found .*'age'"),
    of_data(
        "more fields than names",
        written([HEADER, [*GOOD[1], "x"], *GOOD[2:]]),
        r"train\.csv could not be read as CSV",
    ),
    of_data(
        "an open quote",
        written(GOOD) + b'1,"2,3\n',
        "train.csv could not be read as CSV: .*EOF inside string",
    ),
    of_data(
        "a text among numbers", having(Age={3: "old"}), "column Age has 'old' in row 3; expected a number"
    ),
    of_data(
        "a decimal comma",
        having(Fare={1: "7,25"}),
        "column Fare has '7,25' in row 1; expected a number of at",
    ),
    of_data(
        "a date", having(Age="2020-01-01"), r"column Age has .* in row 3, … \(40 rows\); expected a number"
    ),
    of_data("infinite", having(Age={2: "inf"}), "column Age has inf in row 2; expected a number"),
    of_data(
        "beyond float32", having(Fare={2: "1e39"}), r"column Fare has 1e\+39 in row 2; expected a number"
    ),
    of_data(
        "a negative fare",
        having(Fare={4: "-1"}),
        "column Fare has -1.0 in row 4; expected a number of at least 0",
    ),
    of_data(
        "an unknown category",
        having(Embarked={5: "X"}),
        "column Embarked has 'X' in row 5; expected one of 'C', ",
    ),
    of_data(
        "an unknown class",
        having(Pclass={5: "4"}),
        "column Pclass has 4 in row 5; expected one of '1', '2', '3'",
    ),
    of_data("all missing", having(Age=""), "column Age has no value; expected at least one, or a `constant`"),
    of_data(
        "one class",
        having(Survived="1"),
        "column Survived has '1' in 40 rows; expected two values, one of them",
    ),
    of_data(
        "three classes",
        having(Survived={1: "2"}),
        "column Survived has 3 values: '0', '1', '2'; expected two values, since the models",
    ),
    of_data(
        "a target of words",
        having(Survived={i: "no" if i % 2 else "yes" for i in range(41)}),
        r"column Survived has 'no' in 20 rows, 'yes' in 20 rows; expected .*target\.positive, which is 1",
    ),
    of_data(
        "a target is missing",
        having(Survived={7: ""}),
        "column Survived has no value in row 7; expected a value in",
    ),
    of_data(
        "an identifier twice",
        having(PassengerId={7: "1"}),
        "column PassengerId has 1 in row 7; expected each identifier",
    ),
    of_data(
        "no identifier",
        having(PassengerId={7: ""}),
        "column PassengerId has no value in row 7; expected a value in",
    ),
    of_data(
        "too few rows", written(GOOD[:3]), "validation_fraction is 0.2: 0 of 2 rows would be validation rows"
    ),
    of_data("a line of 30 MB", b"x" * 30_000_000, "train.csv: no columns PassengerId, .*; found 'xxx"),
    of_data("a cell of 30 MB", having(Sex={1: "x" * 30_000_000}), "column Sex has 'xxx.*… in row 1"),
    of_data(
        "several faults",
        having(Age={1: "x"}, Fare={2: "-1"}, Sex="?"),
        "column Age has 'x' in row 1; expected a number",
        "column Fare has -1.0 in row 2",
        r"column Sex .*\(40 rows\)",
    ),
]

PARAMETERS = [
    of_parameters(
        "variants.deep.epochs=0",
        "parameter variants.deep.epochs is 0; expected a number greater than or equal to 1",
    ),
    of_parameters(
        "variants.deep.epochs=many",
        "parameter variants.deep.epochs is 'many'; expected a valid integer",
    ),
    of_parameters(
        "variants.deep.learning_rat=1",
        "parameter variants.deep.learning_rat is unknown; did you mean variants.deep.learning_rate",
    ),
    of_parameters(
        "variants.deep.epochs=0,threads=0",
        "parameter threads is 0; ",
        "parameter variants.deep.epochs is 0; ",
    ),
    of_parameters(
        "features.fit_on=valid", "parameter features.fit_on is 'valid'; expected one of all, train"
    ),
    of_parameters(
        "features.identifier=Ticket", "parameter features: column Ticket appears twice; expected each"
    ),
    of_parameters("features.target.column=Died", "train.csv: no column Died; found 'PassengerId'"),
    of_parameters(
        "features.target.positive=2", "column Survived .*expected two values, one of them .* which is 2"
    ),
    of_parameters(
        "split.validation_fraction=0.001",
        "validation_fraction is 0.001: 0 of 40 rows would be validation rows",
    ),
    of_parameters(
        "inference.variant=dep", "parameter inference.variant is 'dep'; expected one of .*mean deep"
    ),
    of_parameters("precision=float16", "parameter precision is 'float16'; expected one of float32, float64"),
]

CONFIGURATION = [
    of_configuration(
        "load_args of another kind",
        "mine/catalog.yml",
        f"raw_data: {{{CSV}, filepath: data/01_raw/train.csv, load_args: [1]}}",
        r"load_args is \[1\]; expected a block",
        "--env",
        "mine",
    ),
    of_configuration(
        "no table",
        "mine/catalog.yml",
        "raw_data: {type: json.JSONDataset, filepath: pyproject.json}",
        "raw_data: the catalog loads a dict; expected a pandas table",
        "--env",
        "mine",
    ),
    of_configuration(
        "broken YAML",
        "local/parameters.yml",
        "variants: {deep: {epochs: 3",
        "the parameters could not be read from conf/",
    ),
    of_configuration(
        "no block", "local/parameters.yml", "variants: {deep: 3}", "parameter variants.deep is 3; expected"
    ),
    of_configuration(
        "a variant that isn't one",
        "local/parameters.yml",
        "variants: {my-net: {model: linear, seed: 1, learning_rate: 1, epochs: 1}}",
        "parameter variants.my-net is not a name for a variant",
    ),
    of_configuration(
        "an unknown column",
        "mine/parameters.yml",
        "features: {continuous: [Age, Weight]}",
        "train.csv: no column Weight; found",
        "--env",
        "mine",
    ),
    of_configuration(
        "an unknown type",
        "mine/catalog.yml",
        "raw_data: {type: pandas.CVSDataset, filepath: x.csv}",
        "raw_data",
        "--env",
        "mine",
    ),
    of_configuration(
        "no path",
        "mine/catalog.yml",
        f"raw_data: {{{CSV}}}",
        "missing 1 required keyword-only argument: 'filepath'. Dataset 'raw_data'",
        "--env",
        "mine",
    ),
    of_configuration(
        "an unknown load_arg",
        "mine/catalog.yml",
        f"raw_data: {{{CSV}, filepath: data/01_raw/train.csv, load_args: {{separator: ;}}}}",
        "could not be read as CSV: .*'separator'",
        "--env",
        "mine",
    ),
    of_configuration(
        "an unknown encoding",
        "mine/catalog.yml",
        f"raw_data: {{{CSV}, filepath: data/01_raw/train.csv, load_args: {{encoding: utf-9}}}}",
        "could not be read as CSV: unknown encoding: utf-9",
        "--env",
        "mine",
    ),
]

DERIVED = [
    of_configuration(
        "a derived column of an unknown kind",
        "local/parameters.yml",
        "features: {derived: [{column: Title, extrct: {of: Name}}]}",
        r"parameter features.derived.0.extrct is unknown; did you mean features.derived.0.extract\?",
    ),
    of_configuration(
        "a pattern that is none",
        "local/parameters.yml",
        "features: {derived: [{column: Title, extract: {of: Name, pattern: ', (Mr'}}]}",
        r"parameter features.derived.0.extract.pattern is ', \(Mr': missing \): .*; expected an RE2 regular",
    ),
    of_configuration(
        "a pattern without a group",
        "local/parameters.yml",
        "features: {derived: [{column: Title, extract: {of: Name, pattern: Mr}}]}",
        "parameter features.derived.0.extract.pattern is 'Mr': it has no group; expected an RE2 regular",
    ),
    of_configuration(
        "a derived column that is in the file",
        "local/parameters.yml",
        "features: {derived: [{column: Cabin, is_known: {of: Ticket}}]}",
        "train.csv: column Cabin is in the file and in features.derived; expected another name",
    ),
    of_configuration(
        "a derived column twice",
        "local/parameters.yml",
        "features: {derived: [{column: X, is_known: {of: Ticket}}, {column: X, count: {of: Ticket}}]}",
        "parameter features: derived column X appears twice; expected each column once",
    ),
    of_configuration(
        "a column derived from one that is missing",
        "local/parameters.yml",
        "features: {derived: [{column: X, count: {of: Tickets}}]}",
        "train.csv: no column Tickets; found 'PassengerId'",
    ),
    of_configuration(
        "a sum of texts",
        "local/parameters.yml",
        "features: {derived: [{column: X, sum: {of: [SibSp, Sex]}}]}",
        r"train.csv: column Sex has 'male' in row 1, .* \(40 rows\); expected a number",
    ),
    of_configuration(
        "a column derived from a derived one",
        "local/parameters.yml",
        "features: {derived: [{column: X, is_known: {of: Cabin}}, {column: Y, sum: {of: [X]}}]}",
        "parameter features: derived column Y is computed from X, which is also derived; expected",
    ),
]

OPTIONS = [
    of_options(
        "--env",
        "nope",
        line="environment nope has no folder conf/nope; expected one of ablation, base, knowledge, local",
    ),
    of_options("--pipeline", "dep", line="pipeline 'dep' does not exist; expected one of __default__, "),
    of_options("--from-nodes", "nope", line=r"Pipeline does not contain nodes named \['nope'\]"),
    of_options("--to-outputs", "nope", line=r"Pipeline does not contain datasets named \['nope'\]"),
    of_options("--tags", "nope", line="Pipeline contains no nodes after applying all provided filters"),
    of_options("--runner", "NopeRunner", line="has no attribute 'NopeRunner'"),
    of_options(
        "--load-versions",
        "train:nope",
        line="train: no committed run wrote version nope; committed versions: 2",
    ),
    of_options("--conf-source", "nope", line="Invalid value for '--conf-source': Path 'nope' does not exist"),
    of_options("--params", "nope", line="Item `nope` must contain a key and a value separated by `=`"),
    of_options("--nope", line="No such option '--nope'"),
]

DIVERGENCE = [
    of_parameters(
        "variants.linear.learning_rate=1e39",
        r"training with learning_rate 1e\+39 overflows in epoch \d+ "
        r"\(loss (inf|nan)\).* \(in linear\.fit\)",
    ),
    of_parameters(
        "variants.deep.learning_rate=1e39",
        r"training with learning_rate 1e\+39 overflows .* \(in deep\.fit\)",
    ),
]

NEW_ROWS = [
    Case("new rows: no file", ["test.csv does not exist"], arguments=INFERENCE),
    Case(
        "new rows: header only",
        ["test.csv: there are no rows, only a header"],
        test=written(GOOD[:1]),
        arguments=INFERENCE,
    ),
    Case(
        "new rows: a column is missing",
        ["test.csv: no column Fare; found"],
        test=without("Fare"),
        arguments=INFERENCE,
    ),
    Case(
        "new rows: an unknown category",
        ["test.csv: column Sex has 'x' in row 2; expected .*. Set inference.unseen_categories: none"],
        test=having(Sex={2: "x"}),
        arguments=INFERENCE,
    ),
    Case(
        "new rows: two faults",
        ["column Age has 'x' in row 2", "column Fare has -3.0 in row 1"],
        test=having(Age={2: "x"}, Fare={1: "-3"}),
        arguments=INFERENCE,
    ),
    Case(
        "new rows: a column derived from one that is missing",
        ["test.csv: no column Cabin; found"],
        test=without("Cabin"),
        arguments=INFERENCE,
        files={
            "local/parameters.yml": "features: {derived: [{column: X, is_known: {of: Cabin}}]}\n"
            "runs: {allow_mixed: true}"
        },
    ),
    Case(
        "new rows: a sum of texts",
        ["test.csv: column Parch has 'x' in row 2; expected a number"],
        test=having(Parch={2: "x"}),
        arguments=INFERENCE,
        files={
            "local/parameters.yml": "features: {derived: [{column: X, sum: {of: [Parch]}}], "
            "continuous: [Age, X]}\nruns: {allow_mixed: true}"
        },
    ),
    Case(
        "new rows: an identifier twice",
        ["column PassengerId has 1 in row 2"],
        test=having(PassengerId={2: "1"}),
        arguments=INFERENCE,
    ),
]


WHOLE_RUNS = {
    "no such file",
    "semicolons",
    "several faults",
    "variants.deep.epochs=0,threads=0",
    "features.target.column=Died",
    "broken YAML",
    "a pattern without a group",
    "an unknown type",
    "--env nope",
    "--load-versions train:nope",
    "variants.deep.learning_rate=1e39",
    "new rows: two faults",
}
"""The cases that run as a whole even in quick tests: some of each kind."""
READ = [*DATA, *PARAMETERS, *CONFIGURATION, *DERIVED, *NEW_ROWS]
ALL = [*READ, *OPTIONS, *DIVERGENCE]


def expect_lines(found: list[str], case: Case) -> None:
    assert len(found) == len(case.lines), found
    for line, pattern in zip(found, case.lines, strict=True):
        assert re.search(pattern, line)
        assert len(line) < 1000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's configuration, and an empty folder for its raw data."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf" / "local").mkdir()
    (tmp_path / "data" / "01_raw").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder: Path, pipeline: str = "__default__", env: str | None = None, params: str = "") -> None:
    """Read the parameters and the rows as the first nodes of `kedro run` do."""
    changes: Any = OmegaConf.to_container(OmegaConf.from_dotlist(params.split(",") if params else []))
    merge = {"parameters": "soft"}
    loader = OmegaConfigLoader(
        str(folder / "conf"), env, changes, base_env="base", default_run_env="local", merge_strategy=merge
    )
    given = parameters.read(loader)
    features = given.features
    dataset = "new_data" if pipeline == "inference" else "raw_data"
    rows = DataCatalog.from_config({dataset: loader["catalog"][dataset]}).load(dataset)
    if pipeline == "inference":
        known = {column.column: column.declared for column in features.categorical}
        answers = {features.target.column: ["0", "1"]}
        counts: dict[str, dict[str, int]] = {name: {} for name in features.counted}
        ingest_new(rows, features, known | answers, given.inference, counts)
    else:
        ingest(rows, features, given.split)


@pytest.mark.parametrize("arguments", [(), INFERENCE])
def test_good_input_is_read(arguments: tuple[str, ...], folder: Path) -> None:
    Case("good", [], test=without("Survived")).write(folder)
    read(folder, **options(arguments))


def options(arguments: tuple[str, ...]) -> dict[str, str]:
    return {
        name.removeprefix("--"): value for name, value in zip(arguments[::2], arguments[1::2], strict=True)
    }


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_bad_input_is_reported_in_one_line_per_fault(case: Case, folder: Path) -> None:
    case.write(folder)
    with pytest.raises((InputError, DatasetError)) as error:
        read(folder, **options(case.arguments))
    lines = error.value.args if isinstance(error.value, InputError) else [error.value]
    expect_lines([" ".join(str(line).split()) for line in lines], case)


@pytest.fixture(scope="module")
def committed(article_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with committed runs of everything, but without raw data; these tests may change it."""
    project = Project(shutil.copytree(article_run.folder, tmp_path_factory.mktemp("bad") / "project"))
    for name in ("train.csv", "test.csv"):
        (project.folder / "data" / "01_raw" / name).unlink()
    return project


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=() if case.name in WHOLE_RUNS else pytest.mark.slow)
        for case in ALL
    ],
)
def test_a_run_reports_bad_input_and_writes_nothing(case: Case, committed: Project) -> None:
    raw, conf = committed.folder / "data" / "01_raw", committed.folder / "conf"
    before = Ledger(committed.folder).records(), committed.artefacts()
    saved = shutil.copytree(conf, committed.folder / "saved")
    case.write(committed.folder)
    try:
        ran = committed.kedro("run", *case.arguments)
    finally:
        shutil.rmtree(conf)
        saved.rename(conf)
        shutil.rmtree(raw)
        raw.mkdir()

    expect_lines(
        [line.removeprefix("Error: ") for line in ran.stderr.splitlines() if line.startswith("Error: ")], case
    )
    assert ran.returncode != 0
    assert ran.stderr.splitlines()[-1].startswith(("Error: ", "not committed; nothing of this run is kept, "))
    assert "Traceback" not in ran.stdout + ran.stderr
    assert (Ledger(committed.folder).records(), committed.artefacts()) == before


def test_whole_runs_are_cases() -> None:
    assert {case.name for case in ALL} >= WHOLE_RUNS
