"""Forged or damaged files in data/runs: the ledger never removes anything except versions."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kedro_ledger.test_code import git
from tests.kedro_ledger.test_reproduce import commit
from tests.support.tiny import Tiny

RUN = "<run>"
"""Placeholder for the id of a run."""
COMMANDS = (
    ("runs", "list"),
    ("runs", "show", "1"),
    ("runs", "diff", "1", "last"),
    ("runs", "path", "numbers", "1"),
    ("runs", "verify"),
    ("runs", "checkout", "1"),
    ("runs", "prune", "--keep", "1"),
    ("runs", "reproduce", "1"),
    ("run", "--load-versions", "numbers:1"),
)
"""Commands that read the record of the first of two runs."""


@pytest.fixture
def two_runs(tiny: Tiny) -> Tiny:
    """A project in git with two committed runs, next to a folder of another user."""
    (tiny.folder.parent / "victim").mkdir()
    for name in ("victim.json", "keep~me"):
        (tiny.folder.parent / "victim" / name).write_text("precious")
    (tiny.folder / "README.md").write_text("A project.\n")
    git(tiny.folder, "init", "--quiet")
    commit(tiny)
    tiny.run()
    tiny.feed([5, 6])
    tiny.run()
    return tiny


def snapshot(folder: Path) -> dict[str, str]:
    """Return the hashes of all files and links, except the internal files of Kedro and Python."""
    return {
        str(file.relative_to(folder)): os.readlink(file)
        if file.is_symlink()
        else hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if (file.is_symlink() or file.is_file())
        and not {".viz", "__pycache__", ".lock"} & set(file.parts)
        and ".git/index" not in file.as_posix()
    }


def edit_first_record(tiny: Tiny, change: Callable[[Any], None], run_id: str | None = None) -> str:
    """Edit the record of the first run, and return the run's id."""
    record = tiny.ledger.records()[0]
    file = tiny.ledger.folder / f"000001_{record.run_id}.json"
    edited = json.loads(file.read_text().replace(record.run_id, run_id or record.run_id))
    change(edited)
    file.unlink()
    (tiny.ledger.folder / f"000001_{edited['run_id']}.json").write_text(json.dumps(edited))
    return run_id or record.run_id


@pytest.mark.matrix
@pytest.mark.parametrize(
    "path",
    [
        "../victim/victim.json",
        "{tmp}/victim/victim.json",
        "src/x",
        "README.md",
        "",
        ".",
        "..",
        "data/02_numbers/numbers.json/../../../src",
        f"../victim/{RUN}/victim",
        f"{{tmp}}/victim/../victim/{RUN}/victim",
        f"data/./02_numbers/numbers.json/{RUN}/numbers.json",
        f"data//numbers.json/{RUN}/numbers.json",
        f"data/02_numbers/numbers.json/{RUN}/other.json",
        f"{RUN}/numbers.json",
        "data/02_numbers/numbers.json/another-run/numbers.json",
        f"data/02_numbers/numbers.json/{RUN}/numbers.json\0",
        f"victim*/{RUN}/victim",
    ],
)
def test_a_path_that_no_run_writes_is_damage_for_every_command_that_reads_it(
    two_runs: Tiny, path: str
) -> None:
    def change(record: Any) -> None:
        place = path.replace(RUN, record["run_id"]).replace("{tmp}", str(two_runs.folder.parent))
        record["wrote"]["numbers"]["path"] = place

    run_id = edit_first_record(two_runs, change)
    before = snapshot(two_runs.folder.parent)
    for command in COMMANDS:
        ran = two_runs.kedro(*command)
        assert ran.returncode == 1, (command, ran.stdout)
        assert f"Error: data/runs/000001_{run_id}.json is damaged" in ran.stderr, (command, ran.stderr)
    assert snapshot(two_runs.folder.parent) == before
    ran = two_runs.kedro("run")
    assert ran.returncode == 0, "the run is committed, but nothing is pruned"
    assert f"data/runs/000001_{run_id}.json is damaged" in ran.stderr
    after = snapshot(two_runs.folder.parent) | {"tiny/data/runs/history.jsonl": ""}
    assert (before | {"tiny/data/runs/history.jsonl": ""}).items() <= after.items()


