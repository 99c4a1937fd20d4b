"""Changes since the last committed run, and values that moved further than allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from kedro_ledger.differences import compare_origins, describe_origins, find_unknown
from kedro_ledger.printable import shorten
from kedro_ledger.record import Drift, LastKnown, Record
from kedro_ledger.settings import PERCENTAGE, matches
from kedro_ledger.validation import did_you_mean

MAX_MAGNITUDE = 1e300
"""Numbers of at least this magnitude are treated like infinity: they are not compared by size."""


def find_last_known(newest_first: Iterable[Record]) -> LastKnown:
    """Find the data and metrics of the last runs that had them, including pruned runs.

    Args:
        newest_first: The committed runs. Since format 2, a record contains the values that its run lacked, so
            reading stops at the first such record.
    """
    known: dict[str, dict[str, Any]] = {part: {} for part in LastKnown.model_fields}
    for run in newest_first:
        for part, values in known.items():
            known[part] = getattr(run.last_known, part) | getattr(run, part) | values
        if run.format > 1:
            break
    return LastKnown(**known)


def exclude_own(known: LastKnown, record: Record) -> LastKnown:
    """Return the known values except those that the run has itself."""
    parts: dict[str, dict[str, Any]] = {}
    for part in LastKnown.model_fields:
        own = getattr(record, part)
        parts[part] = {name: value for name, value in getattr(known, part).items() if name not in own}
    return LastKnown(**parts)


def find_drift(record: Record, last: Record, known: LastKnown) -> Drift:
    """Find what changed since the last run, except the parameters of the ledger itself.

    Args:
        record: A run.
        last: The last committed run before it.
        known: The last known data and metrics before it, as not every run reads and scores everything.
    """
    before = last.model_copy(update={part: getattr(known, part) for part in LastKnown.model_fields})
    before = before.model_copy(update={"raw": known.raw | last.unversioned})
    changed = compare_origins(before, record)
    changed["parameters"] = {
        name: values for name, values in changed["parameters"].items() if not name.startswith("runs.")
    }
    return Drift(
        since=last.run_id,
        changed={section: found for section, found in changed.items() if found},
        unknown=find_unknown(before, record),
    )


def describe_drift(record: Record, drift: Drift, last: Record, known: LastKnown, headline: str | None) -> str:
    """Describe in one line what changed since the last run, what is the same, and what is new.

    Args:
        record: A run.
        drift: What changed.
        last: The last committed run before it.
        known: The last known data and metrics before it.
        headline: The most important metric, which comes first.
    """
    unknown = [name for names in drift.unknown.values() for name in names]
    if drift.changed:
        sections = [
            f"{section} ({shorten(sorted(names, key=lambda name: not name.endswith(f'.{headline}')))})"
            for section, names in drift.changed.items()
        ]
        phrases = [f"changed since run {drift.since}: {', '.join(sections)}"]
    else:
        view = last.view
        before = {name: view[name].sha256 for name in record.outputs if name in view}
        other = sorted(name for name, then in before.items() if then and then != record.outputs[name].sha256)
        same = ["recorded inputs" if unknown else "inputs"]
        if before and all(before.values()) and not other:  # hashes are known only on a local disk
            same.append("results")
        elif record.metrics:
            same.append("metrics")
        phrases = [f"{' and '.join(same)} are the same as in run {drift.since}"]
        if other:
            phrases.append(f"changed: {shorten(other)}")
    if unknown:
        phrases.append(f"unknown: {shorten(unknown)}")
    if new := sorted(
        {*record.raw, *record.outputs} - {*known.raw, *last.unversioned, *last.view, *last.outdated}
    ):
        phrases.append(f"new: {shorten(new)}")
    return " ".join("; ".join(phrases).split())  # names in the data may contain line breaks


def find_violations(drift: Drift, allowed: Mapping[str, float | str]) -> list[str]:
    """Describe the values that moved further than `allowed`: a number or a percentage for each pattern."""
    violations = []
    for section, changes in drift.changed.items():
        for name, (then, now) in changes.items():
            full = f"{section}.{name}"
            exceeded = [
                limit
                for pattern, limit in allowed.items()
                if matches(full, pattern) and not _is_within(then, now, limit)
            ]
            if exceeded:
                phrase = (
                    f"{full} went from {_format(then)} to {_format(now)} (allowed: {_format(exceeded[0])})"
                )
                violations.append(" ".join(phrase.split()))  # names in the data may contain line breaks
    return violations


def find_unmatched_limits(allowed: Mapping[str, float | str], record: Record, known: LastKnown) -> list[str]:
    """Return the patterns that match no name, such as misspelt ones, each with the nearest name."""
    if not allowed:
        return []
    whole = {part: getattr(known, part) | getattr(record, part) for part in LastKnown.model_fields}
    names = {
        f"{section}.{name}"
        for section, values in describe_origins(record.model_copy(update=whole)).items()
        for name in values
    }
    unmatched = [pattern for pattern in allowed if not any(matches(name, pattern) for name in names)]
    return [" ".join(f"{pattern}{did_you_mean(pattern, sorted(names))}".split()) for pattern in unmatched]


def _is_within(then: Any, now: Any, limit: float | str) -> bool:
    if not (is_number(then) and is_number(now)):
        return False
    percentage = PERCENTAGE.fullmatch(limit) if isinstance(limit, str) else None
    most = abs(then) * float(percentage[1]) / 100 if percentage else float(limit)
    moved = abs(now - then)
    return moved <= most or math.isclose(moved, most)


def is_number(value: Any) -> bool:
    """Return whether a value is a number that can be compared by size."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_MAGNITUDE


def _format(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
