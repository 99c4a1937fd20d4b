"""The parameters of the ledger itself: the block `runs`."""

from __future__ import annotations

import math
import re
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from kedro_ledger.validation import did_you_mean, validate

RawDataPolicy = Literal["pinned", "changing"]

DRIFTING: Final = ("data", "parameters", "catalog", "code", "environment", "packages", "metrics")
"""The sections of what may change from one run to the next."""

SHARE: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")


def matches(name: str, pattern: str) -> bool:
    """Return whether a name fits a pattern."""
    return fnmatchcase(" ".join(name.split()), " ".join(pattern.split()).replace("[", "[[]"))


def _require_sections(limits: dict[str, Any]) -> dict[str, Any]:
    """Require patterns that begin with a section of what may drift."""
    for pattern in limits:
        section, _, name = pattern.partition(".")
        if section not in DRIFTING or not name:
            raise ValueError(
                f"has {pattern!r}: expected names that begin with {'., '.join(DRIFTING)}."
                + did_you_mean(pattern, [f"{known}.{name}" for known in DRIFTING])
            )
    return limits


def _require_limit(limit: Any) -> Any:
    """Require a number, or a share."""
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if (is_number and 0 <= limit < math.inf) or (isinstance(limit, str) and SHARE.fullmatch(limit)):
        return limit
    raise ValueError(f"is {limit!r}: expected a number of at least 0, or a share such as 10%")


class DriftLimits(BaseModel):
    """How far a run may be from the last one, the block `runs.drift`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    allowed: Annotated[
        dict[str, Annotated[float | str, BeforeValidator(_require_limit)]], AfterValidator(_require_sections)
    ] = {}
    """By pattern of section and name, such as `metrics.*.valid_accuracy`: by how much a number may move, or
    by which share of what it was. Whatever else changes, comes or goes under such a name is beyond it."""
    commit: bool = True
    """Whether a run beyond a limit is committed."""


class Settings(BaseModel):
    """The parameters of the ledger itself, the block `runs`. They are no part of a recipe."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    keep: Annotated[int, Field(ge=1)] = 20
    """How many runs are kept whole."""
    metrics: list[str] = ["*.metrics"]
    """Patterns of datasets whose values are written down as metrics."""
    data: list[str] = []
    """Patterns of datasets whose values say what the raw data is like."""
    headline: str | None = None
    """The metric that `kedro runs list` and `kedro runs history` show."""
    reproducible: list[str] = ["*"]
    """Patterns of datasets that runs of one recipe should write with the same bytes; nothing for none."""
    allow_mixed: bool = False
    """Whether a run may read what was made with other parameters, code or data than its own."""
    raw_data: Literal["any", "pinned"] = "any"
    """Which raw data is taken: what there is, or what has the hash that the catalog says."""
    changing: list[str] = []
    """Patterns of raw datasets that are not pinned then: their data may change, and is fetched again before
    each run if they know how to."""
    drift: DriftLimits = DriftLimits()

    def policy_of(self, dataset: str) -> RawDataPolicy | None:
        """Return how a raw dataset is prepared before a run reads it; none if any data will do."""
        if self.raw_data == "any":
            return None
        return "changing" if any(matches(dataset, pattern) for pattern in self.changing) else "pinned"


class _Parameters(BaseModel):
    """All parameters of a project, of which the ledger knows its own block."""

    runs: Settings = Settings()


def read_settings(parameters: dict[str, Any]) -> Settings:
    """Read the ledger's own parameters.

    Raises:
        InputError: A line for each wrong one.
    """
    return validate(_Parameters, parameters).runs
