"""Environments with their own data folder, which share no runs with other environments."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kedro_ledger.data_folder import DataFolder
from kedro_ledger.ledger import Ledger
from tests.support.processes import kill
from tests.support.tiny import FILES, Tiny

OWN = "data/own"


@pytest.fixture
def apart(tmp_path: Path) -> Tiny:
    """A project with an environment `own`, whose data folder is in the folder of the others."""
    tiny = Tiny.make(tmp_path)
    catalog = re.sub(
        '"?data/(0[2-4][^,"]*)"?', r'"${globals:data_folder}/\1"', FILES["conf/base/catalog.yml"]
    )
    (tmp_path / "conf/base/catalog.yml").write_text(catalog)
    (tmp_path / "conf/base/globals.yml").write_text("data_folder: data\n")
    configure(tiny, f"data_folder: {OWN}\n")
    return tiny


def configure(tiny: Tiny, content: str, env: str = "own") -> None:
    (tiny.folder / "conf" / env).mkdir(exist_ok=True)
    (tiny.folder / "conf" / env / "globals.yml").write_text(content)


def own(tiny: Tiny) -> Ledger:
    return Ledger(tiny.folder, data_folder=DataFolder(OWN))


def kedro(tiny: Tiny, *arguments: str) -> subprocess.CompletedProcess[str]:
    ran = tiny.kedro(*arguments)
    assert ran.returncode == 0, ran.stderr
    return ran


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_environments_do_not_see_each_others_runs(apart: Tiny) -> None:
    kedro(apart, "run", "--env", "own")
    assert apart.ledger.records() == []
    assert "no run is committed yet; run `kedro run` to create one" in kedro(apart, "runs", "list").stdout
    theirs = own(apart).records()[0]
    assert {Path(artefact.path).parts[:2] for _, artefact in theirs.artefacts} == {("data", "own")}
    apart.feed([3])
    kedro(apart, "run")
    assert [record.seq for record in apart.ledger.records()] == [1]
    assert own(apart).records() == [theirs]
    assert apart.read()["numbers"] == [3]
    ran = apart.kedro("run", "--env", "own", "--pipeline", "totals")
    assert (
        "scaled.up: made with other data in raw. Run `kedro run --env own` to make everything again"
        in ran.stderr
    )
    ran = apart.kedro("run", "--env", "own", "--pipeline", "totals", "--allow-mixed")
    assert ran.returncode == 0
    totals = json.loads(
        Path(kedro(apart, "runs", "path", "total.metrics", "-e", "own").stdout.strip()).read_text()
    )
    assert totals == {"total": 6, "rest": 0}


def test_all_commands_of_the_ledger_take_the_environment(apart: Tiny) -> None:
    for factor in (2, 3):
        kedro(apart, "run", "--env", "own", "--params", f"factor={factor}")
    first, second = own(apart).records()
    for command in ("list", "show 1", "diff 1 2", "verify", "history"):
        message = kedro(apart, "runs", *command.split(), "--json", "--env", "own").stdout
        assert json.loads(message), command
        assert apart.kedro("runs", *command.split(), KEDRO_ENV="own").returncode == 0, command
    kedro(apart, "runs", "checkout", "1", "--env", "own")
    current = own(apart).current()
    assert current
    assert current.run_id == first.run_id
    assert apart.kedro("runs", "show", second.run_id).returncode == 1
    wrong = apart.kedro("runs", "list", "--env", "others")
    assert wrong.returncode == 1
    assert "--env is others; expected one of the folders in conf: base, local, own" in wrong.stderr


def test_what_is_said_names_the_environment(apart: Tiny) -> None:
    assert "run `kedro run --env own` to create one" in kedro(apart, "runs", "list", "--env", "own").stdout
    ran = apart.kedro("runs", "path", "numbers", "--env", "own")
    assert "numbers: no run is committed yet; run `kedro run --env own` to create one" in ran.stderr
    path = kedro(apart, "runs", "path", "numbers", "--make", "--env", "own").stdout.strip()
    assert path.startswith(str(apart.folder / OWN))
    first = own(apart).records()[0]
    ran = kedro(apart, "run", "--env", "own", "--params", "factor=5")
    assert f"to go back: kedro runs checkout {first.run_id} --env own" in ran.stderr
    totals = apart.kedro("run", "--env", "own", "--pipeline", "totals", "--params", "factor=5")
    assert totals.returncode == 0


def test_a_run_of_one_does_not_wait_for_one_of_the_other(apart: Tiny) -> None:
    with apart.running("--env", "own") as running:
        (announcement,) = (apart.folder / OWN / "runs").glob("*.uncommitted")
        assert apart.kedro("run", "--env", "own").returncode == 75, "the environment has its own lock"
        ran = start_other(apart)
        assert ran.returncode == 0, ran.stderr
        assert announcement.exists(), "a run cleans up only in its own folder"
        assert list((apart.folder / OWN / "02_numbers").rglob("*.json/*/*.json"))
        apart.go_on()
        assert running.wait(60) == 0
    assert [record.seq for record in own(apart).records()] == [1]
    assert [record.seq for record in apart.ledger.records()] == [1]


def start_other(apart: Tiny) -> subprocess.CompletedProcess[str]:
    """Run a pipeline without a waiting node in the shared folder."""
    registry = apart.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(
        registry.read_text().replace('gate = Path("data/gate")', 'gate = Path("data/no gate")')
    )
    return apart.kedro("run")


def test_a_killed_run_leaves_nothing_to_the_other(apart: Tiny) -> None:
    with apart.running("--env", "own") as running:
        kill(running.pid)
        running.wait(60)
    left = files_of(apart.folder / OWN)
    apart.go_on()
    kedro(apart, "run")
    assert files_of(apart.folder / OWN) == left
    for _ in range(2):  # the second run removes the announcement of a killed run
        kedro(apart, "run", "--env", "own")
    assert not list((apart.folder / OWN / "runs").glob("*.uncommitted"))


def test_pruning_changes_only_the_environments_own_folder(apart: Tiny) -> None:
    for _ in range(2):
        kedro(apart, "run", "--env", "own")
    before = files_of(apart.folder / OWN)
    for _ in range(4):  # keep is 2
        kedro(apart, "run")
    assert len(apart.ledger.records()) == 2
    assert files_of(apart.folder / OWN) == before
    shared = {name: content for name, content in files_of(apart.folder / "data").items() if OWN not in name}
    kedro(apart, "runs", "prune", "--keep", "1", "--env", "own")
    assert len(own(apart).records()) == 1
    assert shared == {n: content for n, content in files_of(apart.folder / "data").items() if OWN not in n}


def test_a_mark_that_names_versions_in_another_folder_removes_nothing(apart: Tiny) -> None:
    kedro(apart, "run", "--env", "own")
    theirs = own(apart).records()[0]
    kedro(apart, "run")
    before = files_of(apart.folder / OWN)
    folders = {name: artefact.folder for name, artefact in theirs.artefacts}
    (apart.folder / f"data/runs/{theirs.run_id}.uncommitted").write_text(json.dumps(folders))
    ran = kedro(apart, "run")
    assert files_of(apart.folder / OWN) == before
    assert "was not removed: it is behind a link, in another ledger's folder" in ran.stderr


@pytest.mark.parametrize(
    "folder",
    [
        "../x",
        "/tmp",
        "src",
        "store",
        "",
        ".",
        "data/../x",
        "data//x",
        "3",
        "[a]",
        "data/06_models",
        "data/runs/x",
    ],
)
def test_an_invalid_folder_is_refused(apart: Tiny, folder: str) -> None:
    configure(apart, f"data_folder: {folder}\n")
    for command in (("run", "--env", "own"), ("runs", "list", "--env", "own")):
        ran = apart.kedro(*command)
        assert ran.returncode == 1
        assert "globals.yml: data_folder is " in ran.stderr
        assert (
            "expected data, or a folder in it that is not named like a layer, such as data/bikes"
            in ran.stderr
        )
    assert not (apart.folder / OWN).exists()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("datafolder: data/own\n", "globals.yml: datafolder is unknown; did you mean data_folder?"),
        ("data_folder:\n", "globals.yml: data_folder is None; expected data, or a folder in it"),
    ],
)
def test_a_misspelt_key_does_not_select_the_shared_folder(apart: Tiny, content: str, line: str) -> None:
    (apart.folder / "conf/base/globals.yml").unlink()
    configure(apart, content)
    ran = apart.kedro("runs", "list", "--env", "own")
    assert ran.returncode == 1
    assert line in ran.stderr


def test_the_default_environment_is_named_if_another_one_is_set(apart: Tiny) -> None:
    message = apart.kedro("runs", "path", "numbers", "--env", "local", KEDRO_ENV="own")
    assert "run `kedro run --env local` to create one" in message.stderr
    path = apart.kedro("runs", "path", "numbers", "--env", "local", "--make", KEDRO_ENV="own").stdout.strip()
    assert path.startswith(str(apart.folder / "data" / "02_numbers"))
    assert not (apart.folder / OWN).exists()


def test_an_environment_of_two_words(apart: Tiny) -> None:
    configure(apart, f"data_folder: {OWN}\n", env="two words")
    path = kedro(apart, "runs", "path", "numbers", "--env", "two words", "--make").stdout.strip()
    assert path.startswith(str(apart.folder / OWN))
    assert apart.kedro("runs", "list", "--env", "../conf/own").returncode == 1


def test_two_threads_of_a_process_run_one_after_the_other(apart: Tiny) -> None:
    script = apart.folder / "threads.py"
    script.write_text(THREADS)
    (apart.folder / "data" / "gate").touch()
    ran = subprocess.run(
        [sys.executable, script], cwd=apart.folder, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.split("\n")[:2] == ["own: BusyError", "local: done"], ran.stdout + ran.stderr
    assert len(apart.ledger.records()) == 1
    assert own(apart).records() == []


THREADS = """
import threading, time
from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

