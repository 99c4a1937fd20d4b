"""The code, Python and packages of a process. Workers must have the same ones as the ledger records."""

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
"""Facts that can be serialised as JSON: `code`, the hashes of the project's and the ledger's files;
`environment`, as the ledger records it; and `required`, the packages that the project requires."""

MAY_DIFFER = ("machine", "processor", "cpu_capability", "libc", "system")
"""Properties that may differ between workers, although this may change the last digits of results."""


@cache
def read_facts(package: str) -> Facts:
    """Read the facts of this process. They are cached, since a process keeps the code that it has loaded.

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
    """Return the facts of this worker, and whether it sees the run's marker and can write to its folder."""
    is_shared = not marker or (Path(marker).exists() and os.access(Path(marker).parent, os.W_OK))
    return read_facts(package), is_shared


def find_faults(here: Facts, there: Facts) -> list[str]:
    """List the differences, except hardware, that may change what a worker writes: a phrase for each."""
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
            f"different code in {', '.join(other[:3])}{more} (a worker keeps the code that it has loaded: "
            "restart it after a change)"
        )
    return faults


def find_other_hardware(here: Facts, there: Facts) -> list[str]:
    """List the differences that may change the last digits of results on a worker: a phrase for each."""
    return [
        f"{name} {theirs or 'unknown'} there, {ours or 'unknown'} here"
        for name, (ours, theirs) in compare_environments(*_environments(here, there)).items()
        if name in MAY_DIFFER
    ]


def _environments(here: Facts, there: Facts) -> tuple[Environment, Environment]:
    return Environment(**here["environment"]), Environment(**there["environment"])


def _list_required(package: str) -> list[str]:
    """List the packages that the project requires, except in extras."""
    try:
        lines = requires(package.replace("_", "-")) or []
    except PackageNotFoundError:  # the project is on the path, but not installed
        return []
    return [canonicalize_name(Requirement(line).name) for line in lines if "extra ==" not in line]
