"""Times as cron writes them, and as systemd does."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise

from cronsim import CronSim, CronSimError

from kedro_ledger.errors import InputError

_VALUE = r"([0-9]{1,2}|[a-zA-Z]{3})"
_TERM = rf"({_VALUE}|(\*|{_VALUE}-{_VALUE})(/[0-9]{{1,2}})?)"
FIELD = re.compile(rf"{_TERM}(,{_TERM})*")
"""What all crons mean alike by a field: numbers, names, ranges of them, steps through these, and lists."""
DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def parse(every: str) -> CronSim:
    """Parse times as cron writes them.

    Args:
        every: Five fields.

    Returns:
        The times, from now on.

    Raises:
        InputError: If they are none, or not both cron and systemd can say them.
    """
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
    if times.day_and:
        yield f"{of_week}*-{month}-{of_month} {clock}"
    elif not of_week or of_month == "*":  # one of two conditions always holds
        yield f"*-{month}-* {clock}"
    else:
        yield f"*-{month}-{of_month} {clock}"
        yield f"{of_week}*-{month}-* {clock}"


def find_shortest_gap(times: CronSim) -> timedelta:
    """Find how soon one start may follow another.

    Args:
        times: The times.
    """
    return min(later - earlier for earlier, later in pairwise(islice(times, 100)))


def _list(values: Collection[int], all_values: range) -> str:
    if len(values) == len(all_values):
        return "*"
    return ",".join(f"{value:02}" for value in sorted(values))
