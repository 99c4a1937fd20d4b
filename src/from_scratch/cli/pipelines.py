"""Check of the pipeline names given to `--pipeline`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kedro.framework.project import pipelines

from kedro_ledger.errors import InputError
from kedro_ledger.validation import did_you_mean


def require_pipelines(names: Iterable[str], parameters: dict[str, Any]) -> None:
    """Require that the registry has these pipelines; Kedro's own error refers to its internals.

    Args:
        names: Names of pipelines.
        parameters: The raw parameters, in which a removed variant is null.

    Raises:
        InputError: If names are unknown, with one line for each.
    """
    known = list(pipelines)
    if faults := [_describe(name, known, parameters) for name in names if name not in known]:
        raise InputError(*faults)


def _describe(name: str, known: list[str], parameters: dict[str, Any]) -> str:
    expected = f"pipeline {name!r} does not exist; expected one of {', '.join(known)}"
    if name in parameters["variants"]:
        return f"{expected}. Parameter variants.{name} is null, which leaves the variant out"
    return f"{expected}{did_you_mean(name, known)}"
