"""Differences between the records of two runs, and between two contents of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro_ledger.record import Code, Environment, Record

Differences = dict[str, tuple[Any, Any]]
"""Both values of everything that differs, by name; None for a missing one."""


def compare_records(one: Record, other: Record) -> dict[str, Differences]:
    """Compare two runs.

    Returns:
        The differences by section: run, parameters, catalog, code, environment and packages, data that both
        read, metrics that both wrote, inputs, and artefacts that readers saw after each run.
    """
    inputs = ({name: record.view[name].digest for name in record.inputs} for record in (one, other))
    return {
        "run": compare(_describe_run(one), _describe_run(other)),
        **compare_origins(one, other),
        "inputs": compare(*_both(*inputs)),
        "artefacts": compare(
            {name: artefact.digest for name, artefact in one.view.items()},
            {name: artefact.digest for name, artefact in other.view.items()},
        ),
    }


def compare_origins(one: Record, other: Record) -> dict[str, Differences]:
    """Compare the origins and the metrics of two runs.

    Returns:
        The differences in each section of `describe_origins`. Data and metrics are compared only if both runs
        have them.
    """
    shared = {part: _both(getattr(one, part), getattr(other, part)) for part in ("raw", "data", "metrics")}
    first, second = (
        describe_origins(record.model_copy(update={part: values[i] for part, values in shared.items()}))
        for i, record in enumerate((one, other))
    )
    if one.code.unknown or other.code.unknown:  # it is unknown which files changed
        for sections, record in ((first, one), (second, other)):
            sections["code"] = {"commit": describe_commit(record.code)}
    return {section: compare(first[section], second[section]) for section in first}


def find_unknown(one: Record, other: Record) -> dict[str, list[str]]:
    """Return what can't be compared because at least one of the runs did not record it.

    Returns:
        Names by section of `describe_origins`.
    """
    unknown = {
        "data": sorted(
            name
            for name in one.raw.keys() & other.raw.keys()
            if not (one.raw[name].sha256 and other.raw[name].sha256)
        ),
        "code": ["code"] if one.code.unknown or other.code.unknown else [],
    }
    return {section: names for section, names in unknown.items() if names}


def describe_origins(record: Record) -> dict[str, dict[str, Any]]:
    """Describe the origins and the metrics of a run.

    Returns:
        Values by section and name. The sections are those of `settings.DRIFT_SECTIONS`.
    """
    return {
        "data": {name: raw.sha256 or "unknown" for name, raw in record.raw.items()} | flatten(record.data),
        "parameters": flatten(record.parameters),
        "catalog": flatten(record.catalog),
        "code": {"commit": describe_commit(record.code), **record.code.files},
        "environment": flatten(record.environment.model_dump(exclude={"packages"})),
        "packages": record.environment.packages,
        "metrics": flatten(record.metrics),
    }


def _both(one: dict[str, Any], other: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Restrict two dictionaries to their common keys."""
    names = [name for name in one if name in other]
    return {name: one[name] for name in names}, {name: other[name] for name in names}


def _describe_run(record: Record) -> dict[str, Any]:
    return {
        "pipelines": ", ".join(record.pipelines),
        "nodes": len(record.nodes),
        "environment": record.env,
    }


def compare_environments(one: Environment, other: Environment) -> Differences:
    """Compare the environments of two runs, except packages."""
    without = {"packages"}
    return compare(flatten(one.model_dump(exclude=without)), flatten(other.model_dump(exclude=without)))


def compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> Differences:
    """Return both values for each key whose values differ."""
    both = {key: (one.get(key), other.get(key)) for key in [*one, *other]}
    return {
        key: (first, second)
        for key, (first, second) in both.items()
        if first != second and (first == first or second == second)  # NaN equals NaN
    }


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested blocks, joining their keys with dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def describe_commit(code: Code) -> str:
    """Describe the commit of the code, and whether it had changes."""
    if code.unknown:
        return "unknown"
    if code.commit is None:
        return "not in git"
    return code.commit if code.is_committed else f"{code.commit} with changes"


def describe_difference(one: Any, other: Any) -> str:
    """Describe how two contents of a dataset differ, starting with the largest difference of numbers."""
    import numpy as np

    largest, where, others = 0.0, "", []
    ours, theirs = _name_values(one), _name_values(other)
    for name in dict.fromkeys([*ours, *theirs]):
        if name not in ours or name not in theirs:
            others.append(f"{name} is only in one version")
            continue
        a, b = np.asarray(ours[name]), np.asarray(theirs[name])
        if a.shape != b.shape:
            others.append(f"{name} has shape {a.shape}, now {b.shape}")
        elif a.dtype.kind in "iufb" and b.dtype.kind in "iufb":
            x, y = a.astype("float64"), b.astype("float64")
            gaps = np.where((a == b) | (np.isnan(x) & np.isnan(y)), 0, np.abs(x - y))
            gap = float(np.nan_to_num(gaps, nan=np.inf).max(initial=0))
            if gap > largest:
                largest, where = gap, name
        elif differing := int((a != b).sum()):
            others.append(f"{name} differs in {differing} of {a.size} values")
    if where:
        others.insert(0, f"largest difference {largest:.3g} in {where}")
    return "; ".join(others) or "the same values in different bytes"


def _name_values(content: Any) -> dict[str, Any]:
    if hasattr(content, "columns"):
        return {str(column): content[column].to_numpy() for column in content.columns}
    if isinstance(content, Mapping):
        return flatten(content)
    return {"its value": content}
