"""Rebuilding old runs after everything else has changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from kedro_ledger.record import Record
from tests.kedro_ledger.test_code import git
from tests.support.tiny import TOTALS, Tiny


@pytest.fixture
def tiny(tiny: Tiny) -> Tiny:
    """A small project in git."""
    git(tiny.folder, "init", "--quiet")
    commit(tiny)
    return tiny


def commit(tiny: Tiny) -> None:
    git(tiny.folder, "add", "--all")
    git(tiny.folder, "commit", "--quiet", "--message", "a state")


def change_code(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(registry.read_text().replace("number * factor", "number * factor * 10"))


def snapshot(folder: Path) -> dict[str, str]:
    """Return the hashes of all files, including git's, except internal files of Kedro-Viz and Python."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not {".viz", "__pycache__"} & set(file.parts)
    }


def expect_reproduced(tiny: Tiny, record: Record, *lines: str) -> None:
    """Check that a run is rebuilt identically, and that nothing in the project changes."""
    before = snapshot(tiny.folder)
    ran = tiny.kedro("runs", "reproduce", record.run_id)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"all {len(record.outputs)} artefacts of run {record.run_id} are identical" in ran.stdout
    for line in lines:
        assert line in ran.stderr
    assert snapshot(tiny.folder) == before


@pytest.mark.slow
def test_a_run_can_be_rebuilt_after_everything_has_changed(tiny: Tiny, tmp_path: Path) -> None:
    (tiny.folder / "conf/local/parameters.yml").write_text("factor: 7\n")
    (tiny.folder / "conf/local/catalog.yml").write_text(
        "total.metrics: {type: json.JSONDataset, filepath: data/local/total.json, versioned: true, "
        "save_args: {indent: 3}}\n"
    )
    first = tiny.run()
    assert tiny.read()["scaled.up"] == [7, 14]
    (tiny.folder / "conf/local/parameters.yml").unlink()
    (tiny.folder / "conf/local/catalog.yml").unlink()
    parameters = tiny.folder / "conf/base/parameters.yml"
    parameters.write_text(parameters.read_text().replace("factor: 2", "factor: 4"))
    change_code(tiny)
    commit(tiny)
    raw = tiny.folder / "data/01_raw/raw.json"
    raw.rename(raw.with_name("raw of yesterday.json"))
    tiny.feed([5, 6])
    second = tiny.run(**TOTALS, runtime_params={"runs": {"keep": 2, "allow_mixed": True}})
    third = tiny.run()
    assert tiny.read()["scaled.up"] == [200, 240]
    assert [record.seq for record in tiny.ledger.records()] == [2, 3]
    expect_reproduced(tiny, second)
    expect_reproduced(tiny, third)

    whole = tiny.ledger.folder / f"000001_{first.run_id}.json"
    assert not whole.exists(), "pruned"
    whole.write_text(first.model_dump_json())
    expect_reproduced(tiny, first)

    clone = tmp_path / "another place" / "clone"
    clone.parent.mkdir()
    git(tmp_path, "clone", "--quiet", str(tiny.folder), str(clone))
    shutil.copytree(tiny.folder / "data", clone / "data")
    shutil.rmtree(tiny.folder)
    expect_reproduced(Tiny(clone), first)
    expect_reproduced(Tiny(clone), third)


def test_a_run_on_a_tree_that_was_not_clean_can_be_rebuilt(tiny: Tiny) -> None:
    change_code(tiny)
    (tiny.folder / "src/tiny/new.py").write_text("")
    record = tiny.run()
    assert record.code.patch
    git(tiny.folder, "stash", "--quiet", "--include-untracked")
    assert tiny.run(runtime_params={"factor": 3}).code.patch is None
    expect_reproduced(tiny, record)


def test_chosen_versions_are_chosen_again(tiny: Tiny) -> None:
    first = tiny.run()
    tiny.feed([3, 4])
    allowed = {"runs": {"allow_mixed": True}}  # the raw data has changed since
    record = tiny.run(load_versions={"numbers": first.run_id}, runtime_params=allowed)
    assert tiny.read()["total.metrics"] == {"total": 6, "rest": 0}
    expect_reproduced(tiny, record)