@pytest.mark.matrix
@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["raw"]["raw"].update(path="../rerun/raw.json"),
        lambda record: record["raw"]["raw"].update(path="data/../../x"),
        lambda record: record["code"].update(folder="../../../project/"),
        lambda record: record["code"].update(folder="/"),
        lambda record: record["code"].update(commit="--orphan"),
        lambda record: record["wrote"]["numbers"].update(version="../x"),
        lambda record: record["wrote"]["numbers"].update(sha256=None),
        lambda record: record["wrote"]["numbers"].update(path="s3://bucket/numbers.json"),
    ],
)
def test_a_rerun_does_not_leave_its_folder(
    two_runs: Tiny, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    edit_first_record(two_runs, change)
    before = snapshot(tmp_path)
    ran = two_runs.kedro("runs", "reproduce", "1", "--into", str(tmp_path / "rerun" / "here"))
    assert ran.returncode == 1
    assert "is damaged" in ran.stderr
    assert snapshot(tmp_path) == before


@pytest.mark.matrix
@pytest.mark.parametrize("folder", ["../victim", "{tmp}/victim", ".git", "", ".", "../victim/*", "src", RUN])
def test_an_announcement_that_no_run_writes_is_damage(two_runs: Tiny, folder: str) -> None:
    place = folder.replace(RUN, "zzz").replace("{tmp}", str(two_runs.folder.parent))
    announcement = two_runs.ledger.folder / "zzz.uncommitted"
    announcement.write_text(json.dumps({"x": place}))
    expect_damaged(two_runs, announcement)


@pytest.mark.matrix
@pytest.mark.parametrize("content", ["[1]", '{"x": 5}', '{"x": null}', "5", "", "{", "\xff"])
def test_an_announcement_of_another_form_is_damage(two_runs: Tiny, content: str) -> None:
    announcement = two_runs.ledger.folder / "zzz.uncommitted"
    announcement.write_bytes(content.encode("latin-1"))
    expect_damaged(two_runs, announcement)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "content", ['{"x": {"x": "src/y"}}', '{"tiny": {"x": "../tiny"}}', '{"x": "y"}', "[]"]
)
def test_a_list_of_what_was_pruned_that_no_run_writes_is_damage(two_runs: Tiny, content: str) -> None:
    announcement = two_runs.ledger.folder / "pruned.json"
    announcement.write_text(content)
    expect_damaged(two_runs, announcement)


def test_an_announcement_under_a_hidden_name_is_damage(two_runs: Tiny) -> None:
    announcement = two_runs.ledger.folder / ".git.uncommitted"
    announcement.write_text(json.dumps({"x": "data/x/.git"}))
    expect_damaged(two_runs, announcement)


def expect_damaged(tiny: Tiny, announcement: Path) -> None:
    before = snapshot(tiny.folder.parent)
    for command in (("run",), ("runs", "prune", "--keep", "1")):
        ran = tiny.kedro(*command)
        assert ran.returncode == 1, ran.stdout
        assert f"Error: data/runs/{announcement.name} is damaged" in ran.stderr
        assert re.search(r"is damaged.*(; remove it|\. Remove this file)$", ran.stderr, re.MULTILINE)
    assert snapshot(tiny.folder.parent) == before
    announcement.unlink()
    assert tiny.kedro("run").returncode == 0


@pytest.mark.matrix
@pytest.mark.parametrize("kind", ["record", "mark"])
@pytest.mark.parametrize("harm", ["pipe", "device", "folder"])
def test_special_files_are_not_waited_for(two_runs: Tiny, kind: str, harm: str) -> None:
    file = two_runs.ledger.folder / ("000003_x.json" if kind == "record" else "x.uncommitted")
    if harm == "pipe":
        os.mkfifo(file)
    elif harm == "device":
        file.symlink_to("/dev/zero")
    else:
        file.mkdir()
    ran = two_runs.kedro("run")
    assert ran.returncode == 1
    assert f"Error: data/runs/{file.name} is not a regular file" in ran.stderr


