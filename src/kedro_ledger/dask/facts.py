"""What a process runs with: code, Python, packages. Workers must have what the ledger records."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kedro_ledger.differences import compare, compare_environments
from kedro_ledger.environment import read_environment
from kedro_ledger.record import Environment
from kedro_ledger.sources import hash_files

Facts = dict[str, Any]
"""`code`: the hashes of the project's files and the ledger's; `environment`, as the ledger records it;
`required`: the packages that the project requires. All of it can be written as JSON."""

MAY_DIFFER = ("machine", "processor", "cpu_capability", "libc", "system")
"""What may change the last digits of a result, but runs."""


@cache
def read_facts(package: str) -> Facts:
    """Read what this process runs with, once: it keeps the code that it has loaded.

    Args:
        package: The project's package.
    """
    folders = [Path(str(import_module(name).__file__)).parent for name in (package, "kedro_ledger")]
    return {
        "code": {
            name: digest for folder in folders for name, digest in hash_files(folder, folder.parent).items()
        },
        "environment": read_environment().model_dump(),
        "required": _list_required(package),
    }


def inspect_worker(package: str, marker: str | None) -> tuple[Facts, bool]:
    """Read the facts of this worker, and whether it sees the run's marker and can write beside it."""
    shares = not marker or (Path(marker).exists() and os.access(Path(marker).parent, os.W_OK))
    return read_facts(package), shares


def find_faults(here: Facts, there: Facts) -> list[str]:
    """Find why a worker would not write the same artefacts: a phrase for each difference but of hardware."""
    ours, theirs = _environments(here, there)
    faults = []
    if ours.python != theirs.python:
        faults.append(f"{theirs.python} there, {ours.python} here")
    names = ours.packages.keys() & (theirs.packages.keys() | set(here["required"]))
    faults += [
        f"{name} {theirs.packages.get(name) or 'missing'} there, {ours.packages[name]} here"
        for name in sorted(names)
        if theirs.packages.get(name) != ours.packages[name]
    ]
    if other := list(compare(here["code"], there["code"])):
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        faults.append(
            f"other code in {', '.join(other[:3])}{more} (a worker keeps the code it has loaded: restart it "
            "after a change)"
        )
    return faults


def find_other_hardware(here: Facts, there: Facts) -> list[str]:
    """Find what may change the last digits of results on a worker: a phrase for each difference."""
    return [
        f"{name} {theirs or 'unknown'} there, {ours or 'unknown'} here"
        for name, (ours, theirs) in compare_environments(*_environments(here, there)).items()
        if name in MAY_DIFFER
    ]


def _environments(here: Facts, there: Facts) -> tuple[Environment, Environment]:
    return Environment(**here["environment"]), Environment(**there["environment"])


def _list_required(package: str) -> list[str]:
    """List the packages that the project itself names, except in its extras."""
    try:
        lines = requires(package.replace("_", "-")) or []
    except PackageNotFoundError:  # it is on the path, but not installed
        return []
    return [canonicalize_name(Requirement(line).name) for line in lines if "extra ==" not in line]
