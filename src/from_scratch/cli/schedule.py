"""Timers for this checkout: the files in deploy, filled in."""

from __future__ import annotations

import os
import re
import shlex
import sys
from datetime import timedelta
from pathlib import Path
from typing import Literal

from from_scratch.cli.cron_times import find_shortest_gap, list_next, parse, to_calendar
from from_scratch.schema.validation import did_you_mean
from kedro_ledger.errors import InputError
from kedro_ledger.printable import printable

Scheduler = Literal["systemd", "cron"]

FILES = {"systemd": ("*.service", "*.timer"), "cron": ("crontab",)}
NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]{0,63}")
NO_UNIT = re.compile(r"""["$\\]|^\s|\s$""")
"""What a path in a unit can't have: systemd would need it escaped in one way here, and in another there."""
NO_CRONTAB = re.compile(r"\\")
LONGEST = 900
"""Characters of a line that every cron takes."""
OFTEN = timedelta(hours=2)
"""Where runs start more often, one that finds another at work need not come again: the next is near."""
JOURNAL = Path("/run/systemd/journal/stdout")
HIDDEN = (Path("/tmp"), Path("/var/tmp"))
"""Folders of which a unit has its own."""


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
        InputError: If the times, the name, the environment, the pipeline or the folder can't be.
    """
    import jinja2

    values = {"--every": every, "--name": name, "--env": env, "--pipeline": pipeline or ""}
    values |= {"the project's folder": str(project), "Python": sys.executable, "the user": _find_user()}
    for option, value in values.items():
        if value != printable(value):
            raise InputError(f"{option} is {value!r}: expected no control or other invisible characters")
    times = parse(every)
    if not NAME.fullmatch(name):
        raise InputError(f"--name is {name!r}: expected at most 64 letters, digits, - and _, no - first")
    known = sorted(entry.name for entry in (project / "conf").iterdir() if entry.is_dir())
    if env not in known:
        expected = f"expected one of the folders in conf: {', '.join(known)}{did_you_mean(env, known)}"
        raise InputError(f"--env is {env!r}: {expected}")
    if pipeline is not None:
        _check_pipeline(pipeline)
    run = ["run", "--env", env, *(["--pipeline", pipeline] if pipeline else [])]
    command = [sys.executable, "-m", "kedro", *run]
    for path in (str(project), sys.executable):
        if (NO_UNIT if scheduler == "systemd" else NO_CRONTAB).search(path):
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
    if scheduler == "cron" and len(line) > LONGEST:
        raise InputError(f"a crontab's line would have {len(line)} characters; expected a shorter path")
    return {
        file.replace("from-scratch", name): environment.get_template(file).render(
            project=str(project),
            name=name,
            user=_find_user(),
            every=" ".join(every.split()),
            calendar=list(to_calendar(times)),
            comes_again=find_shortest_gap(parse(every)) >= OFTEN,
            command=command,
            line=line,
        )
        for file in templates
    }


def list_notes(project: Path, scheduler: Scheduler, every: str, env: str) -> list[str]:
    """List what a user should know before installing a timer.

    Args:
        project: The project's folder.
        scheduler: Whose timer.
        every: When it starts.
        env: The environment of the configuration.
    """
    notes = [f"It would start at {', '.join(list_next(parse(every)))}, and so on, as {_find_user()}."]
    if scheduler == "systemd" and any(project.is_relative_to(folder) for folder in HIDDEN):
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


def _check_pipeline(name: str) -> None:
    from kedro.framework.project import pipelines

    if name not in pipelines:
        known = list(pipelines)
        expected = f"expected one of {', '.join(known)}{did_you_mean(name, known)}"
        raise InputError(f"--pipeline is {name!r}: {expected}")


def write_cron_line(project: Path, name: str, command: list[str]) -> str:
    """Write what a shell is to run: silent if all goes well, so that cron mails failures only.

    Args:
        project: The project's folder.
        name: What the journal calls the run.
        command: The run.
    """
    to_journal = f'printf %s "$printed" | systemd-cat --identifier={name}; ' if JOURNAL.exists() else ""
    to_mail = f'echo "{name}: exit code $code (docs/scheduling.md)"; printf %s "$printed" | tail -n 20; echo'
    tried = f"printed=$({shlex.join(command)} 2>&1); code=$?; {to_journal}[ $code -eq 0 ] || {{ {to_mail}; }}"
    return f"cd {shlex.quote(str(project))} && {{ {tried}; }}"


def quote_for_systemd(word: str) -> str:
    """Quote a word of a line of systemd.

    Args:
        word: A path or an argument, without any of `NO_UNIT`.
    """
    escaped = word.replace("%", "%%")
    return f'"{escaped}"' if re.search(r"[\s';]", escaped) else escaped