@pytest.mark.matrix
@pytest.mark.parametrize(("run_id", "home"), [("tiny", "src"), ("objects", ".git"), ("base", "conf")])
def test_a_well_formed_path_removes_no_folder_that_is_not_a_version(
    two_runs: Tiny, run_id: str, home: str
) -> None:
    """A forged record can have any run id."""
    before = {name: digest for name, digest in snapshot(two_runs.folder).items() if name[:4] != "data"}
    edit_first_record(
        two_runs,
        lambda record: record["wrote"]["numbers"].update(path=f"{home}/{run_id}/{home}"),
        run_id=run_id,
    )
    ran = two_runs.kedro("runs", "prune", "--keep", "1")
    assert ran.returncode == 0, ran.stderr
    assert f"{home}/{run_id} was not removed: it is behind a link, in another ledger's folder" in ran.stderr
    after = {name: digest for name, digest in snapshot(two_runs.folder).items() if name[:4] != "data"}
    assert after == before
    assert [record.seq for record in two_runs.ledger.records()] == [2]


def test_a_link_in_data_leads_nowhere(two_runs: Tiny) -> None:
    """Add a link through which `data/tiny/src/tiny` would be the package."""
    (two_runs.folder / "data/tiny").symlink_to("..")
    edit_first_record(
        two_runs, lambda record: record["wrote"]["numbers"].update(path="data/tiny/src/tiny"), run_id="src"
    )
    ran = two_runs.kedro("runs", "prune", "--keep", "1")
    assert "data/tiny/src was not removed: it is behind a link" in ran.stderr
    assert (two_runs.folder / "src/tiny/settings.py").exists()


@pytest.mark.matrix
@pytest.mark.parametrize("way", ["absolute", "..", "link"])
def test_versions_outside_are_removed_only_where_the_catalog_stores_them(
    two_runs: Tiny, tmp_path: Path, way: str
) -> None:
    store = tmp_path / "store"
    (store / "theirs").mkdir(parents=True)
    home = {"absolute": f"{store}/numbers.json", "..": "../store/numbers.json", "link": "link/numbers.json"}[
        way
    ]
    (two_runs.folder / "link").symlink_to(store)
    catalog = two_runs.folder / "conf/base/catalog.yml"
    catalog.write_text(catalog.read_text().replace("data/02_numbers/numbers.json", home))
    third, fourth = two_runs.run(), two_runs.run()
    versions = store / "numbers.json"
    assert {file.name for file in versions.iterdir()} == {third.run_id, fourth.run_id}
    assert two_runs.kedro("runs", "prune", "--keep", "1").returncode == 0
    assert {file.name for file in versions.iterdir()} == {fourth.run_id}

    catalog.write_text(catalog.read_text().replace(home, "data/numbers.json"))
    two_runs.run()
    ran = two_runs.kedro("runs", "prune", "--keep", "1")
    assert ran.returncode == 0
    assert f"/{fourth.run_id} was not removed: it is behind a link, in another ledger's folder" in ran.stderr
    assert {file.name for file in versions.iterdir()} == {fourth.run_id}
    assert (store / "theirs").exists()
    assert "is left" not in two_runs.kedro("run").stderr, "it is message once"


def test_files_of_users_beside_versions_stay(two_runs: Tiny) -> None:
    home = two_runs.folder / "data/02_numbers/numbers.json"
    first, second = (record.run_id for record in two_runs.ledger.records())
    theirs = [home / "mine~old", home / f"{second}~copy", home / "notes" / "numbers.json"]
    for folder in theirs:
        folder.mkdir(parents=True)
        (folder / "mine").write_text("mine")
    note = home / first / "note.txt"
    note.write_text("what I saw")
    for _ in range(3):
        two_runs.run()
    assert [(folder / "mine").read_text() for folder in theirs] == ["mine"] * 3
    assert note.read_text() == "what I saw"
    assert sorted(os.listdir(home / first)) == ["note.txt", "numbers.json"]