def test_differences_are_reported_with_the_largest_one(tiny: Tiny, tmp_path: Path) -> None:
    assert tiny.kedro("run", TINY_VARIES="1").returncode == 0
    record = tiny.ledger.find("last")
    again = tiny.kedro("runs", "reproduce", "last", "--into", str(tmp_path / "again"))
    assert again.returncode == 1
    assert "noise is only in one version; rest is only in one version" in again.stdout
    assert f"3 of 4 artefacts of run {record.run_id} are identical" in again.stdout
    assert (tmp_path / "again" / "project" / record.outputs["numbers"].path).exists(), (
        "the folder is kept for inspection"
    )


def test_other_packages_and_threads_are_reported_first(tiny: Tiny) -> None:
    record = tiny.run()
    file = tiny.ledger.folder / f"000001_{record.run_id}.json"
    recorded = json.loads(file.read_text())
    recorded["environment"]["packages"]["kedro"] = "1.6.0"
    recorded["environment"]["threads"] = {"OMP_NUM_THREADS": "64"}
    recorded["environment"]["cpu_capability"] = "NEON"
    file.write_text(json.dumps(recorded))
    ran = tiny.kedro("runs", "reproduce", "last", "--json")
    assert ran.returncode == 0, ran.stderr
    changed = json.loads(ran.stdout)["not_as_recorded"]
    assert "kedro: 1.6.0 then, 1.7.0 now" in changed
    assert "threads.OMP_NUM_THREADS: 64 then, none now" in changed
    assert any(line.startswith("cpu_capability: NEON then, ") for line in changed)
    assert ran.stderr.splitlines()[0].startswith("differs from the record: ")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (
            "raw",
            "raw: neither data/01_raw/raw.json nor another file in its folder is what the run read; ",
        ),
        ("input", "scaled.up: data/03_scaled/up.json/"),
        ("commit", " is not in this repository"),
        ("git", " can't be rebuilt: its code is not in git"),
        ("code", "the rerun failed with exit code 1"),
    ],
)
def test_missing_inputs_are_reported(tiny: Tiny, tmp_path: Path, harm: str, message: str) -> None:
    if harm == "git":
        shutil.rmtree(tiny.folder / ".git")
    record = tiny.run()
    if harm == "raw":
        tiny.feed([8, 9])
    elif harm == "input":
        record = tiny.run(**TOTALS)
        tiny.ledger.path(record.view["scaled.up"]).unlink()
    elif harm in ("commit", "code"):
        file = tiny.ledger.folder / f"000001_{record.run_id}.json"
        recorded = json.loads(file.read_text())
        if harm == "commit":
            recorded["code"]["commit"] = "0" * 40
        else:
            recorded["nodes"] = ["a node that is not there"]
        file.write_text(json.dumps(recorded))
    before = snapshot(tiny.folder)
    ran = tiny.kedro("runs", "reproduce", "last")
    assert ran.returncode == 1
    assert message in ran.stderr.splitlines()[-1]
    assert ran.stderr.splitlines()[-1].startswith("Error: ")
    assert snapshot(tiny.folder) == before


def test_nothing_is_written_through_a_link(tiny: Tiny, tmp_path: Path) -> None:
    shutil.move(tiny.folder / "data", tmp_path / "disk")
    (tiny.folder / "data").symlink_to(tmp_path / "disk")
    commit(tiny)
    record = tiny.run()
    assert "data" in git(tiny.folder, "ls-files").split(), "the link is in git"
    raw = tmp_path / "disk/01_raw/raw.json"
    raw.rename(raw.with_name("old.json"))
    raw.write_text("[7, 8]")
    before = snapshot(tmp_path / "disk")
    expect_reproduced(tiny, record)
    assert snapshot(tmp_path / "disk") == before


@pytest.mark.matrix
@pytest.mark.parametrize(
    "entry",
    [
        "type: json.JSONDataset, filepath: {tmp}/plain.json",
        "type: json.JSONDataset, filepath: ../plain.json",
        "type: json.JSONDataset, filepath: 'file://{tmp}/plain.json'",
        "type: json.JSONDataset, filepath: link/plain.json",
        "type: CachedDataset, dataset: {{type: json.JSONDataset, filepath: {tmp}/plain.json}}",
    ],
)
def test_nothing_is_written_outside(tiny: Tiny, tmp_path: Path, entry: str) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    old = "type: json.JSONDataset, filepath: data/02_numbers/numbers.json, versioned: true"
    catalog.write_text(catalog.read_text().replace(old, entry.format(tmp=tmp_path)))
    (tiny.folder / "link").symlink_to(tmp_path)
    commit(tiny)
    record = tiny.run()
    (tmp_path / "plain.json").write_text("[5]")
    expect_reproduced(tiny, record)
    assert (tmp_path / "plain.json").read_text() == "[5]"


