"""What a process runs with: code, Python, packages. Workers must have what the ledger records."""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

from kedro_ledger.code import hash_files
from kedro_ledger.differences import compare, compare_environments
from kedro_ledger.environment import read_environment
from kedro_ledger.record import Environment

Facts = dict[str, Any]
"""`code`, the sums of the package's files; `environment`, as the ledger records it; `required`, packages."""

MAY_DIFFER = ("machine", "processor", "cpu_capability", "libc", "system")
"""What may give other last digits, but runs."""


@cache
def read_facts(package: str) -> Facts:
    """Read what this process runs with, as it was when first asked: what is loaded stays loaded.

    Args:
        package: The project's package.
    """
    folder = import_module(package).__file__
    assert folder
    return {
        "code": hash_files(Path(folder).parent, Path(folder).parent),
        "environment": read_environment().model_dump(),
        "required": _list_required(package),
    }


def sees(file: str) -> bool:
    """Say whether this process sees a file, and can write beside it."""
    return Path(file).exists() and os.access(Path(file).parent, os.W_OK)


def find_faults(here: Facts, there: Facts) -> list[str]:
    """Find why a worker would not make the same artefacts.

    Args:
        here: What the run's process runs with.
        there: What the worker runs with.

    Returns:
        A phrase for each difference that is none of hardware.
    """
    here_on, there_on = (Environment.model_validate(facts["environment"]) for facts in (here, there))
    faults = []
    if here_on.python != there_on.python:
        faults.append(f"{there_on.python} there, {here_on.python} here")
    known = here_on.packages.keys() & there_on.packages.keys()
    names = sorted(known | (set(here["required"]) & here_on.packages.keys()))
    faults += [
        f"{name} {theirs or 'missing'} there, {ours} here"
        for name in names
        if (theirs := there_on.packages.get(name)) != (ours := here_on.packages[name])
    ]
    if other := list(compare(here["code"], there["code"])):
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        faults.append(
            f"other code in {', '.join(other[:3])}{more} (a worker keeps what it has loaded: restart it "
            "after a change)"
        )
    return faults


def find_other_hardware(here: Facts, there: Facts) -> list[str]:
    """Find what may give other last digits on a worker.

    Args:
        here: What the run's process runs on.
        there: What the worker runs on.

    Returns:
        A phrase for each difference.
    """
    environments = (Environment.model_validate(facts["environment"]) for facts in (here, there))
    return [
        f"{name} {theirs or 'unknown'} there, {ours or 'unknown'} here"
        for name, (ours, theirs) in compare_environments(*environments).items()
        if name in MAY_DIFFER
    ]


def _list_required(package: str) -> list[str]:
    """List the packages that the project itself names, but for its extras."""
    try:
        lines = requires(package.replace("_", "-")) or []
    except PackageNotFoundError:  # it is on the path, but not installed
        return []
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines if "extra ==" not in line]
    return [re.sub(r"[-_.]+", "-", name).lower() for name in names]
