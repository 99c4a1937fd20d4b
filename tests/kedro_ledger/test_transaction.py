"""The inputs that a run accepts or refuses, and what it commits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.session import KedroServiceSession

from kedro_ledger.context import RunContext
from tests.support.tiny import ALLOW_MIXED, TOTALS, Tiny, enter, in_process, run_all

BOOTSTRAP = (
    "from kedro.framework.startup import bootstrap_project as b; import pathlib; b(pathlib.Path.cwd())"
)
SCALING = {"pipeline_names": ["scaling"]}


def test_a_record_contains_everything_that_determines_the_artefacts(tiny: Tiny) -> None:
    ran = tiny.kedro("run", "--params", "factor=5", OMP_NUM_THREADS="2")
    assert ran.returncode == 0, ran.stderr
    record = tiny.ledger.last()
    assert record
    assert record.command == "kedro run --params factor=5"
    assert record.pipelines == ["__default__"]
    assert record.nodes == ["parse", "scale", "keep", "negate", "total"]
    assert record.runner == "SequentialRunner"
    assert record.parameters["factor"] == 5
    assert record.raw["raw"].path == "data/01_raw/raw.json"
    assert record.raw["raw"].bytes == len("[1, 2]")
    assert record.outputs.keys() == {"numbers", "scaled.up", "scaled.down", "total.metrics"}
    assert record.outputs["scaled.up"].made_from.keys() == {"code", "numbers", "params:factor"}
    assert record.metrics == {"total.metrics": {"total": 15, "rest": 0}}
    assert "src/tiny/pipeline_registry.py" in record.code.files
    assert record.environment.packages["kedro"] == "1.7.0"
    assert record.environment.python == f"CPython {sys.version.split()[0]}"
    assert record.environment.threads["OMP_NUM_THREADS"] == "2"
    assert datetime.fromisoformat(record.started) < datetime.fromisoformat(record.finished)
    file = tiny.ledger.folder / f"000001_{record.run_id}.json"
    assert json.loads(file.read_text())["seq"] == 1


def test_nothing_uncommitted_is_read_whatever_the_clock_says(tiny: Tiny) -> None:
    first = tiny.run()
    future = tiny.folder / "data/02_numbers/numbers.json/2999-01-01T00.00.00.000Z/numbers.json"
    future.parent.mkdir()
    future.write_text("[7")
    assert tiny.read()["numbers"] == [1, 2]
    record = tiny.run(**SCALING)
    assert record.inputs == {"numbers": first.run_id}
    tiny.run()
    assert future.exists(), "the ledger removes only its own files"


@pytest.mark.parametrize("reader", ["notebook", "viz"])
def test_notebooks_and_kedro_viz_read_the_last_committed_run(tiny: Tiny, reader: str) -> None:
    tiny.run()
    for name in ("02_numbers/numbers", "04_total/total"):
        future = tiny.folder / f"data/{name}.json/2999-01-01T00.00.00.000Z/{name[3:].partition('/')[2]}.json"
        future.parent.mkdir()
        future.write_text("[7]")
    assert in_process({"notebook": read_in_notebook, "viz": read_in_viz}[reader], tiny.folder) == 0


def read_in_notebook(folder: Path) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    enter(folder)
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "kedro.ipython")
    assert shell.user_ns["catalog"].load("numbers") == [1, 2]
    assert shell.user_ns["catalog"].load("total.metrics") == {"total": 6, "rest": 0}


def read_in_viz(folder: Path) -> None:
    from kedro_viz.integrations.kedro.data_loader import load_data

    enter(folder)
    catalog, _, _ = load_data(folder)
    assert catalog.load("numbers") == [1, 2]
    assert catalog.load("total.metrics") == {"total": 6, "rest": 0}


def test_a_partial_run_reads_other_inputs_from_the_last_commit(tiny: Tiny) -> None:
    first = tiny.run()
    second = tiny.run(**TOTALS)
    assert second.inputs == {"scaled.down": first.run_id, "scaled.up": first.run_id}
    assert second.outputs.keys() == {"total.metrics"}
    assert second.view.keys() == first.view.keys()
    tiny.expect_one_whole_run()


def test_artefacts_that_no_longer_match_are_not_read(tiny: Tiny) -> None:
    tiny.run()
    record = tiny.run(**SCALING, runtime_params={"factor": 3})
    assert record.view.keys() == {"numbers", "scaled.up", "scaled.down"}
    assert tiny.read().keys() == record.view.keys()
    assert record.outdated == ["total.metrics"]
    assert "total.metrics" in tiny.run(**TOTALS, runtime_params={"factor": 3}).view
    assert tiny.read()["total.metrics"] == {"total": 9, "rest": 0}


def test_inputs_made_with_other_parameters_are_not_read(tiny: Tiny) -> None:
    first = tiny.run()
    message = "scaled.up: made with another value of factor"
    ran = tiny.kedro("run", "--pipeline", "totals", "--params", "factor=3")
    assert ran.returncode == 1
    assert ran.stderr == (
        f"Error: {message}. Run `kedro run` to make everything again, "
        "or use --allow-mixed to read the inputs as they are\n"
    )
    assert tiny.ledger.last() == first
    ran = tiny.kedro("run", "--pipeline", "totals", "--params", "factor=3", "--allow-mixed")
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (0, message)
    assert tiny.ledger.find("last").parameters["runs"]["allow_mixed"] is True, "so that it can be rebuilt"
    assert "another value" not in tiny.kedro("run", "--pipeline", "totals").stderr
    assert "--allow-mixed" in tiny.kedro("run", "--help").stdout


def test_inputs_made_with_other_code_are_not_read(tiny: Tiny) -> None:
    tiny.run()
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(registry.read_text() + "\n# another state of the code\n")
    code, message = tiny.try_to_run(**TOTALS)
    assert code == 1
    assert message.startswith(
        "scaled.down, scaled.up: made with other code (src/tiny/pipeline_registry.py). Run `kedro run` "
    )
    tiny.run(**TOTALS, **ALLOW_MIXED)


def test_inputs_made_with_other_data_are_not_read(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    text = registry.read_text()
    registry.write_text(text.replace("up, down):", "up, down, raw=0):"))
    inputs = '["scaled.up", "scaled.down"]'
    registry.write_text(registry.read_text().replace(inputs, '["scaled.up", "scaled.down", "raw"]'))
    tiny.run()
    assert tiny.run(**TOTALS).raw.keys() == {"raw"}
    tiny.feed([3, 4])
    code, message = tiny.try_to_run(**TOTALS)
    assert (code, message.partition(". ")[0]) == (1, "scaled.up: made with other data in raw")


def test_datasets_that_a_failed_run_overwrote_are_not_mixed_with_others(tiny: Tiny) -> None:
    """After a failure, Kedro suggests resuming from the last nodes, which would read older inputs."""
    catalog = tiny.folder / "conf/base/catalog.yml"
    catalog.write_text(
        catalog.read_text() + "scaled.down: {type: json.JSONDataset, filepath: data/03_scaled/plain.json}\n"
    )
    first = tiny.run()
    assert first.unversioned.keys() == {"scaled.down"}
    tiny.feed([5, 6])
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    text = registry.read_text()
    registry.write_text(text.replace("def total(up, down):\n", "def total(up, down):\n    1 / 0\n"))
    command = [sys.executable, "-m", "kedro", "run"]
    ran = subprocess.run(command, cwd=tiny.folder, capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        f"not committed; nothing of this run is kept, and readers still see run {first.run_id}; "
        "not versioned, so possibly overwritten: scaled.down; to run it again: kedro run"
    )
    registry.write_text(text)
    code, message = tiny.try_to_run(from_nodes=["total"])
    assert code == 1
    assert message.startswith(
        "scaled.up: made with other data in raw; scaled.down: changed since a committed run wrote it. "
    )
    assert tiny.ledger.last() == first
    tiny.run()


def test_outdated_datasets_are_not_read_by_a_partial_run(tiny: Tiny) -> None:
    tiny.run()
    tiny.feed([3, 4])
    record = tiny.run(node_names=["parse"])
    assert record.outdated == ["scaled.down", "scaled.up", "total.metrics"]
    code, message = tiny.try_to_run(**TOTALS)
    assert code == 1
    assert message.startswith(
        "scaled.down, scaled.up: made from data that has changed since. Run `kedro run` "
    )
    catalog = "from kedro.framework.session import KedroSession as S; S.create().load_context().catalog"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{BOOTSTRAP}; {catalog}.load('scaled.up')"],
        cwd=tiny.folder,
        capture_output=True,
        text=True,
    )
    assert f"LedgerError: scaled.up: outdated by run {record.run_id}; " in loaded.stderr.splitlines()[-1]
    assert tiny.run().outdated == []


def test_versioned_raw_data_is_read_as_kedro_reads_it(tiny: Tiny) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    catalog.write_text(catalog.read_text().replace("raw.json}", "raw.json, versioned: true}"))
    raw = tiny.folder / "data/01_raw/raw.json"
    raw.unlink()
    for version, numbers in {"2024": [1, 2], "2025": [3, 4]}.items():
        (raw / version).mkdir(parents=True)
        (raw / version / "raw.json").write_text(str(numbers))
    assert tiny.run().raw["raw"].path == "data/01_raw/raw.json/2025/raw.json"
    assert tiny.read()["numbers"] == [3, 4]
    assert tiny.run(load_versions={"raw": "2024"}).raw["raw"].path == "data/01_raw/raw.json/2024/raw.json"
    assert tiny.read()["numbers"] == [1, 2]


def test_identical_outputs_keep_the_artefacts_made_from_them(tiny: Tiny) -> None:
    tiny.run()
    assert "total.metrics" in tiny.run(**SCALING).view


def test_versions_of_different_runs_are_not_mixed_silently(tiny: Tiny) -> None:
    one = tiny.run().run_id
    two = tiny.run(node_names=["negate"]).run_id
    ran = tiny.kedro("run", "--pipeline", "totals")
    assert ran.returncode == 0
    message = f"this run reads versions from 2 runs: scaled.up from run {one}; scaled.down from run {two}"
    assert message in ran.stderr.splitlines()


def test_inputs_that_were_never_made_are_reported(tiny: Tiny) -> None:
    assert tiny.try_to_run(**TOTALS) == (
        1,
        "scaled.down, scaled.up: not made yet. "
        "Run `kedro run` to make everything, or use --load-versions to read versions of earlier runs",
    )
    assert tiny.versions() == set()


@pytest.mark.parametrize("harm", ["altered", "gone", "folder gone"])
def test_inputs_are_checked_before_they_are_used(tiny: Tiny, harm: str) -> None:
    run = tiny.run().run_id
    path = f"data/03_scaled/up.json/{run}/up.json"
    file = tiny.folder / path
    if harm == "altered":
        file.write_text("[2, 5]")
    else:
        file.unlink()
        if harm == "folder gone":
            file.parent.rmdir()
    code, message = tiny.try_to_run(**TOTALS)
    assert code == 1
    assert message.startswith(f"scaled.up: {path} of run {run} ")
    assert ("altered" if harm == "altered" else "missing") in message
    assert message.endswith(". Run `kedro run --only-missing-outputs` to make it again")
    assert tiny.run(only_missing_outputs=True).nodes == ["scale", "keep", "negate", "total"]
    assert tiny.run(**TOTALS).seq == 3
    tiny.expect_one_whole_run()


def test_a_record_cut_short_is_reported_by_every_command(tiny: Tiny) -> None:
    first, second = tiny.run(), tiny.run()
    file = tiny.ledger.folder / f"000002_{second.run_id}.json"
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    expected = f"data/runs/{file.name} is damaged; restore it from a copy, or move it away so "
    for code, message in (tiny.try_to_run(), tiny.try_to_run(**TOTALS)):
        assert (code, message.startswith(expected)) == (1, True)
    for command in (["list"], ["verify"], ["show", "last"]):
        ran = tiny.kedro("runs", *command)
        assert (ran.returncode, ran.stderr.splitlines()[-1].startswith(f"Error: {expected}")) == (1, True)
    file.rename(tiny.folder / "moved_away.json")
    tiny.ledger.require_intact("numbers", first.outputs["numbers"])
    assert tiny.run(**TOTALS).inputs["scaled.up"] == first.run_id
    file.write_bytes(whole)
    assert len(tiny.ledger.records()) == 3


def test_a_failing_run_leaves_nothing(tiny: Tiny) -> None:
    tiny.run()
    before = tiny.versions()
    code, _ = tiny.try_to_run(runtime_params={"factor": "not a number"})
    assert code == 2
    assert tiny.versions() == before
    assert not list(tiny.ledger.folder.glob("*.uncommitted"))
    tiny.expect_whole()


def test_raw_data_that_changes_during_the_run_is_refused(tiny: Tiny) -> None:
    tiny.run()
    with tiny.running() as writer:
        tiny.feed([3, 4])
        tiny.go_on()
        lines = writer.communicate(timeout=30)[1].splitlines()[-2:]
        assert writer.returncode == 1
    assert lines[0] == "Error: data/01_raw/raw.json changed while the run read it; the run is not committed"
    assert lines[1].startswith("not committed; nothing of this run is kept, and readers still see run ")
    assert lines[1].endswith("; to run it again: kedro run")
    assert tiny.read()["numbers"] == [1, 2]
    tiny.expect_whole()


def test_the_same_recipe_with_other_bytes_has_its_own_exit_code(tiny: Tiny) -> None:
    first = tiny.run()
    ran = tiny.kedro("run", TINY_VARIES="1")
    assert ran.returncode == 76
    assert ran.stderr.splitlines()[-1] == (
        f"Error: total.metrics: different from run {first.run_id}, although code, parameters, raw data, "
        "packages, platform and threads are the same; the run is committed"
    )
    assert len(tiny.ledger.records()) == 2
    tiny.feed([3, 4])
    assert tiny.kedro("run", TINY_VARIES="1").returncode == 0, "the recipe differs"


@pytest.mark.parametrize("lines_are_there", [True, False])
def test_the_last_run_of_the_recipe_may_be_old(tiny: Tiny, lines_are_there: bool) -> None:
    first = tiny.run(runtime_params={"runs": {"keep": 9}})
    tiny.feed([3, 4])
    tiny.run(runtime_params={"runs": {"keep": 9}})
    if not lines_are_there:
        (tiny.ledger.folder / "history.jsonl").unlink()
    tiny.feed([1, 2])
    ran = tiny.kedro("run", TINY_VARIES="1")
    assert ran.returncode == 76
    assert f"Error: total.metrics: different from run {first.run_id}, although" in ran.stderr


def test_a_damaged_record_stops_no_run_that_does_not_need_it(tiny: Tiny) -> None:
    options = {"runtime_params": {"runs": {"keep": 9}}}
    first = tiny.run(**options)
    tiny.feed([3, 4])
    tiny.run(**options)
    file = tiny.ledger.folder / f"000001_{first.run_id}.json"
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    before = tiny.versions()
    assert tiny.try_to_run(runtime_params={"factor": "not a number"})[0] == 2
    assert tiny.versions() == before
    ran = tiny.kedro("run", "--params", "runs.keep=9")
    assert (ran.returncode, "damaged" in ran.stderr) == (0, False)
    tiny.feed([1, 2])
    ran = tiny.kedro("run", "--params", "runs.keep=9")
    assert ran.returncode == 0, "it can't be compared with the first run, which has its recipe"
    assert ran.stderr.count(f"data/runs/{file.name} is damaged; restore it from a copy") == 1
    file.write_bytes(whole)
    assert [run.seq for run in tiny.ledger.history()] == [1, 2, 3, 4]
    tiny.expect_one_whole_run()


def test_only_missing_outputs_makes_what_is_missing_or_outdated(tiny: Tiny) -> None:
    missing = {"only_missing_outputs": True}
    first = tiny.run(**missing)
    assert tiny.run(**missing) == first, "nothing ran, so nothing is committed"
    second = tiny.run(**missing, runtime_params={"factor": 3})
    assert second.nodes == ["scale", "keep", "negate", "total"]
    assert second.inputs == {"numbers": first.run_id}
    assert tiny.read()["total.metrics"] == {"total": 9, "rest": 0}
    assert tiny.run(**missing).nodes == ["scale", "keep", "negate", "total"], "back to the old parameter"
    tiny.feed([3, 4])
    assert len(tiny.run(**missing).nodes) == 5
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(registry.read_text() + "\n# another state of the code\n")
    assert len(tiny.run(**missing).nodes) == 5
    tiny.expect_one_whole_run()


def test_load_versions_reads_committed_versions_only(tiny: Tiny) -> None:
    first = tiny.run()
    tiny.feed([3, 4])
    second = tiny.run()
    assert tiny.try_to_run(**SCALING, load_versions={"numbers": "2020-01-01T00.00.00.000Z"}) == (
        1,
        "numbers: no committed run wrote version 2020-01-01T00.00.00.000Z; "
        f"committed versions: {second.run_id}, {first.run_id}",
    )
    third = tiny.run(**SCALING, load_versions={"numbers": first.run_id})
    assert third.inputs == {"numbers": first.run_id}
    seen = tiny.read()
    assert (seen["numbers"], seen["scaled.up"]) == ([1, 2], [2, 4]), "later runs see the chosen version"
    assert "total.metrics" not in seen
    tiny.run(**TOTALS, **ALLOW_MIXED)
    tiny.expect_one_whole_run()


def test_load_versions_of_what_the_run_makes_itself_works_as_in_kedro(tiny: Tiny) -> None:
    first = tiny.run()
    tiny.feed([3, 4])
    ran = tiny.kedro("run", "--load-versions", f"numbers:{first.run_id}", "--allow-mixed")
    assert ran.returncode == 0, ran.stderr
    assert tiny.read()["total.metrics"] == {"total": 6, "rest": 0}
    tiny.expect_one_whole_run()


def test_the_same_id_twice_is_refused(tiny: Tiny) -> None:
    run = tiny.run().run_id
    assert tiny.try_to_run(run_id=run) == (1, f"run {run} already exists; expected a new run id")
    assert len(tiny.ledger.records()) == 1


def test_a_version_that_was_there_before_is_not_touched(tiny: Tiny) -> None:
    tiny.run()
    theirs = tiny.folder / "data/04_total/total.json/my-own/total.json"
    theirs.parent.mkdir()
    theirs.write_text("{}")
    code, message = tiny.try_to_run(run_id="my-own")
    expected = "data/04_total/total.json/my-own already exists, and no run wrote it; expected another run id"
    assert (code, message) == (1, expected)
    assert theirs.read_text() == "{}"


def test_unversioned_outputs_are_reported(tiny: Tiny) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    text = catalog.read_text().replace('"data/03_scaled/{part}.json", versioned: true', '"data/{part}.json"')
    catalog.write_text(text)
    ran = tiny.kedro("run")
    assert ran.returncode == 0, ran.stderr
    assert "not versioned, so overwritten even if the run fails: scaled.down, scaled.up" in ran.stderr
    record = tiny.ledger.last()
    assert record
    assert record.outputs.keys() == {"numbers", "total.metrics"}


def test_old_runs_are_pruned_except_what_a_kept_one_needs(tiny: Tiny) -> None:
    first = tiny.run()
    for factor in (3, 4, 5):
        tiny.run(**SCALING, runtime_params={"factor": factor})
    records = tiny.ledger.records()
    assert [record.seq for record in records] == [3, 4]
    assert [run.seq for run in tiny.ledger.history()] == [1, 2, 3, 4]
    assert tiny.ledger.history()[0].metrics == {"total.metrics": {"total": 6, "rest": 0}}
    assert tiny.read()["numbers"] == [1, 2], "only the first run wrote it"
    assert f"data/04_total/total.json/{first.run_id}" not in tiny.versions()
    assert len(tiny.versions()) == 1 + 2 * 2
    assert tiny.try_to_run(**TOTALS, load_versions={"total.metrics": first.run_id})[0] == 1


def test_a_folder_that_cannot_be_written_is_reported(disk: Path) -> None:
    tiny = Tiny.make(disk / "tiny")
    first = tiny.run()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert tiny.try_to_run() == (
        1,
        "data/runs/.lock: Read-only file system; nothing was changed",
    )
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert tiny.ledger.last() == first
    tiny.expect_whole()


@pytest.mark.slow
def test_a_full_disk_is_reported_and_harms_nothing(disk: Path) -> None:
    tiny = Tiny.make(disk / "tiny")
    tiny.run()
    page = os.sysconf("SC_PAGE_SIZE")
    codes = []
    for pages in (0, 1, 2, 4, 8, 12, 16, 20):
        before = tiny.ledger.last()
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        filler = disk / "filler"
        filler.write_bytes(bytes(max(free - pages * page, 0)))
        code, message = tiny.try_to_run()
        codes.append(code)
        filler.unlink()
        if code:
            assert "No space left on device" in message, message
            assert tiny.ledger.last() == before
        tiny.expect_whole()
    assert codes[0] != 0
    assert codes[-1] == 0


def test_code_that_changed_after_it_was_loaded_is_reported(tiny: Tiny) -> None:
    assert in_process(run_change_run, tiny.folder) == 0
    assert [record.code_changed_meanwhile for record in tiny.ledger.records()] == [False, True]


def run_change_run(folder: Path) -> None:
    """Run twice in one process, as a notebook may, and change the code in between."""
    run_all(folder, [{}])
    (folder / "src/tiny/new.py").write_text("")
    with KedroServiceSession.create(project_path=folder) as session:
        session.run()


def test_after_load_versions_readers_see_matching_artefacts(tiny: Tiny) -> None:
    first = tiny.run().run_id
    tiny.feed([5, 6])
    tiny.run()
    record = tiny.run(**TOTALS, load_versions={"scaled.up": first, "scaled.down": first})
    assert tiny.read() == {
        "scaled.up": [2, 4],
        "scaled.down": [-2, -4],
        "total.metrics": {"total": 6, "rest": 0},
    }
    assert record.outdated == ["numbers"], "these were made from another version of it"


def test_after_old_load_versions_readers_see_matching_artefacts(tiny: Tiny) -> None:
    first = tiny.run().run_id
    tiny.feed([5, 6])
    tiny.run()
    record = tiny.run(node_names=["negate"], load_versions={"scaled.up": first})
    assert tiny.read() == {"scaled.up": [2, 4], "scaled.down": [-2, -4]}
    assert record.outdated == ["numbers", "total.metrics"]
    parameters = tiny.folder / "conf/base/parameters.yml"
    parameters.write_text(parameters.read_text().replace("keep: 2", "keep: 5"))
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    copy = 'node(list, "scaled.down", "scaled.copy", name="copy"),\n        node(total'
    registry.write_text(registry.read_text().replace("node(total", copy))
    old = tiny.run().run_id
    tiny.feed([7, 8])
    tiny.run()
    record = tiny.run(node_names=["copy"], load_versions={"scaled.down": old})
    assert record.outdated == ["numbers", "scaled.up", "total.metrics"], "everything with another lineage"


def test_a_dataset_that_moved_is_not_mistaken_for_another(tiny: Tiny) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    text = catalog.read_text()
    entry = (
        '"scaled.{part}": {type: json.JSONDataset, filepath: "data/03_scaled/{part}.json", versioned: true}'
    )
    both = "scaled.%s: {type: json.JSONDataset, filepath: data/03/%s/v.json, versioned: true}\n"
    catalog.write_text(text.replace(entry, both % ("up", "a") + both % ("down", "b")))
    run = tiny.run().run_id
    catalog.write_text(text.replace(entry, both % ("up", "b") + both % ("down", "a")))
    code, message = tiny.try_to_run(**TOTALS)
    assert code == 1
    assert message.startswith(
        f"scaled.down: data/03/b/v.json/{run}/v.json is not where the catalog stores it. "
    )
    assert tiny.read().keys() == {"numbers", "total.metrics"}
    tiny.run()
    tiny.expect_one_whole_run()


def test_only_missing_outputs_needs_versions(tiny: Tiny) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    catalog.write_text(catalog.read_text().replace("numbers.json, versioned: true", "plain.json"))
    tiny.run()
    message = "--only-missing-outputs: numbers: not versioned; expected versioned outputs only"
    assert tiny.try_to_run(only_missing_outputs=True) == (1, message)


def test_raw_data_may_be_a_folder(tiny: Tiny) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    entry = "raw: {type: partitions.PartitionedDataset, path: data/01_raw/parts, dataset: json.JSONDataset}"
    old = "raw: {type: json.JSONDataset, filepath: data/01_raw/raw.json}"
    catalog.write_text(catalog.read_text().replace(old, entry))
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(
        registry.read_text().replace("return raw\n", "return [load() for load in raw.values()]\n")
    )
    parts = tiny.folder / "data/01_raw/parts"
    parts.mkdir()
    (parts / "a.json").write_text("1")
    first = tiny.run()
    assert first.raw["raw"].path == "data/01_raw/parts"
    (parts / "b.json").write_text("2")
    second = tiny.run(only_missing_outputs=True)
    assert first.raw["raw"].sha256 != second.raw["raw"].sha256
    assert tiny.read()["numbers"] == [1, 2]


def test_remains_of_a_killed_run_are_not_read_even_if_no_pipeline_makes_them(tiny: Tiny) -> None:
    tiny.run()
    left = tiny.folder / "data/03_scaled/old.json/killed/old.json"
    left.parent.mkdir(parents=True)
    left.write_text("[1")
    announced = {"scaled.old": "data/03_scaled/old.json/killed"}
    (tiny.ledger.folder / "killed.uncommitted").write_text(json.dumps(announced))
    assert in_process(expect_nothing_there, tiny.folder, "scaled.old") == 0
    tiny.run()
    assert not left.exists()


def expect_nothing_there(folder: Path, dataset: str) -> None:
    enter(folder)
    session = KedroServiceSession.create(project_path=folder)
    assert isinstance(session, KedroServiceSession)
    assert not session.load_context().catalog.exists(dataset)


def test_a_cached_dataset_is_read_as_the_run_wrote_it(tiny: Tiny) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    old = "total.metrics: {type: json.JSONDataset, filepath: data/04_total/total.json, versioned: true}"
    inner = "dataset: {type: json.JSONDataset, filepath: data/04_total/total.json}"
    new = f"total.metrics: {{type: CachedDataset, versioned: true, {inner}}}"
    catalog.write_text(catalog.read_text().replace(old, new))
    tiny.run()
    tiny.feed([3, 4])
    assert tiny.run().metrics == {"total.metrics": {"total": 14, "rest": 0}}
    tiny.expect_one_whole_run()


@pytest.mark.parametrize("run_id", ["last", "last~1", "current", "a/b", "..", ""])
def test_names_of_runs_are_not_ids(tiny: Tiny, run_id: str) -> None:
    code, message = tiny.try_to_run(run_id=run_id)
    if run_id:
        assert (code, message.startswith(f"run id {run_id} is not valid; expected ")) == (1, True)
    else:
        assert code == 0, "Kedro uses the time instead"


def test_files_of_editors_and_the_system_are_not_sources(tiny: Tiny) -> None:
    before = tiny.run().code.files
    (tiny.folder / "src/tiny/.#nodes.py").symlink_to("user@host.1:2")
    for name in (".DS_Store", "nodes.py~"):
        (tiny.folder / "src/tiny" / name).touch()
    assert tiny.run().code.files == before


def test_a_forked_child_that_fails_undoes_nothing(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    fork = "def total(up, down):\n    if not os.fork():\n        raise RuntimeError\n    os.wait()\n"
    registry.write_text(registry.read_text().replace("def total(up, down):\n", fork))
    ran = tiny.kedro("run")
    assert ran.returncode == 0, ran.stderr
    tiny.expect_one_whole_run()


def test_sessions_in_threads_record_their_own_parameters(tiny: Tiny) -> None:
    assert in_process(open_another_context_meanwhile, tiny.folder) == 0
    assert tiny.ledger.find("last").parameters["factor"] == 3


def open_another_context_meanwhile(folder: Path) -> None:
    from threading import Thread

    enter(folder)
    session = KedroServiceSession.create(project_path=folder)
    assert isinstance(session, KedroServiceSession)
    make_catalog = RunContext.make_catalog

    def make_catalog_slowly(self: RunContext, *arguments: Any, **keywords: Any) -> Any:
        catalog = make_catalog(self, *arguments, **keywords)
        other = Thread(target=session.load_context, args=[{"factor": 100}])
        other.start()
        other.join()
        return catalog

    RunContext.make_catalog = make_catalog_slowly  # type: ignore[method-assign]
    session.run(runtime_params={"factor": 3})