def test_a_version_that_is_a_link_stays(two_runs: Tiny, tmp_path: Path) -> None:
    version = two_runs.ledger.path(two_runs.ledger.records()[0].outputs["numbers"]).parent
    version.rename(tmp_path / "moved")
    version.symlink_to(tmp_path / "moved")
    ran = two_runs.kedro("runs", "prune", "--keep", "1")
    assert ran.returncode == 0, ran.stderr
    assert "was not removed: it is or contains something that no run wrote" in ran.stderr
    assert version.is_symlink()
    assert os.listdir(tmp_path / "moved") == ["numbers.json"]
    assert "is left" not in two_runs.kedro("run").stderr, "it is message once"


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("python", ".venv/bin/python"),
        ("link", "docs/x/link"),
        ("draft", "src/draft"),
        ("build", "docs/build"),
        ("foo", "node_modules/foo"),
        ("tool", "data/04_total/store/tool"),
        ("blog", "data/04_total/store/blog"),
        ("empty", "data/04_total/store/empty"),
    ],
)
def test_a_well_formed_announcement_removes_nothing_but_versions(
    two_runs: Tiny, name: str, folder: str
) -> None:
    """Try links, empty folders, files like a runner's marker, and nested folders with the same name."""
    top, store = two_runs.folder, two_runs.folder.parent / "victim"
    for path in (".venv/bin", "docs/x", "docs/build/docs", "node_modules/foo/node_modules"):
        (top / path).mkdir(parents=True)
    (top / ".venv/bin/python").symlink_to("/usr/bin/env")
    (top / "docs/x/link").symlink_to("../build")
    for file in ("src/draft~running", "docs/build/docs/page", "node_modules/foo/node_modules/x"):
        (top / file).write_text("precious")
    (store / "tool").symlink_to("/usr/bin/env")
    (store / "empty").mkdir()
    (store / "blog").mkdir()
    (store / "blog/store").write_text("precious")
    (top / "data/04_total/store").symlink_to(store)
    (top / f"data/runs/{name}.uncommitted").write_text(json.dumps({"total.metrics": folder}))
    before = snapshot(top.parent)
    for command in (("runs", "prune", "--keep", "5"), ("run", "--params", "runs.keep=9")):
        assert two_runs.kedro(*command).returncode == 0
    after = snapshot(top.parent)
    assert {path for path in before if not path.startswith("tiny/data/runs/")} <= after.keys()
    assert (store / "empty").is_dir()


def test_a_version_that_a_record_names_is_not_removed_through_a_link(two_runs: Tiny) -> None:
    data = two_runs.folder / "data"
    data.rename(two_runs.folder / "store")
    data.symlink_to("store")
    last = two_runs.ledger.records()[-1]
    for way in (str(data), str(two_runs.folder / "store"), "store"):
        folder = f"{way}/02_numbers/numbers.json/{last.run_id}"
        announcement = two_runs.ledger.folder / f"{last.run_id}.uncommitted"
        announcement.write_text(json.dumps({"numbers": folder}))
        two_runs.kedro("runs", "prune", "--keep", "5")
        assert two_runs.kedro("runs", "verify").returncode == 0, way
        announcement.unlink(missing_ok=True)


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["went_back.json", "history.jsonl", "pruned.json", "{run}.uncommitted"])
def test_nothing_is_written_through_a_link(two_runs: Tiny, name: str) -> None:
    victim = two_runs.folder.parent / "victim" / "victim.json"
    (two_runs.ledger.folder / "0.part").mkdir()
    for kind in ("link", "pipe"):
        part = two_runs.ledger.folder / f"{name.format(run=f'my-run-{kind}')}.part"
        part.symlink_to(victim) if kind == "link" else os.mkfifo(part)
        assert two_runs.kedro("runs", "checkout", "last~1").returncode == 0
        assert two_runs.kedro("runs", "checkout", "last").returncode == 0
        two_runs.run(run_id=f"my-run-{kind}")
        part.unlink(missing_ok=True)
    assert victim.read_text() == "precious"


def test_unknown_part_files_stay(two_runs: Tiny) -> None:
    film = two_runs.ledger.folder / "film.mkv.part"
    film.write_text("precious")
    two_runs.run()
    assert film.read_text() == "precious"


