"""Timers for this checkout: the files in deploy, filled in.

Times are given as cron writes them for both schedulers, so that one option serves both.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal

from cronsim import CronSim, CronSimError

from kedro_ledger.errors import InputError
from kedro_ledger.printable import printable
from kedro_ledger.validation import did_you_mean

Scheduler = Literal["systemd", "cron"]

FILES = {"systemd": ("*.service", "*.timer"), "cron": ("crontab",)}
NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]{0,63}")
UNQUOTABLE = {"systemd": re.compile(r"""["$\\]|^\s|\s$"""), "cron": re.compile(r"\\")}
"""What a path can't have: systemd would need it escaped in one way here, and in another there."""
MAX_CRON_LINE = 900
"""Characters of a line that every cron takes."""
RETRY_INTERVAL = timedelta(hours=2)
"""Where runs start more often, one that finds another at work is not started again: the next is near."""
JOURNAL = Path("/run/systemd/journal/stdout")
PRIVATE_FOLDERS = (Path("/tmp"), Path("/var/tmp"))
"""Folders of which a unit has its own."""
_VALUE = r"([0-9]{1,2}|[a-zA-Z]{3})"
_TERM = rf"({_VALUE}|(\*|{_VALUE}-{_VALUE})(/[0-9]{{1,2}})?)"
CRON_FIELD = re.compile(rf"{_TERM}(,{_TERM})*")
"""What all crons mean alike by a field: numbers, names, ranges of them, steps through these, and lists."""
WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def fill_in(
    project: Path, scheduler: Scheduler, cron: str, name: str, env: str, pipeline: str | None
) -> dict[str, str]:
    """Fill in the files of a scheduler.

    Returns:
        The text of each file, by the file's name. Its arguments are the options of `kedro schedule`.

    Raises:
        InputError: If the times, the name, the environment, the pipeline or the folder can't be.
    """
    import jinja2

    values = {"--cron": cron, "--env": env, "--pipeline": pipeline or "", "--name": name}
    values |= {"the project's folder": str(project), "Python": sys.executable, "the user": _find_user()}
    for option, value in values.items():
        if value != printable(value):
            raise InputError(f"{option} is {value!r}: expected no control or other invisible characters")
    times = list(islice(parse_cron(cron), 100))
    known = sorted(entry.name for entry in (project / "conf").iterdir() if entry.is_dir())
    _require_known("--env", env, known, "one of the folders in conf:")
    if not NAME.fullmatch(name):
        raise InputError(f"--name is {name!r}: expected at most 64 letters, digits, - and _, no - first")
    if pipeline is not None:
        from kedro.framework.project import pipelines

        _require_known("--pipeline", pipeline, list(pipelines), "one of")
    run = ["run", "--env", env, *(["--pipeline", pipeline] if pipeline else [])]
    command = [sys.executable, "-m", "kedro", *run]
    for path in (str(project), sys.executable):
        if UNQUOTABLE[scheduler].search(path):
            raise InputError(
                f"{path!r} has characters that {scheduler} can't be told; expected another folder"
            )
    folder = project / "deploy" / scheduler
    templates = sorted(file.name for pattern in FILES[scheduler] for file in folder.glob(pattern))
    if not templates:
        raise InputError(f"deploy/{scheduler} has no {' and no '.join(FILES[scheduler])} to fill in")
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
    line = write_cron_line(project, name, command)
    if scheduler == "cron" and len(line) > MAX_CRON_LINE:
        raise InputError(f"a crontab's line would have {len(line)} characters; expected a shorter path")
    return {
        file.replace("from-scratch", name): environment.get_template(file).render(
            project=str(project),
            name=name,
            user=_find_user(),
            cron=" ".join(cron.split()),
            calendar=list(to_calendar(parse_cron(cron))),
            comes_again=min(later - earlier for earlier, later in pairwise(times)) >= RETRY_INTERVAL,
            command=command,
            line=line,
        )
        for file in templates
    }


def list_notes(project: Path, scheduler: Scheduler, cron: str, env: str) -> list[str]:
    """List what a user should know before installing a timer."""
    starts = ", ".join(f"{time:%a %Y-%m-%d %H:%M}" for time in islice(parse_cron(cron), 3))
    notes = [f"It would start at {starts}, and so on, as {_find_user()}."]
    if scheduler == "systemd" and any(project.is_relative_to(folder) for folder in PRIVATE_FOLDERS):
        notes.append(f"It would not find {project}: a unit has a /tmp and a /var/tmp of its own.")
    if not (project / "conf" / env / "logging.yml").exists():
        notes.append(f"conf/{env} has no logging.yml: what it logs has no times. conf/scheduled has one.")
    return [*notes, "Nothing is installed: docs/scheduling.md says how to."]


def _find_user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _require_known(option: str, name: str, known: list[str], kind: str) -> None:
    if name not in known:
        expected = f"expected {kind} {', '.join(known)}{did_you_mean(name, known)}"
        raise InputError(f"{option} is {name!r}: {expected}")


def write_cron_line(project: Path, name: str, command: list[str]) -> str:
    """Write what a shell is to run: silent if all goes well, so that cron mails failures only."""
    to_journal = f'printf %s "$printed" | systemd-cat --identifier={name}; ' if JOURNAL.exists() else ""
    to_mail = f'echo "{name}: exit code $code (docs/scheduling.md)"; printf %s "$printed" | tail -n 20; echo'
    tried = f"printed=$({shlex.join(command)} 2>&1); code=$?; {to_journal}[ $code -eq 0 ] || {{ {to_mail}; }}"
    return f"cd {shlex.quote(str(project))} && {{ {tried}; }}"


def quote_for_systemd(word: str) -> str:
    """Quote a word, without any of `UNQUOTABLE`, for a line of systemd."""
    escaped = word.replace("%", "%%")
    return f'"{escaped}"' if re.search(r"[\s';]", escaped) else escaped


def parse_cron(cron: str) -> CronSim:
    """Parse five fields as cron writes them, and iterate over the times from now on.

    Raises:
        InputError: If they are none, or not both cron and systemd can express them.
    """
    fields = cron.split()
    try:
        if len(fields) != 5 or not all(CRON_FIELD.fullmatch(field) for field in fields):
            raise CronSimError("five fields of numbers, names, lists, ranges or steps")
        return CronSim(cron, datetime.now())
    except CronSimError as error:
        raise InputError(
            f"--cron is {cron!r}: expected minute, hour, day of the month, month and day of the week, "
            f"such as '0 2 * * *' ({str(error).lower()})"
        ) from error


def to_calendar(times: CronSim) -> Iterator[str]:
    """Yield systemd's `OnCalendar`: two where cron means either a day of the month or one of the week."""
    weekdays = {day % 7 for day in times.weekdays if isinstance(day, int)}
    of_week = "" if len(weekdays) == 7 else ",".join(WEEKDAYS[day] for day in sorted(weekdays)) + " "
    of_month = _list(times.days, range(1, 32))
    month = _list(times.months, range(1, 13))
    clock = f"{_list(times.hours, range(24))}:{_list(times.minutes, range(60))}:00"
    if times.day_and:
        yield f"{of_week}*-{month}-{of_month} {clock}"
    elif not of_week or of_month == "*":  # one of two conditions always holds
        yield f"*-{month}-* {clock}"
    else:
        yield f"*-{month}-{of_month} {clock}"
        yield f"{of_week}*-{month}-* {clock}"


def _list(values: Collection[int], all_values: range) -> str:
    if len(values) == len(all_values):
        return "*"
    return ",".join(f"{value:02}" for value in sorted(values))
