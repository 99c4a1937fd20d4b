"""What changed since the last committed run, and what of it moved further than allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from kedro_ledger.differences import compare_origins, describe_origins, find_unknown
from kedro_ledger.printable import shorten
from kedro_ledger.record import Drift, LastKnown, Record
from kedro_ledger.settings import SHARE, matches
from kedro_ledger.validation import did_you_mean

MAX_MAGNITUDE = 1e300
"""What is no number to calculate with, as infinity isn't."""


def find_last_known(newest_first: Iterable[Record]) -> LastKnown:
    """Find the data and the metrics of the last runs that had them, pruned ones too.

    Args:
        newest_first: The committed runs. Of records that know what they lack, the first is enough.
    """
    known: dict[str, dict[str, Any]] = {part: {} for part in LastKnown.model_fields}
    for run in newest_first:
        for part, values in known.items():
            known[part] = getattr(run.last_known, part) | getattr(run, part) | values
        if run.format > 1:
            break
    return LastKnown(**known)


def without(known: LastKnown, record: Record) -> LastKnown:
    """Leave out what a run had itself."""
    parts: dict[str, dict[str, Any]] = {}
    for part in LastKnown.model_fields:
        own = getattr(record, part)
        parts[part] = {name: value for name, value in getattr(known, part).items() if name not in own}
    return LastKnown(**parts)


def find_drift(record: Record, last: Record, known: LastKnown) -> Drift:
    """Find what changed since the last run, but for parameters of the ledger itself.

    Args:
        record: A run.
        last: The last committed run before it.
        known: The data and metrics before it: not every run reads and scores everything.
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
    """Describe in one line what changed since the last run, or is the same, and what no run had before.

    Args:
        record: A run.
        drift: What changed.
        last: The last committed run before it.
        known: The data and metrics before it.
        headline: The metric that people look at; it comes first.
    """
    unknown = [name for names in drift.unknown.values() for name in names]
    if drift.changed:
        sections = [
            f"{section} ({shorten(sorted(names, key=lambda name: not name.endswith(f'.{headline}')))})"
            for section, names in drift.changed.items()
        ]
        phrases = [f"changed since run {drift.since}: {', '.join(sections)}"]
    else:
        seen = last.view
        before = {name: seen[name].sha256 for name in record.outputs if name in seen}
        other = sorted(name for name, then in before.items() if then and then != record.outputs[name].sha256)
        same = ["recorded inputs" if unknown else "inputs"]
        if before and all(before.values()) and not other:  # elsewhere than on a local disk none is known
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
    return " ".join("; ".join(phrases).split())  # one line, whatever stands in the data


def find_violations(drift: Drift, allowed: Mapping[str, float | str]) -> list[str]:
    """Describe what moved further than allowed: by `DriftLimits.allowed`, a number or a share by pattern."""
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
                phrase = f"{full} went from {_say(then)} to {_say(now)} (allowed: {_say(exceeded[0])})"
                violations.append(" ".join(phrase.split()))  # one line, whatever stands in the data
    return violations


def find_unmatched_limits(allowed: Mapping[str, float | str], record: Record, known: LastKnown) -> list[str]:
    """Find the patterns that no name matches, such as misspelt ones, each with the nearest name."""
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
    share = SHARE.fullmatch(limit) if isinstance(limit, str) else None
    most = abs(then) * float(share[1]) / 100 if share else float(limit)
    moved = abs(now - then)
    return moved <= most or math.isclose(moved, most)


def is_number(value: Any) -> bool:
    """Return whether a value is a number to calculate with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_MAGNITUDE


def _say(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