def test_a_ledger_behind_a_link_is_refused(two_runs: Tiny, tmp_path: Path) -> None:
    two_runs.ledger.folder.rename(tmp_path / "theirs")
    two_runs.ledger.folder.symlink_to(tmp_path / "theirs")
    before = snapshot(tmp_path)
    for command in (("run",), ("runs", "prune", "--keep", "1"), ("runs", "checkout", "1")):
        ran = two_runs.kedro(*command)
        assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
        assert "Error: data/runs is a link; expected a folder" in ran.stderr
    assert snapshot(tmp_path) == before


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("history.jsonl", b"\xff\n", "is damaged"),
        ("history.jsonl", None, "is not a regular file"),
        ("went_back.json", b'{"to": "current", "at": 2}', "which does not exist"),
        ("went_back.json", b'{"to": "last", "at": 2}', "which does not exist"),
        ("went_back.json", b'{"to": "last~99999", "at": 2}', "is damaged"),
        ("000003_x.json", b"[" * 200_000, "is damaged"),
        ("000003_x.json", b'{"format": ' + b"[" * 200_000, "is damaged"),
    ],
)
def test_damaged_files_are_reported_in_one_line(
    two_runs: Tiny, name: str, content: bytes | None, message: str
) -> None:
    file = two_runs.ledger.folder / name
    if content is None:
        file.unlink(missing_ok=True)
        os.mkfifo(file)
    else:
        file.write_bytes(content)
    faults = [two_runs.kedro("runs", "list"), two_runs.kedro("runs", "prune", "--keep", "1")]
    if name == "history.jsonl":
        assert two_runs.kedro("run", "--params", "runs.keep=1").returncode == 0, "it is committed"
        faults.pop(0)
    else:
        faults.append(two_runs.kedro("run"))
    for ran in faults:
        assert ran.returncode == 1
        assert ran.stderr.splitlines()[-1].startswith(f"Error: data/runs/{name} ")
        assert message in ran.stderr
        assert "Traceback" not in ran.stderr


def test_files_that_no_run_writes_are_not_records(two_runs: Tiny) -> None:
    for name in ("1x_y.json", "1²_x.json", "000003.json", "notes.json"):
        (two_runs.ledger.folder / name).write_text("{}")
    assert len(json.loads(two_runs.kedro("runs", "list", "--json").stdout)) == 2


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["x.uncommitted", "history.jsonl", "000003_x.json", "went_back.json"])
def test_no_file_of_the_ledger_is_too_large_for_memory(two_runs: Tiny, name: str) -> None:
    with (two_runs.ledger.folder / name).open("wb") as file:
        file.truncate(1 << 40)
    ran = two_runs.kedro("runs", "prune", "--keep", "1")
    assert f"Error: data/runs/{name} is not a regular file of at most" in ran.stderr


def test_an_artefact_of_another_size_is_not_read_whole(two_runs: Tiny) -> None:
    with two_runs.ledger.path(two_runs.ledger.records()[0].outputs["numbers"]).open("ab") as file:
        file.truncate(1 << 40)
    assert "was altered: it has 1,099,511,627,776 bytes; expected" in two_runs.kedro("runs", "verify").stderr


@pytest.mark.matrix
@pytest.mark.parametrize("is_versioned", [False, True])
def test_a_rerun_writes_nothing_to_the_recorded_path_of_raw_data(
    two_runs: Tiny, tmp_path: Path, is_versioned: bool
) -> None:
    victim = tmp_path / "victim" / "victim.json"

    def change(record: Any) -> None:
        entry = {"type": "json.JSONDataset", "filepath": str(victim), "versioned": is_versioned}
        record["catalog"]["numbers"] = entry
        digest = hashlib.sha256(victim.read_bytes()).hexdigest()
        record["raw"]["numbers"] = {"path": str(victim), "sha256": digest, "bytes": victim.stat().st_size}

    edit_first_record(two_runs, change)
    before = snapshot(tmp_path / "victim")
    two_runs.kedro("runs", "reproduce", "1", "--into", str(tmp_path / "rerun"))
    assert snapshot(tmp_path / "victim") == before


def test_a_rerun_runs_nothing_behind_a_link(two_runs: Tiny, tmp_path: Path) -> None:
    (two_runs.folder / "link").symlink_to(tmp_path)
    commit(two_runs)
    record = two_runs.run()
    assert record.code.commit
    file = two_runs.ledger.folder / f"{record.seq:06d}_{record.run_id}.json"
    edited = json.loads(file.read_text())
    edited["code"]["folder"] = f"link/{two_runs.folder.name}/"
    file.write_text(json.dumps(edited))
    before = snapshot(tmp_path)
    ran = two_runs.kedro("runs", "reproduce", "last")
    assert ran.returncode == 1
    assert "is behind a link in the checkout from git; expected a folder" in ran.stderr
    assert snapshot(tmp_path) == before
