"""Every kind of dataset of kedro-datasets: how the ledger handles it, as the README's table describes."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
import yaml

pytest.importorskip("kedro_mlflow", reason="run by `make test-ledger`, in an environment of its own")
import kedro_datasets

from tests.kedro_ledger.kinds.conftest import HERE, Project

README = HERE.parents[2] / "src" / "kedro_ledger" / "README.md"
CATALOG: dict[str, dict[str, Any]] = yaml.safe_load(
    (HERE / "project" / "conf" / "base" / "catalog.yml").read_text()
)


class Row(NamedTuple):
    """A row of the table: how the ledger handles a kind."""

    output: str
    input: str
    rebuilt: str

    def __str__(self) -> str:
        return " | ".join(self)


def read_table() -> dict[str, Row]:
    """Read the table by kind. For kinds that are not tried, its first column gives the reason."""
    section = README.read_text().partition("## Which datasets\n")[2].partition("\n## ")[0]
    rows: dict[str, Row] = {}
    for line in section.splitlines():
        kinds, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and kinds != "kind" and not kinds.startswith("---"):
            row = Row(*[*cells, "", ""][:3])
            names = kinds.split(", ") if re.fullmatch(r"(`[a-z]+\.\w+`(, )?)+", kinds) else [kinds]
            rows |= {name.replace("`", ""): row for name in names}
    return rows


TABLE = read_table()
KINDS = sorted({name.partition(".")[2] for name in CATALOG if name.startswith("plain.")})
DECLARED = {
    "a class with versioned = True": "versioned.of_the_class",
    "CachedDataset, versioned": "versioned.cached",
    "a pattern, such as {name}_seen": "versioned.by_a_pattern",
    "one file as name@pandas and name@polars": "versioned.transcoded",
    "one file under two names": "other_name_of.two_names",
    "PartitionedDataset of versioned files": "versioned.partitions_of_versions",
    "IncrementalDataset that a node confirms": "confirmed.partitions_incremental",
    "MemoryDataset, and what no catalog names": "plain.in_memory",
    "a generator that appends to a file": "plain.generated",
    "a generator into a versioned file": "versioned.generated",
}
"""Rows of the table that are not classes of kedro-datasets, and the datasets that try them."""


def type_of(dataset: str) -> str:
    return str(CATALOG[dataset]["type"])


def judge_output(dataset: str, seen: Mapping[str, Any]) -> str:
    """Describe in the table's words how the ledger handled an output, or what is wrong with it."""
    run, again = seen["run"], seen["again"]
    if run["error"]:
        is_refused = not run["has_begun"] and dataset in run["error"] and "\n" not in run["error"]
        return "refused" if is_refused else f"fails, too late or without its name: {run['error']}"
    if run["damaged"]:
        return f"committed, but damaged: {run['damaged']}"
    if dataset not in run["outputs"]:
        is_named = any(
            line.startswith(
                ("not versioned, so overwritten even if the run fails", "partitions versioned only by Kedro")
            )
            and dataset in re.split(r"[:,] ", line)
            for line in run["before"]
        )
        return "named" if is_named else "overwritten without a warning"
    if not again:
        return "kept"
    if again["error"] or any(again["seen"][name] != looked for name, looked in run["seen"].items()):
        return f"committed, but a later run does not read it: {again}"
    if f"{dataset}_seen" in again["seen"] and again["inputs"][dataset] != run["run_id"]:
        return f"committed, but a later run reads another: {again['inputs']}"
    return "kept"


def judge_input(dataset: str, seen: Mapping[str, Any]) -> str:
    """Describe in the table's words what is recorded about an input, or what is wrong with it."""
    run = seen["run"]
    if run["error"]:
        return f"fails: {run['error']}"
    if run["raw"].get(dataset):
        return "recorded"
    is_named = any(
        line.startswith("not recorded") and dataset in re.split(r"[:,] ", line) for line in run["before"]
    )
    return "named" if is_named else "read without a warning"


def test_every_kind_of_kedro_datasets_is_tried_or_named() -> None:
    there = {
        f"{module.name}.{name}"
        for module in pkgutil.iter_modules(kedro_datasets.__path__)
        if not module.name.startswith("_")
        for name in importlib.import_module(f"kedro_datasets.{module.name}").__all__
    }
    tried = {type_of(f"plain.{kind}") for kind in KINDS} | {type_of("raw.pandas_sql_query")}
    not_tried = {kind for kind, row in TABLE.items() if row.output.startswith("not tried")}
    assert there - tried == not_tried, "the README gives a reason for each kind that isn't tried"
    assert there <= TABLE.keys()


def test_the_projects_own_tests_pass(make_project: Callable[[], Project]) -> None:
    tested = make_project().python("-m", "pytest", "tests")
    assert tested.returncode == 0, tested.stdout[-3000:]


def test_the_table_names_nothing_else() -> None:
    tried = {type_of(f"plain.{kind}") for kind in KINDS} | {type_of("raw.pandas_sql_query")}
    not_tried = {kind for kind, row in TABLE.items() if row.output.startswith("not tried")}
    assert TABLE.keys() == tried - {"MemoryDataset"} | not_tried | DECLARED.keys()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("in_memory", "generated")])
def test_a_kind_is_as_the_table_says(
    kind: str, walk: Mapping[str, Any], rebuilt: Mapping[str, str | None]
) -> None:
    plain, versioned, raw = f"plain.{kind}", f"versioned.{kind}", f"raw.{kind}"
    assert kind not in walk["raw data"], "its raw data could be saved"
    assert judge_output(plain, walk[plain]) == "named"
    output = judge_output(versioned, walk[versioned]) if versioned in walk else "named"
    read = judge_input(raw, walk[raw]) if raw in walk else "–"
    same = "–" if versioned not in walk else "no" if rebuilt[versioned] else "yes"
    assert str(Row(output, read, same)) == str(TABLE[type_of(plain)])


def test_what_is_only_read_is_as_the_table_says(walk: Mapping[str, Any]) -> None:
    name = "raw.pandas_sql_query"
    assert str(Row("–", judge_input(name, walk[name]), "–")) == str(TABLE[type_of(name)])


@pytest.mark.parametrize("row", DECLARED)
def test_a_way_to_declare_a_dataset_is_as_the_table_says(row: str, walk: Mapping[str, Any]) -> None:
    dataset = DECLARED[row]
    seen, described = walk[dataset], TABLE[row]
    if dataset == "other_name_of.two_names":
        assert not seen["run"]["error"], seen["run"]["error"]
        assert seen["run"]["inputs"] == {"versioned.two_names": walk["versioned.two_names"]["run"]["run_id"]}
        assert described == Row("kept", "–", "–")
    elif dataset == "confirmed.partitions_incremental":
        assert not seen["run"]["error"], seen["run"]["error"]
        assert seen["run"]["seen"] == {f"{dataset}_seen": {"a": "part 1", "b": "part 2"}}
        assert seen["again"]["seen"] == {f"{dataset}_seen": {}}, "confirmed partitions are not read again"
        assert described == Row("–", judge_input(dataset, seen), "–")
    elif dataset == "plain.in_memory":
        for name in (dataset, "plain.never_declared"):
            assert not walk[name]["run"]["error"]
            assert not walk[name]["run"]["before"]
        assert described == Row("–", "–", "–")
    else:
        assert str(Row(judge_output(dataset, seen), "–", "–")) == str(described)
