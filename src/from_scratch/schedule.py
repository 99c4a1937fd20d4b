"""Timers for this checkout: the files in deploy, filled in."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from from_scratch.errors import InputError
from from_scratch.validation import did_you_mean

if TYPE_CHECKING:
    from cronsim import CronSim

Scheduler = Literal["systemd", "cron"]

_VALUE = r"(\d+|[a-zA-Z]{3})"
_TERM = rf"({_VALUE}|(\*|{_VALUE}-{_VALUE})(/\d+)?)"
FIELD = re.compile(rf"{_TERM}(,{_TERM})*")
"""What all crons mean alike by a field: numbers, names, ranges of them, steps through these, and lists."""
OFTEN = timedelta(hours=2)
"""Where runs start more often, one that finds another at work need not come again: the next is near."""
UNIT = re.compile(r"[a-zA-Z0-9_-]+")
DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
JOURNAL = Path("/run/systemd/journal/stdout")


def fill_in(
    project: Path, scheduler: Scheduler, every: str, name: str, env: str, pipeline: str | None
) -> dict[str, str]:
    """Fill in the files of a scheduler.

    Args:
        project: The project's folder.
        scheduler: Whose files.
        every: When to run, as cron writes it: minute, hour, day of the month, month, day of the week.
        name: What systemd calls the unit, and the journal the run.
        env: The environment of the configuration.
        pipeline: The pipeline; none for all that `kedro run` runs.

    Returns:
        The text of each file, by the file's name.

    Raises:
        InputError: If the times, the name, the environment or the pipeline can't be.
    """
    import getpass

    import jinja2

    times = parse(every)
    if not UNIT.fullmatch(name):
        raise InputError(f"--name is {name!r}: expected letters, digits, - and _")
    if not (project / "conf" / env).is_dir():
        raise InputError(f"--env is {env!r}: there is no folder conf/{env}")
    if pipeline:
        _check_pipeline(pipeline)
    run = ["run", "--env", env, *(["--pipeline", pipeline] if pipeline else [])]
    command = [sys.executable, "-m", "kedro", *run]
    folder = project / "deploy" / scheduler
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "systemd_word": quote_for_systemd,
        "escape_percent": lambda text: text.replace("%", "%%"),
        "cron_line": lambda line: line.replace("%", "\\%"),  # which cron takes for the end of the line
    }
    return {
        file.replace("from-scratch", name): environment.get_template(file).render(
            project=str(project),
            name=name,
            user=getpass.getuser(),
            every=" ".join(every.split()),
            calendar=list(to_calendar(times)),
            comes_again=_find_shortest_gap(parse(every)) >= OFTEN,
            command=command,
            line=write_cron_line(project, name, command),
        )
        for file in environment.list_templates()
    }


def _check_pipeline(name: str) -> None:
    from kedro.framework.project import pipelines

    if name not in pipelines:
        known = list(pipelines)
        expected = f"expected one of {', '.join(known)}{did_you_mean(name, known)}"
        raise InputError(f"--pipeline is {name!r}: {expected}")


def parse(every: str) -> CronSim:
    """Parse times as cron writes them.

    Args:
        every: Five fields.

    Returns:
        The times, from now on.

    Raises:
        InputError: If they are none, or not both cron and systemd can say them.
    """
    from cronsim import CronSim, CronSimError

    fields = every.split()
    try:
        if len(fields) != 5 or not all(FIELD.fullmatch(field) for field in fields):
            raise CronSimError("five fields of numbers, names, lists, ranges or steps")
        return CronSim(every, datetime.now())
    except CronSimError as error:
        raise InputError(
            f"--every is {every!r}: expected minute, hour, day of the month, month and day of the week, "
            f"such as '0 2 * * *' ({str(error).lower()})"
        ) from error


def list_next(times: CronSim, count: int = 3) -> list[str]:
    """List when a run will start next.

    Args:
        times: The times.
        count: How many of them.
    """
    return [f"{time:%a %Y-%m-%d %H:%M}" for time in islice(times, count)]


def to_calendar(times: CronSim) -> Iterator[str]:
    """Say times as systemd does.

    Args:
        times: The times.

    Yields:
        An `OnCalendar`; two where cron means either of two conditions, a day of the month or of the week.
    """
    weekdays = {day % 7 for day in times.weekdays if isinstance(day, int)}
    of_week = "" if len(weekdays) == 7 else ",".join(DAYS[day] for day in sorted(weekdays)) + " "
    of_month = _list(times.days, range(1, 32))
    month = _list(times.months, range(1, 13))
    clock = f"{_list(times.hours, range(24))}:{_list(times.minutes, range(60))}:00"
    if times.day_and or not of_week or of_month == "*":
        yield f"{of_week}*-{month}-{of_month} {clock}"
    else:
        yield f"*-{month}-{of_month} {clock}"
        yield f"{of_week}*-{month}-* {clock}"


def _find_shortest_gap(times: CronSim) -> timedelta:
    return min(later - earlier for earlier, later in pairwise(islice(times, 100)))


def _list(values: Collection[int], all_values: range) -> str:
    if len(values) == len(all_values):
        return "*"
    return ",".join(f"{value:02}" for value in sorted(values))


def write_cron_line(project: Path, name: str, command: list[str]) -> str:
    """Write what a shell is to run: silent if all goes well, so that cron mails failures only.

    Args:
        project: The project's folder.
        name: What the journal calls the run.
        command: The run.
    """
    run, said = shlex.join(command), f'echo "{name}: exit code $? (docs/scheduling.md)"'
    if JOURNAL.exists():
        tried = f"systemd-cat --identifier={name} {run} || {{ {said}; tail -n 20 logs/scheduled.log; }}"
    else:  # what was printed is in no journal: failures before logging begins would be nowhere
        tried = f'printed=$({run} 2>&1) || {{ {said}; echo "$printed" | tail -n 20; }}'
    return f"cd {shlex.quote(str(project))} && {tried}"


def quote_for_systemd(word: str) -> str:
    """Quote a word of a line of systemd.

    Args:
        word: A path or an argument.
    """
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s'\"\\;]", escaped) else escaped