bootstrap_project(Path.cwd())


def run(env):
    try:
        with KedroSession.create(Path.cwd(), env=env) as session:
            session.run()
        print(f"{env}: done", flush=True)
    except Exception as error:
        print(f"{env}: {type(error).__name__}", flush=True)


first = threading.Thread(target=run, args=["local"])
first.start()
while not Path("data/waiting").exists():
    time.sleep(0.01)
second = threading.Thread(target=run, args=["own"])
second.start()
second.join()
Path("data/gate").unlink()
first.join()
"""


def test_two_environments_may_share_a_folder(apart: Tiny) -> None:
    configure(apart, f"data_folder: {OWN}\n", env="other")
    kedro(apart, "run", "--env", "own")
    kedro(apart, "run", "--env", "other", "--pipeline", "totals")
    assert [record.seq for record in own(apart).records()] == [1, 2]


def test_data_of_any_environment_is_not_code(apart: Tiny) -> None:
    (apart.folder / ".gitignore").write_text("__pycache__/\n*.log\n.viz/\n")
    commit_all(apart)
    kedro(apart, "run", "--env", "own")
    kedro(apart, "run")
    for ledger in (own(apart), apart.ledger):
        assert [record.code.patch for record in ledger.records()] == [None]


def commit_all(tiny: Tiny) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for arguments in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "all")):
        subprocess.run(["git", *arguments], cwd=tiny.folder, check=True)


def test_a_run_with_its_own_folder_is_rebuilt(apart: Tiny) -> None:
    commit_all(apart)
    kedro(apart, "run", "--env", "own")
    kedro(apart, "run", "--env", "own", "--pipeline", "totals")
    configure(apart, "data_folder: data/moved\n")
    for run in ("1", "2"):
        configure(apart, f"data_folder: {OWN}\n")
        result = json.loads(kedro(apart, "runs", "reproduce", run, "--json", "--env", "own").stdout)
        assert result["identical"], result
    configure(apart, "data_folder: data/moved\n")
    assert "no run is committed yet" in kedro(apart, "runs", "list", "--env", "own").stdout
