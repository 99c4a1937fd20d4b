"""Names of pipelines, as `--pipeline` gives them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kedro.framework.project import pipelines

from kedro_ledger.errors import InputError
from kedro_ledger.validation import did_you_mean


def require_pipelines(names: Iterable[str], parameters: dict[str, Any]) -> None:
    """Require that the registry has these pipelines: Kedro's own error speaks of its functions.

    Args:
        names: The names.
        parameters: The parameters as they stand in the configuration.

    Raises:
        InputError: A line for each name that no pipeline has.
    """
    known = list(pipelines)
    if faults := [_describe(name, known, parameters) for name in names if name not in known]:
        raise InputError(*faults)


def _describe(name: str, known: list[str], parameters: dict[str, Any]) -> str:
    names = ", ".join(known)
    if name in parameters["variants"]:
        reason = f": parameter variants.{name} is null, which leaves the variant out"
        return f"no pipeline named {name!r}{reason}; there are {names}"
    near = did_you_mean(name, known)
    return f"no pipeline named {name!r}" + (f"{near} There are {names}" if near else f"; there are {names}")