def test_the_variables_of_a_git_hook_do_no_harm(tiny: Tiny) -> None:
    record = tiny.run()
    change_code(tiny)
    commit(tiny)
    before = snapshot(tiny.folder)
    hook = {"GIT_DIR": f"{tiny.folder}/.git", "GIT_INDEX_FILE": f"{tiny.folder}/.git/index"}
    assert tiny.kedro("runs", "reproduce", record.run_id, **hook).returncode == 0
    assert snapshot(tiny.folder) == before


def test_code_that_git_does_not_know_is_reported(tiny: Tiny) -> None:
    (tiny.folder / ".gitignore").write_text((tiny.folder / ".gitignore").read_text() + "/src/tiny/own.py\n")
    (tiny.folder / "src/tiny/own.py").write_text("")
    message = "git ignores src/tiny/own.py, or changes its bytes on checkout "
    assert f" (it can't be rebuilt: {message}" in tiny.kedro("run").stderr
    ran = tiny.kedro("runs", "reproduce", "last")
    assert ran.returncode == 1
    assert f" can't be rebuilt: {message}" in ran.stderr.splitlines()[-1]


def test_parameters_come_from_the_record_alone(tiny: Tiny) -> None:
    (tiny.folder / "conf/base/globals.yml").write_text("factor: 2\n")
    parameters = tiny.folder / "conf/base/parameters.yml"
    text = parameters.read_text().replace(
        "factor: 2", 'factor: "${globals:factor}"\nlimit: .inf\nsmall: 1.0e-07'
    )
    parameters.write_text(text)
    (tiny.folder / "conf/local/globals.yml").write_text("factor: 6\n")
    commit(tiny)
    record = tiny.run()
    assert (record.parameters["factor"], record.parameters["limit"]) == (6, float("inf"))
    (tiny.folder / "conf/local/globals.yml").unlink()
    expect_reproduced(tiny, record)


def test_values_that_json_cannot_represent_are_reported(tiny: Tiny) -> None:
    parameters = tiny.folder / "conf/base/parameters.yml"
    parameters.write_text(parameters.read_text() + "mixed: {1: a, b: c}\n")
    assert tiny.run().inexact == ["parameters"]
    ran = tiny.kedro("runs", "reproduce", "last")
    assert (ran.returncode, "contain values that JSON can't represent" in ran.stderr) == (1, True)


@pytest.mark.slow
def test_a_run_can_be_rebuilt_in_a_shallow_clone(tiny: Tiny, tmp_path: Path) -> None:
    change_code(tiny)
    commit(tiny)
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tiny.folder}", "shallow")
    shallow = Tiny(tmp_path / "shallow")
    (shallow.folder / "conf/local").mkdir()
    shallow.feed([1, 2])
    record = shallow.run()
    git(shallow.folder, "commit", "--quiet", "--amend", "--message", "another")
    expect_reproduced(shallow, record)


def test_credentials_are_neither_needed_nor_recorded(tiny: Tiny) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    far = 'far: {type: json.JSONDataset, filepath: "memory://far.json", credentials: key}\n'
    catalog.write_text(catalog.read_text() + far)
    (tiny.folder / "conf/local/credentials.yml").write_text("key: {secret: xyzzy}\n")
    commit(tiny)
    record = tiny.run()
    assert "xyzzy" not in record.model_dump_json()
    (tiny.folder / "conf/local/credentials.yml").unlink()
    expect_reproduced(tiny, record)


def test_text_stays_text(tiny: Tiny) -> None:
    parameters = tiny.folder / "conf/base/parameters.yml"
    parameters.write_text(parameters.read_text() + 'text: ["1e3", "\\\\${name}", "yes", "null", "ä: \\n"]\n')
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    text = registry.read_text().replace('node(parse, "raw"', 'node(both, ["raw", "params:text"]')
    registry.write_text(
        text.replace("def scale", "def both(raw, text):\n    return [len(repr(text)), *raw]\n\n\ndef scale")
    )
    commit(tiny)
    record = tiny.run()
    assert record.parameters["text"] == ["1e3", "${name}", "yes", "null", "ä: \n"]
    expect_reproduced(tiny, record)


