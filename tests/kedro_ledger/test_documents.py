"""The commands in the ledger's README and its pages in docs, as a reader types them; the README's tables."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from kedro_ledger.commands import runs
from kedro_ledger.ledger import Ledger
from kedro_ledger.settings import DriftLimits, Settings
from tests.support.project import ROOT, MakeProject, Project

README = (ROOT / "src" / "kedro_ledger" / "README.md").read_text("utf-8")
PAGES = [
    README,
    *(
        (ROOT / "docs" / f"{name}.md").read_text("utf-8")
        for name in ("runs", "scheduling", "cluster", "speed")
    ),
]
NOT_RUN = {
    "pip install": "needs the network; test_package.py installs the package without it",
    "less": "waits for a key",
    "sudo": "needs root and systemd; tests/from_scratch/deploy/test_systemd.py checks the units",
    "journalctl": "needs systemd",
    "crontab": "opens an editor; tests/from_scratch/deploy/test_cron.py gives the line to cron",
    "kedro run --runner kedro_ledger.dask.DaskRunner --runner-params address=": "needs a cluster",
    "python benchmarks/": "takes minutes; `make benchmark` runs most of them",
    "TMPDIR=/var/tmp python benchmarks/": "takes a quarter of an hour",
}
"""Beginnings of commands that are not run here, each with the reason."""
PLACEHOLDERS = {"[RUN]": "last", "RUN": "last", "DATASET": "deep.metrics", "N": "20", "FILE": "history.html"}
RUN_ID = re.compile(r"\d{4}-\d\d-\d\dT[\d.]+Z")
SUGGEST = "features suggest data/01_raw/bikes.csv --target sold --separator ; --decimal , --env bikes"


def find_commands(page: str) -> list[str]:
    """Find the commands in blocks of a console, and those in the text that have arguments."""
    blocks = re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    typed = re.findall(r"^\$ (.+?)(?: +# .*)?$", "\n".join(blocks), re.MULTILINE)
    return typed + re.findall(r"`(kedro (?:run|schedule|runs \w+) [^`…]+)`", page)


COMMANDS = list(dict.fromkeys(command for page in PAGES for command in find_commands(page)))


def is_quick(command: str) -> bool:
    return command.startswith(("kedro runs ", "kedro schedule ")) and "reproduce" not in command


@pytest.fixture(scope="module")
def deep_run(make_project: MakeProject) -> Project:
    """A project in git, with an environment `bikes`, in which the deep net ran."""
    project = make_project()
    shutil.copy(ROOT / "docs" / "bikes.csv", project.folder / "data" / "01_raw")
    assert project.kedro(*SUGGEST.split()).returncode == 0
    shutil.copy(ROOT / ".gitignore", project.folder)
    name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for arguments in (["init", "--quiet"], ["add", "."], [*name, "commit", "--quiet", "-m", "Begin"]):
        subprocess.run(["git", *arguments], cwd=project.folder, check=True)
    project.run("--pipeline", "deep")
    return project


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=() if is_quick(command) else pytest.mark.slow)
        for command in COMMANDS
        if not command.startswith(tuple(NOT_RUN))
    ],
)
def test_a_command_of_the_pages_succeeds(deep_run: Project, command: str) -> None:
    run_id = Ledger(deep_run.folder).records()[0].run_id
    arguments = [PLACEHOLDERS.get(word, RUN_ID.sub(run_id, word)) for word in shlex.split(command)]
    ran = deep_run.kedro(*arguments[1:])
    assert ran.returncode == 0, ran.stderr


def test_every_command_that_is_not_run_is_in_a_page() -> None:
    assert [start for start in NOT_RUN if not any(command.startswith(start) for command in COMMANDS)] == []


def test_the_readme_shows_runs_as_the_list_does(deep_run: Project) -> None:
    (shown,) = re.findall(r"^\$ kedro runs list\n(.*?)\n", README, re.DOTALL | re.MULTILINE)
    heading = deep_run.kedro("runs", "list").stdout.splitlines()[0]
    assert shown.split() == heading.split()
    assert shown.index("run") == heading.index("run")


def test_the_readme_names_every_command_and_every_parameter_with_its_default() -> None:
    assert {*re.findall(r"^\| `kedro runs (\w+)", README, re.MULTILINE)} == runs.commands.keys()
    table = README.partition("| parameter | default |")[2].partition("\n\n")[0]
    defaults = dict(re.findall(r"^\| `([\w.]+)` \| `?(.*?)`? \|", table, re.MULTILINE))
    expected = {name: field.default for name, field in Settings.model_fields.items() if name != "drift"}
    expected |= {f"drift.{name}": field.default for name, field in DriftLimits.model_fields.items()}
    read = {name: None if text == "none" else yaml.safe_load(text) for name, text in defaults.items()}
    assert read == expected
