"""`kedro schedule`: timers for a checkout."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from from_scratch.cli.schedule import list_notes, parse_cron, render_timer, to_calendar
from kedro_ledger.errors import InputError
from tests.support.project import ROOT, Project

NIGHTLY = ("schedule", "--cron", "0 2 * * *", "--scheduler")


def ask_systemd(every: str, after: datetime, count: int) -> list[datetime]:
    """Return the next start times according to systemd, merged if there are several calendars."""
    times: set[datetime] = set()
    for calendar in to_calendar(parse_cron(every)):
        asked = ["systemd-analyze", "calendar", f"--iterations={count}", f"--base-time={after}", calendar]
        output = subprocess.run(asked, capture_output=True, text=True, check=True, env={"TZ": "UTC"}).stdout
        found = re.findall(r"(?:Next elapse|Iteration #\d+|Iter\. #\d+): \w+ (\S+ \S+) UTC", output)
        times |= {datetime.fromisoformat(time) for time in found}
    return sorted(times)[:count]


EVERY = [
    "0 2 * * *",
    "*/15 * * * *",
    "5,35 8-18/2 * * mon-fri",
    "0 0 1 jan,jul *",
    "30 4 1,15 * 5",
    "0 3 */2 * 1",
    "0 12 31 * *",
    "0 6 * * 0",
    "0 6 * * 6-7",
    "0 2 1 * 0-6",
    "0 2 1-31 * 1",
    "0 2 */2 * 1-5/2",
    "* * * * *",
]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("every", EVERY)
def test_systemd_and_cron_mean_the_same_times(every: str) -> None:
    after = datetime(2026, 11, 23, 12, 34)
    times = parse_cron(every)
    times.dt = after
    assert ask_systemd(every, after, 8) == list(itertools.islice(times, 8))


@pytest.mark.parametrize("every", EVERY)
def test_next_times_are_in_the_future_and_in_order(every: str) -> None:
    note, *_ = list_notes(ROOT, "cron", every, "scheduled")
    starts = [datetime.fromisoformat(time) for time in re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d", note)]
    assert datetime.now() < starts[0] < starts[1] < starts[2]


@pytest.mark.parametrize(
    "every",
    """
    |0 2 * *|0 0 2 * * *|60 * * * *|0 24 * * *|0 2 0 * *|0 2 * 13 *|0 2 * * 8|@daily|5/15 * * * *|*/0 * * * *
    |0 2 L * *|0 2 * * 1#2
    |0 2 30 2 *|*/100 2 * * *|000 2 * * *|0 5-2 * * *|a b c d e|0 2 * * *%|٣ 2 * * *|0 2 * * * rm
    """.strip().split("|"),
)
def test_invalid_times_are_reported(every: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"--cron is {every!r}; expected minute, hour, ")):
        parse_cron(every)


@given(st.text(alphabet="0123456789*/,- LWjanfe#@", max_size=20))
def test_any_text_is_valid_or_an_input_error(every: str) -> None:
    try:
        calendar = list(to_calendar(parse_cron(every)))
    except InputError:
        return
    assert 1 <= len(calendar) <= 2


def test_it_prints_and_changes_nothing(project: Project) -> None:
    before = sorted(project.folder.rglob("*"))
    ran = project.kedro(*NIGHTLY, "systemd")
    assert ran.returncode == 0, ran.stderr
    headings = re.findall(r"^# --- (.*)$", ran.stdout, re.M)
    assert headings == ["from-scratch-failed.service", "from-scratch.service", "from-scratch.timer"]
    assert f"WorkingDirectory={project.folder}\n" in ran.stdout
    assert "OnCalendar=*-*-* 02:00:00\n" in ran.stdout
    assert "Persistent=true\n" in ran.stdout
    assert "Nothing is installed" in ran.stderr
    assert not re.search(r"\{\{|\{%", ran.stdout)
    assert [file for file in sorted(project.folder.rglob("*")) if "__pycache__" not in str(file)] == [
        file for file in before if "__pycache__" not in str(file)
    ]


def test_units_retry_only_if_the_next_start_is_not_soon(project: Project) -> None:
    nightly = project.kedro(*NIGHTLY, "systemd").stdout
    assert "RestartForceExitStatus=75\n" in nightly
    often = project.kedro("schedule", "--cron", "0 * * * *", "--scheduler", "systemd").stdout
    assert "RestartForceExitStatus" not in often
    assert "StartLimitIntervalSec=0\n" in often


def test_name_environment_and_pipeline_are_used(project: Project, tmp_path: Path) -> None:
    (project.folder / "conf/nightly").mkdir()
    options = (
        "--name",
        "titanic",
        "--env",
        "nightly",
        "--pipeline",
        "deep",
        "--output-dir",
        str(tmp_path / "units"),
    )
    ran = project.kedro(*NIGHTLY, "systemd", *options)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    files = {file.name: file.read_text() for file in (tmp_path / "units").iterdir()}
    assert files.keys() == {"titanic.service", "titanic.timer", "titanic-failed.service"}
    assert " -m kedro run --env nightly --pipeline deep\n" in files["titanic.service"]
    assert "OnFailure=titanic-failed.service\n" in files["titanic.service"]


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("option", "line"),
    [
        (("--env", "schedule"), "--env is 'schedule'; expected one of the environments ablation, base, "),
        (("--env", ""), "--env is ''; expected one of the environments "),
        (("--env", "../conf/base"), "--env is '../conf/base'; expected one of the environments "),
        (
            ("--name", "a b"),
            "--name is 'a b'; expected at most 64 letters, digits, - and _, not starting with -",
        ),
        (("--pipeline", ""), "--pipeline is ''; expected one of "),
        (("--output-dir", "conf"), "--output-dir conf is not empty; expected a new folder"),
        (("--pipeline", "dep"), "--pipeline is 'dep'; expected one of "),
    ],
)
def test_invalid_options_are_reported(project: Project, option: tuple[str, str], line: str) -> None:
    ran = project.kedro(*NIGHTLY, "cron", *option)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"Error: {line}")
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("name", "scheduler", "line"),
    [
        ("a$b", "systemd", "contains characters that cannot be quoted for systemd; expected another path"),
        ('a"b', "systemd", "contains characters that cannot be quoted for systemd; expected another path"),
        ("a\\b", "cron", "contains characters that cannot be quoted for cron; expected another path"),
        ("a\nb", "cron", r"the project's folder is '.*a\\nb'; expected no control or other invisible"),
        (
            f"{'a' * 250}/{'b' * 250}/{'c' * 250}",
            "cron",
            "expected at most 900. Move the project to a shorter path",
        ),
    ],
)
def test_paths_that_cannot_be_quoted_are_refused(
    tmp_path: Path, name: str, scheduler: Any, line: str
) -> None:
    project = tmp_path / name
    (project / "conf/scheduled").mkdir(parents=True)
    shutil.copytree(ROOT / "deploy", project / "deploy")
    with pytest.raises(InputError, match=line):
        render_timer(project, scheduler, "0 2 * * *", "x", "scheduled", None)


def test_missing_templates_are_reported(project: Project) -> None:
    shutil.rmtree(project.folder / "deploy/cron")
    (project.folder / "deploy/systemd/from-scratch.service~").touch()
    ran = project.kedro(*NIGHTLY, "cron")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "Error: deploy/cron has no crontab; expected the templates of the timer\n"
    assert "service~" not in project.kedro(*NIGHTLY, "systemd").stdout


def test_notes_before_an_installation(project: Project) -> None:
    (project.folder / "conf/nightly").mkdir()
    ran = project.kedro(*NIGHTLY, "systemd", "--env", "nightly")
    assert re.search(
        r"^The first runs would start at .* 02:00, .* 02:00, .* 02:00, as user \S+\.$", ran.stderr, re.M
    )
    assert "conf/nightly has no logging.yml" in ran.stderr
    if str(project.folder).startswith("/tmp"):
        assert "it has its own /tmp and /var/tmp" in ran.stderr


@pytest.mark.matrix
@pytest.mark.parametrize("scheduler", ["systemd", "cron"])
@pytest.mark.parametrize("option", ["--env", "--name", "--pipeline", "--cron"])
def test_no_value_can_start_a_new_line(project: Project, option: str, scheduler: str) -> None:
    value = "e\nExecStart=x\x1b[2J"
    (project.folder / "conf" / value).mkdir()
    ran = project.kedro(*NIGHTLY, scheduler, option, value)
    line = f"Error: {option} is {value!r}; expected no control or other invisible characters\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", line)
