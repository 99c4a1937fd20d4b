"""Timers for this checkout, rendered from the templates in deploy.

Both schedulers take times in cron's format, so one option serves both.
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
"""Characters that a path cannot contain; systemd, for example, escapes them differently in each setting."""
MAX_CRON_LINE = 900
"""Maximum number of characters in a line that every cron accepts."""
RETRY_INTERVAL = timedelta(hours=2)
"""If runs start more often than this, a busy run is not retried: the next one starts soon."""
JOURNAL_SOCKET = Path("/run/systemd/journal/stdout")
PRIVATE_FOLDERS = (Path("/tmp"), Path("/var/tmp"))
"""Folders of which each systemd unit has its own copy."""
_VALUE = r"([0-9]{1,2}|[a-zA-Z]{3})"
_TERM = rf"({_VALUE}|(\*|{_VALUE}-{_VALUE})(/[0-9]{{1,2}})?)"
CRON_FIELD = re.compile(rf"{_TERM}(,{_TERM})*")
"""Syntax that every cron interprets in the same way: numbers, names, ranges, steps and lists of these."""
WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def render_timer(
    project: Path, scheduler: Scheduler, cron: str, name: str, env: str, pipeline: str | None
) -> dict[str, str]:
    """Render the templates of a scheduler; the arguments are the options of `kedro schedule`.

    Returns:
        The text of each file by file name.

    Raises:
        InputError: If the times, the name, the environment, the pipeline or the folder is invalid.
    """
    import jinja2

    values = {"--cron": cron, "--env": env, "--pipeline": pipeline or "", "--name": name}
    values |= {"the project's folder": str(project), "Python": sys.executable, "the user": _find_user()}
    for option, value in values.items():
        if value != printable(value):
            raise InputError(f"{option} is {value!r}; expected no control or other invisible characters")
    times = list(islice(parse_cron(cron), 100))
    known = sorted(entry.name for entry in (project / "conf").iterdir() if entry.is_dir())
    _require_known("--env", env, known, "one of the environments")
    if not NAME.fullmatch(name):
        raise InputError(
            f"--name is {name!r}; expected at most 64 letters, digits, - and _, not starting with -"
        )
    if pipeline is not None:
        from kedro.framework.project import pipelines

        _require_known("--pipeline", pipeline, list(pipelines), "one of")
    run = ["run", "--env", env, *(["--pipeline", pipeline] if pipeline else [])]
    command = [sys.executable, "-m", "kedro", *run]
    for path in (str(project), sys.executable):
        if UNQUOTABLE[scheduler].search(path):
            raise InputError(
                f"{path!r} contains characters that cannot be quoted for {scheduler}; expected another path"
            )
    folder = project / "deploy" / scheduler
    templates = sorted(file.name for pattern in FILES[scheduler] for file in folder.glob(pattern))
    if not templates:
        raise InputError(
            f"deploy/{scheduler} has no {' or '.join(FILES[scheduler])}; expected the templates of the timer"
        )
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "systemd_word": quote_for_systemd,
        "escape_percent": lambda text: text.replace("%", "%%"),
        "cron_line": lambda line: line.replace("%", "\\%"),  # which cron reads as the end of the line
    }
    line = format_cron_line(project, name, command)
    if scheduler == "cron" and len(line) > MAX_CRON_LINE:
        raise InputError(
            f"the crontab line would have {len(line)} characters; expected at most {MAX_CRON_LINE}. "
            "Move the project to a shorter path"
        )
    return {
        file.replace("from-scratch", name): environment.get_template(file).render(
            project=str(project),
            name=name,
            user=_find_user(),
            cron=" ".join(cron.split()),
            calendar=list(to_calendar(parse_cron(cron))),
            retries=min(later - earlier for earlier, later in pairwise(times)) >= RETRY_INTERVAL,
            command=command,
            line=line,
        )
        for file in templates
    }


def list_notes(project: Path, scheduler: Scheduler, cron: str, env: str) -> list[str]:
    """List what a user should know before installing a timer."""
    starts = ", ".join(f"{time:%a %Y-%m-%d %H:%M}" for time in islice(parse_cron(cron), 3))
    notes = [f"The first runs would start at {starts}, as user {_find_user()}."]
    if scheduler == "systemd" and any(project.is_relative_to(folder) for folder in PRIVATE_FOLDERS):
        notes.append(
            f"The unit would not find {project}: it has its own /tmp and /var/tmp. Move the project."
        )
    if not (project / "conf" / env / "logging.yml").exists():
        notes.append(
            f"conf/{env} has no logging.yml, so its output has no timestamps. See conf/scheduled/logging.yml."
        )
    return [*notes, "Nothing is installed. See docs/scheduling.md for how to install it."]


def _find_user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _require_known(option: str, name: str, known: list[str], kind: str) -> None:
    if name not in known:
        expected = f"expected {kind} {', '.join(known)}{did_you_mean(name, known)}"
        raise InputError(f"{option} is {name!r}; {expected}")


def format_cron_line(project: Path, name: str, command: list[str]) -> str:
    """Return the command of a crontab line; it prints only failures, so cron mails only these."""
    to_journal = (
        f'printf %s "$printed" | systemd-cat --identifier={name}; ' if JOURNAL_SOCKET.exists() else ""
    )
    to_mail = (
        f'echo "{name}: exit code $code (see docs/scheduling.md)"; printf %s "$printed" | tail -n 20; echo'
    )
    attempt = (
        f"printed=$({shlex.join(command)} 2>&1); code=$?; {to_journal}[ $code -eq 0 ] || {{ {to_mail}; }}"
    )
    return f"cd {shlex.quote(str(project))} && {{ {attempt}; }}"


def quote_for_systemd(word: str) -> str:
    """Quote a word for a systemd unit; it must not contain any of `UNQUOTABLE`."""
    escaped = word.replace("%", "%%")
    return f'"{escaped}"' if re.search(r"[\s';]", escaped) else escaped


def parse_cron(cron: str) -> CronSim:
    """Parse five fields in cron's format, and return an iterator over the times from now on.

    Raises:
        InputError: If the fields are invalid, or cron and systemd cannot both express them.
    """
    fields = cron.split()
    try:
        if len(fields) != 5 or not all(CRON_FIELD.fullmatch(field) for field in fields):
            raise CronSimError("five fields of numbers, names, lists, ranges or steps")
        return CronSim(cron, datetime.now())
    except CronSimError as error:
        raise InputError(
            f"--cron is {cron!r}; expected minute, hour, day of the month, month and day of the week, "
            f"such as '0 2 * * *' ({str(error).lower()})"
        ) from error


def to_calendar(times: CronSim) -> Iterator[str]:
    """Yield values for systemd's `OnCalendar`; two if a matching day of month or of week is enough."""
    weekdays = {day % 7 for day in times.weekdays if isinstance(day, int)}
    weekday_part = "" if len(weekdays) == 7 else ",".join(WEEKDAYS[day] for day in sorted(weekdays)) + " "
    day_part = _format_values(times.days, range(1, 32))
    month = _format_values(times.months, range(1, 13))
    clock = f"{_format_values(times.hours, range(24))}:{_format_values(times.minutes, range(60))}:00"
    if times.day_and:
        yield f"{weekday_part}*-{month}-{day_part} {clock}"
    elif not weekday_part or day_part == "*":  # one of the two conditions is always true
        yield f"*-{month}-* {clock}"
    else:
        yield f"*-{month}-{day_part} {clock}"
        yield f"{weekday_part}*-{month}-* {clock}"


def _format_values(values: Collection[int], all_values: range) -> str:
    if len(values) == len(all_values):
        return "*"
    return ",".join(f"{value:02}" for value in sorted(values))