@pytest.fixture(params=["data/01_raw/raw.json", "docs/raw.json", "link/raw.json"])
def tracked(request: pytest.FixtureRequest, tiny: Tiny) -> tuple[Tiny, Path]:
    """A project with its raw data in git, and the file: in `data`, elsewhere, or behind a link."""
    catalog = tiny.folder / "conf/base/catalog.yml"
    catalog.write_text(catalog.read_text().replace("data/01_raw/raw.json", request.param))
    raw = tiny.folder / request.param
    if request.param.startswith("link"):
        (tiny.folder / "docs").mkdir()
        (tiny.folder / "link").symlink_to("docs")
    raw.parent.mkdir(exist_ok=True)
    (tiny.folder / "data/01_raw/raw.json").rename(raw)
    git(tiny.folder, "add", "--force", str(raw.resolve()))
    (tiny.folder / ".gitignore").write_text((tiny.folder / ".gitignore").read_text() + ".viz/\n")
    commit(tiny)
    return tiny, raw


@pytest.mark.matrix
def test_raw_data_that_git_has_is_found_in_the_commit(tracked: tuple[Tiny, Path]) -> None:
    tiny, raw = tracked
    record = tiny.run()
    raw.write_text("[7, 8, 9]")
    expect_reproduced(tiny, record)
    raw.unlink()
    expect_reproduced(tiny, record)


@pytest.mark.slow
def test_raw_data_that_replaces_what_git_has_is_found_by_its_hash(tracked: tuple[Tiny, Path]) -> None:
    tiny, raw = tracked
    tiny.run()
    raw.write_text("[70707, 80808]")
    git(tiny.folder, "add", "--update")
    record = tiny.run()
    assert record.code.is_committed
    assert "70707, 80808" not in record.model_dump_json()
    assert "*" not in tiny.kedro("runs", "list").stdout
    assert record.drift
    assert record.drift.changed["data"].keys() == {"raw"}
    assert "code" not in record.drift.changed
    expect_reproduced(tiny, record)
    raw.rename(raw.with_name("mine.json"))
    git(tiny.folder, "checkout", "--quiet", "HEAD", "--", str(raw.resolve()))
    expect_reproduced(tiny, record)
    raw.with_name("mine.json").unlink()
    ran = tiny.kedro("runs", "reproduce", "last")
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    path = raw.relative_to(tiny.folder)
    assert line.startswith(
        f"Error: raw: neither {path} nor another file in its folder is what the run read; expected "
    )


@pytest.mark.slow
def test_a_raw_folder_is_that_of_the_run(tiny: Tiny) -> None:
    """The files that the commit has in this folder are not mixed in."""
    catalog, parts = tiny.folder / "conf/base/catalog.yml", tiny.folder / "docs/parts"
    entry = "raw: {type: partitions.PartitionedDataset, path: docs/parts, dataset: json.JSONDataset}"
    text = catalog.read_text()
    catalog.write_text(text.replace("raw: {type: json.JSONDataset, filepath: data/01_raw/raw.json}", entry))
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(
        registry.read_text().replace("return raw\n", "return [raw[part]() for part in sorted(raw)]\n")
    )
    parts.mkdir(parents=True)
    for number in (1, 2):
        (parts / f"{number}.json").write_text(str(number))
    commit(tiny)
    whole = tiny.run()
    (parts / "1.json").rename(tiny.folder / "docs/1.json")
    record = tiny.run()
    assert tiny.read()["numbers"] == [2]
    expect_reproduced(tiny, record)
    expect_reproduced(tiny, whole)


@pytest.mark.slow
def test_raw_data_is_looked_for_among_files_only(tiny: Tiny) -> None:
    record = tiny.run()
    raw = tiny.folder / "data/01_raw/raw.json"
    raw.rename(raw.with_name("zzz.json"))
    os.mkfifo(raw.with_name("pipe"))
    expect_reproduced(tiny, record)


@pytest.mark.slow
def test_a_run_can_be_rebuilt_in_a_repository_of_another_kind(tmp_path: Path) -> None:
    tiny = Tiny.make(tmp_path / "other")
    git(tiny.folder, "init", "--quiet", "--object-format=sha256")
    git(tiny.folder, "config", "core.autocrlf", "true")
    commit(tiny)
    shutil.rmtree(tiny.folder / "src")
    git(tiny.folder, "checkout", "--quiet", "src")
    assert b"\r\n" in (tiny.folder / "src/tiny/settings.py").read_bytes()
    expect_reproduced(tiny, tiny.run())
