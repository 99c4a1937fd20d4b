"""Special datasets, and datasets that the ledger doesn't version: each works, or is named before the run."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.tiny import TOTALS, Tiny

DATASETS = '''
import sqlite3
from pathlib import PurePosixPath

from kedro.io import AbstractDataset, AbstractVersionedDataset
from kedro_datasets.json import JSONDataset


class Table(AbstractDataset):
    """A table of a database, which has no path."""

    def __init__(self, name, connection):
        self._name, self._connection = name, connection

    def load(self):
        with sqlite3.connect(self._connection) as database:
            return [value for value, in database.execute(f"SELECT value FROM {self._name}")]

    def save(self, data):
        with sqlite3.connect(self._connection) as database:
            database.execute(f"DROP TABLE IF EXISTS {self._name}")
            database.execute(f"CREATE TABLE {self._name} (value)")
            database.executemany(f"INSERT INTO {self._name} VALUES (?)", [(value,) for value in data])

    def _describe(self):
        return {}


class AlwaysVersioned(JSONDataset):
    versioned = True


class Elsewhere(JSONDataset):
    def _get_versioned_path(self, version):
        return PurePosixPath(self._filepath.parent, version, self._filepath.name)
'''
NUMBERS = "numbers: {type: json.JSONDataset, filepath: data/02_numbers/numbers.json, versioned: true}"
RAW = "raw: {type: json.JSONDataset, filepath: data/01_raw/raw.json}"


@pytest.fixture
def tiny(tiny: Tiny) -> Tiny:
    (tiny.folder / "src/tiny/datasets.py").write_text(DATASETS)
    return tiny


def replace(tiny: Tiny, file: str, *pairs: tuple[str, str]) -> None:
    path = tiny.folder / file
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def set_entry(tiny: Tiny, old: str, new: str) -> None:
    replace(tiny, "conf/base/catalog.yml", (old, new))


def change_code(tiny: Tiny, *pairs: tuple[str, str]) -> None:
    replace(tiny, "src/tiny/pipeline_registry.py", *pairs)


def test_a_class_may_say_that_it_is_versioned(tiny: Tiny) -> None:
    new = "numbers: {type: tiny.datasets.AlwaysVersioned, filepath: data/02_numbers/numbers.json}"
    set_entry(tiny, NUMBERS, new)
    first = tiny.run()
    assert "numbers" in first.outputs
    tiny.feed([3, 4])
    ran = tiny.kedro("run")
    assert ran.returncode == 0, ran.stderr
    assert "not versioned" not in ran.stderr
    assert tiny.read()["numbers"] == [3, 4]
    tiny.ledger.checkout(first)
    assert tiny.read()["numbers"] == [1, 2]
    tiny.expect_whole()


def test_versions_in_other_places_are_refused(tiny: Tiny) -> None:
    set_entry(tiny, "json.JSONDataset, filepath: data/02", "tiny.datasets.Elsewhere, filepath: data/02")
    code, message = tiny.try_to_run()
    assert code == 1
    assert message.startswith("numbers: a Elsewhere stores a version at ")
    assert message.endswith("; expected PATH/VERSION/NAME, where NAME is the last part of PATH")


def test_versions_of_partitions_are_named(tiny: Tiny) -> None:
    inner = "dataset: {type: json.JSONDataset, versioned: true}"
    new = f"numbers: {{type: partitions.PartitionedDataset, path: data/02_numbers/parts, {inner}}}"
    set_entry(tiny, NUMBERS, new)
    change_code(tiny, ("    return raw\n", '    return {"a.json": raw}\n'))
    change_code(
        tiny, ("for number in numbers]\n\n\ndef negate", "for number in numbers['a.json']()]\n\n\ndef negate")
    )
    for _ in range(2):
        ran = tiny.kedro("run")
        assert ran.returncode == 0, ran.stderr
        assert "partitions versioned only by Kedro, so kept even if the run fails: numbers" in ran.stderr
    assert len(tiny.ledger.records()) == 2
    assert {path.name for path in (tiny.folder / "data/02_numbers/parts").iterdir()} == {"a.json"}


def test_a_generator_cannot_make_a_version(tiny: Tiny) -> None:
    change_code(tiny, ("    return raw\n", "    yield raw\n"))
    code, message = tiny.try_to_run()
    assert (code, message.partition(",")[0]) == (1, "node parse is a generator")
    set_entry(tiny, NUMBERS, "numbers: {type: json.JSONDataset, filepath: data/02_numbers/plain.json}")
    assert "numbers" in tiny.run().unversioned


def confirm_parts(tiny: Tiny, body: str) -> Path:
    """Make a node read and confirm new partitions, and return their folder, which contains one."""
    entry = "raw: {type: partitions.IncrementalDataset, path: data/01_raw/parts, dataset: text.TextDataset}"
    set_entry(tiny, RAW, entry)
    change_code(
        tiny,
        ("    return raw\n", body),
        ('"numbers", name="parse"', '"numbers", name="parse", confirms="raw"'),
    )
    parts = tiny.folder / "data/01_raw/parts"
    parts.mkdir()
    (parts / "p1").write_text("1")
    return parts


@pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner"])
def test_confirmations_take_effect_with_the_commit(tiny: Tiny, runner: str) -> None:
    parts = confirm_parts(tiny, "    return [int(text) for text in raw.values()]\n")
    (parts / "p2").write_text("2")
    ran = tiny.kedro("run", "--runner", runner, "--params", "factor=text")
    assert ran.returncode
    assert not (parts / "CHECKPOINT").exists(), "a failed run has processed nothing"
    assert tiny.kedro("run", "--runner", runner).returncode == 0
    assert tiny.read()["numbers"] == [1, 2]
    assert (parts / "CHECKPOINT").read_text() == "p2"
    (parts / "p3").write_text("3")
    assert tiny.kedro("run", "--runner", runner).returncode == 0
    assert tiny.read()["numbers"] == [3], "each partition is in one committed run"
    assert len(tiny.ledger.records()) == 2
    assert tiny.try_to_run(**TOTALS) == (0, ""), "a new checkpoint does not count as other data"


def test_a_partition_that_arrives_during_the_run_is_not_confirmed(tiny: Tiny) -> None:
    write = "    Path('data/01_raw/parts/p2').write_text('2')\n"
    parts = confirm_parts(tiny, f"{write}    return [int(raw['p1'])]\n")
    code, message = tiny.try_to_run()
    assert (code, message) == (1, "data/01_raw/parts changed while the run read it; the run is not committed")
    assert not (parts / "CHECKPOINT").exists()


def test_confirmations_that_are_not_possible_are_refused(tiny: Tiny) -> None:
    change_code(tiny, ('"numbers", name="parse"', '"numbers", name="parse", confirms="raw"'))
    code, message = tiny.try_to_run()
    assert (code, message.partition(";")[0]) == (1, "node parse confirms raw, a JSONDataset")
    set_entry(
        tiny, RAW, "raw: {type: partitions.IncrementalDataset, path: data/01_raw, dataset: json.JSONDataset}"
    )
    ran = tiny.kedro("run", "--runner", "ParallelRunner")
    assert ran.returncode == 1
    assert (
        "Error: node parse confirms raw, but the commit can't confirm a dataset in another process"
        in ran.stderr
    )
    ran = tiny.kedro("run", "--runner", "kedro_ledger.dask.DaskRunner")
    assert "Error: raw: can't be confirmed by a worker; expected another runner" in ran.stderr
    assert tiny.versions() == set()


def test_two_names_for_one_file_are_one_dataset(tiny: Tiny) -> None:
    set_entry(tiny, NUMBERS, f"{NUMBERS}\n{NUMBERS.replace('numbers:', 'a_reader:', 1)}")
    change_code(tiny, ('node(scale, ["numbers",', 'node(scale, ["a_reader",'))
    code, message = tiny.try_to_run()
    assert code == 1
    assert message.startswith(
        "a_reader and numbers are the same file, which this run writes; expected one name in "
    )
    first = tiny.run(node_names=["parse"])
    assert tiny.run(pipeline_names=["scaling"]).inputs == {"numbers": first.run_id}
    assert tiny.run(pipeline_names=["totals"]).view["scaled.up"].made_from["numbers"]
    future = tiny.folder / "data/02_numbers/numbers.json/2999-01-01T00.00.00.000Z/numbers.json"
    future.parent.mkdir()
    future.write_text("[7]")
    assert tiny.read(["numbers", "a_reader"]) == {"numbers": [1, 2], "a_reader": [1, 2]}, (
        "the newest is not read"
    )
    tiny.feed([5, 6])
    tiny.run(node_names=["parse"])
    assert tiny.try_to_run(**TOTALS)[0] == 1, "datasets made from the other name are outdated"
    assert tiny.read(["numbers", "a_reader"]) == {"numbers": [5, 6], "a_reader": [5, 6]}


@pytest.mark.parametrize(
    "entry",
    [
        "raw: {type: json.JSONDataset, filepath: data/03_scaled/down.json}",
        "raw: {type: partitions.PartitionedDataset, path: data/03_scaled, dataset: json.JSONDataset}",
        "raw: {type: partitions.PartitionedDataset, path: data, dataset: json.JSONDataset}",
    ],
)
def test_raw_data_that_the_run_writes_is_refused_before_the_run(tiny: Tiny, entry: str) -> None:
    plain = "scaled.down: {type: json.JSONDataset, filepath: data/03_scaled/down.json}"
    set_entry(tiny, RAW, f"{entry}\n{plain}")
    (tiny.folder / "data/03_scaled").mkdir()
    (tiny.folder / "data/03_scaled/down.json").write_text("[1, 2]")
    code, message = tiny.try_to_run()
    assert code == 1
    assert message.startswith("raw is read from data")
    assert ", and the run writes " in message
    assert tiny.versions() == set()


def make_table(tiny: Tiny, values: list[int]) -> None:
    with sqlite3.connect(tiny.folder / "data/base.db") as database:
        database.execute("DROP TABLE IF EXISTS raw")
        database.execute("CREATE TABLE raw (value)")
        database.executemany("INSERT INTO raw VALUES (?)", [(value,) for value in values])


def test_a_table_is_named_and_its_content_never_called_the_same(tiny: Tiny) -> None:
    set_entry(tiny, RAW, "raw: {type: tiny.datasets.Table, name: raw, connection: data/base.db}")
    make_table(tiny, [1, 2])
    first = tiny.run()
    assert first.raw["raw"].sha256 is None
    make_table(tiny, [1])
    ran = tiny.kedro("run")
    assert ran.returncode == 0, "other rows are another recipe"
    assert "not recorded, so the ledger can't show what the run read: raw" in ran.stderr
    assert "are the same as in run" not in ran.stderr
    assert len(tiny.run(only_missing_outputs=True).nodes) == 5, "it may have changed"
    record = tiny.run(node_names=["parse"])
    assert "total.metrics" in record.view, "a possible change is not called a change"
    make_table(tiny, [1, 2])
    before = tiny.run()
    ran = tiny.kedro("run")
    assert f"recorded inputs and results are the same as in run {before.run_id}; unknown: raw\n" in ran.stderr
    message = tiny.kedro("runs", "diff", "last~1", "last").stdout
    assert "data" not in message.partition("the same:")[2].partition("\n")[0]
    assert message.splitlines()[-1] == "unknown: data (raw)"
    assert "unknown: data (raw)" in tiny.kedro("runs", "show", "last").stdout


def test_a_table_as_output_is_named(tiny: Tiny) -> None:
    set_entry(tiny, NUMBERS, "numbers: {type: tiny.datasets.Table, name: numbers, connection: data/base.db}")
    ran = tiny.kedro("run")
    assert ran.returncode == 0, ran.stderr
    assert "not versioned, so overwritten even if the run fails: numbers" in ran.stderr
    ran = tiny.kedro("run", "--nodes", "parse")
    assert "no output of this run is versioned, so the run will not be committed" in ran.stderr
    assert len(tiny.ledger.records()) == 1
    message = "--only-missing-outputs: numbers: not versioned; expected versioned outputs only"
    assert tiny.try_to_run(only_missing_outputs=True) == (1, message)


def test_the_alarm_of_irreproducible_artefacts_can_be_narrowed(tiny: Tiny) -> None:
    tiny.run()
    parameters = tiny.folder / "conf/base/parameters.yml"
    text = parameters.read_text()
    for patterns, code in (("['total*']", 76), ("['scaled.*']", 0), ("[]", 0)):
        parameters.write_text(text.replace("keep: 2", f"keep: 9, reproducible: {patterns}"))
        tiny.run()
        assert tiny.kedro("run", TINY_VARIES="1").returncode == code, patterns


def test_memory_datasets_are_not_named(tiny: Tiny, tmp_path: Path) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    catalog.write_text(f"{catalog.read_text()}in_memory: {{type: MemoryDataset}}\n")
    ran = tiny.kedro("run")
    assert ran.returncode == 0
    assert "not versioned" not in ran.stderr
