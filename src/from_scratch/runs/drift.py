"""What changed since the last committed run, and what of it moved further than allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from from_scratch.runs.differences import compare_origins, describe_origins
from from_scratch.runs.record import Drift, Record
from from_scratch.runs.settings import SHARE


def find_drift(record: Record, earlier: Sequence[Record]) -> Drift | None:
    """Find what changed since the last run.

    Args:
        record: A run.
        earlier: The committed runs before it that are kept, oldest first.

    Returns:
        What changed since the last of these; none if there is none. As not every run reads and scores
        everything, data and metrics are compared with the last run that had them.
    """
    if not earlier:
        return None
    known: dict[str, dict[str, Any]] = {"raw": {}, "data": {}, "metrics": {}}
    for run in earlier:
        for part, values in known.items():
            values.update(getattr(run, part))
    before = earlier[-1].model_copy(update=known)
    changed = {section: found for section, found in compare_origins(before, record).items() if found}
    return Drift(since=earlier[-1].run_id, changed=changed)


def find_beyond(drift: Drift, allowed: Mapping[str, float | str]) -> list[str]:
    """Find what moved further than allowed.

    Args:
        drift: What changed.
        allowed: By pattern of section and name: by how much a number may move, or by which share.

    Returns:
        A phrase for each.
    """
    beyond = []
    for section, changes in drift.changed.items():
        for name, (then, now) in changes.items():
            full = f"{section}.{name}"
            exceeded = [
                limit
                for pattern, limit in allowed.items()
                if fnmatchcase(full, pattern) and not _is_within(then, now, limit)
            ]
            if exceeded:
                beyond.append(f"{full} went from {_say(then)} to {_say(now)} (allowed: {exceeded[0]})")
    return beyond


def find_idle(allowed: Mapping[str, float | str], runs: Sequence[Record]) -> list[str]:
    """Find limits that limit nothing, as those with a misspelt name.

    Args:
        allowed: Limits by pattern.
        runs: The runs that are kept, the new one included.

    Returns:
        The patterns that no name of any run matches.
    """
    if not allowed:
        return []
    names = {
        f"{section}.{name}"
        for run in runs
        for section, values in describe_origins(run).items()
        for name in values
    }
    return [pattern for pattern in allowed if not any(fnmatchcase(name, pattern) for name in names)]


def _is_within(then: Any, now: Any, limit: float | str) -> bool:
    if not (_is_number(then) and _is_number(now)):
        return False
    share = SHARE.fullmatch(limit) if isinstance(limit, str) else None
    most = abs(then) * float(share[1]) / 100 if share else float(limit)
    moved = abs(now - then)
    return moved <= most or math.isclose(moved, most)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _say(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
