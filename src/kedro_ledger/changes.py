"""Short descriptions of the changes between runs, to explain why a metric moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kedro_ledger.differences import Differences, compare
from kedro_ledger.printable import printable
from kedro_ledger.record import Summary

SECTIONS = ("parameters", "data", "code", "catalog", "environment", "packages")
"""Sections in the order in which they are described; metrics are left out, as the changes explain them."""
MAX_PHRASES = 6
MAX_CHARACTERS, MAX_NAME = 40, 60
"""Maximum numbers of characters of a value and of a name."""
MAX_FILES = 3


def find_changes(runs: Sequence[Summary]) -> dict[str, Differences]:
    """Find what changed over several runs.

    Args:
        runs: Consecutive runs.

    Returns:
        The values before the first and after the last run, by section and name. Values that changed back are
        left out.
    """
    was: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    now: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for drift in (run.drift for run in runs if run.drift):
        for section in SECTIONS:
            for name, (before, after) in drift.changed.get(section, {}).items():
                was[section].setdefault(name, before)
                now[section][name] = after
    return {section: compare(was[section], now[section]) for section in SECTIONS}


def find_unknown(runs: Sequence[Summary]) -> dict[str, list[str]]:
    """Return the names of unrecorded values, which may have changed over several runs, by section."""
    unknown: dict[str, list[str]] = {}
    for drift in (run.drift for run in runs if run.drift):
        for section, names in drift.unknown.items():
            unknown[section] = sorted({*unknown.get(section, []), *names})
    return unknown


def describe_changes(runs: Sequence[Summary]) -> list[str]:
    """Describe what changed over several runs, in a few phrases."""
    changes, unknown = find_changes(runs), find_unknown(runs)
    phrases = []
    for section, found in changes.items():
        if section == "code":
            phrases += ["code: unknown"] if unknown.get("code") else _describe_code(found)
        else:
            phrases += _describe_values(section, found)
            missing = (name for name in unknown.get(section, []) if name not in found)
            phrases += [f"{section}.{_format(name, MAX_NAME)}: unknown" for name in missing]
    if len(phrases) > MAX_PHRASES:
        phrases[MAX_PHRASES - 1 :] = [f"and {len(phrases) - MAX_PHRASES + 1} more"]
    return phrases or ["nothing" if all(run.drift for run in runs) else "not recorded"]


def _describe_code(found: Differences) -> list[str]:
    files = [printable(name) for name in found if name != "commit"]
    if not found:
        return []
    if not files:
        return ["code: another commit, the same files"]
    more = f" and {len(files) - MAX_FILES} more" if len(files) > MAX_FILES else ""
    return [f"code: {', '.join(files[:MAX_FILES])}{more}"]


def _describe_values(section: str, found: Mapping[str, tuple[Any, Any]]) -> list[str]:
    prefix = "" if section in ("parameters", "packages") else f"{section}."
    return [
        f"{prefix}{_format(name, MAX_NAME)} changed"
        if _is_digest(was) and _is_digest(now)
        else f"{prefix}{_format(name, MAX_NAME)}: {_format(was)} → {_format(now)}"
        for name, (was, now) in found.items()
    ]


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _format(value: Any, length: int = MAX_CHARACTERS) -> str:
    text = "none" if value is None else printable(" ".join(str(value).split()))
    return text if len(text) <= length else f"{text[: length - 1]}…"
