"""The ledger's own parameters: the block `runs`."""

from __future__ import annotations

import math
import re
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from kedro_ledger.validation import did_you_mean, validate

RawDataPolicy = Literal["pinned", "changing"]

DRIFT_SECTIONS: Final = ("data", "parameters", "catalog", "code", "environment", "packages", "metrics")
"""Sections of a run that may change from one run to the next."""

PERCENTAGE: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")


def matches(name: str, pattern: str) -> bool:
    """Return whether a name matches a pattern with `*` and `?`. All white space is equal; `[` is literal."""
    return fnmatchcase(" ".join(name.split()), " ".join(pattern.split()).replace("[", "[[]"))


def _require_sections(limits: dict[str, Any]) -> dict[str, Any]:
    """Require that each pattern begins with a section that may drift."""
    for pattern in limits:
        section, _, name = pattern.partition(".")
        if section not in DRIFT_SECTIONS or not name:
            raise ValueError(
                f"has {pattern!r}; expected names that begin with {'., '.join(DRIFT_SECTIONS)}."
                + did_you_mean(pattern, [f"{known}.{name}" for known in DRIFT_SECTIONS])
            )
    return limits


def _require_limit(limit: Any) -> Any:
    """Require a number or a percentage."""
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if (is_number and 0 <= limit < math.inf) or (isinstance(limit, str) and PERCENTAGE.fullmatch(limit)):
        return limit
    raise ValueError(f"is {limit!r}; expected a number of at least 0, or a percentage such as 10%")


class DriftLimits(BaseModel):
    """Limits on the differences between a run and the last one: the block `runs.drift`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    allowed: Annotated[
        dict[str, Annotated[float | str, BeforeValidator(_require_limit)]], AfterValidator(_require_sections)
    ] = {}
    """Limits by pattern of section and name, such as `metrics.*.valid_accuracy`: how far a number may move,
    as a number or a percentage of its last value. Any other change under such a name is beyond the limit."""
    commit: bool = True
    """Whether to commit a run that is beyond a limit."""


class Settings(BaseModel):
    """The ledger's own parameters: the block `runs`. They are not part of the recipe."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    keep: Annotated[int, Field(ge=1)] = 20
    """Number of runs to keep with their artefacts."""
    metrics: list[str] = ["*.metrics"]
    """Patterns of datasets whose values are recorded as metrics."""
    data: list[str] = []
    """Patterns of datasets whose values are recorded as facts about the raw data."""
    headline: str | None = None
    """Metric that `kedro runs list` and `kedro runs history` show."""
    reproducible: list[str] = ["*"]
    """Patterns of datasets that should be identical, byte for byte, in runs with the same recipe."""
    allow_mixed: bool = False
    """Whether a run may read data that was made with other parameters, code or data than its own."""
    raw_data: Literal["any", "pinned"] = "any"
    """Whether runs accept any raw data, or only data with the hash that the catalog pins."""
    changing: list[str] = []
    """Patterns of raw datasets that are not pinned: their data may change, and a dataset that can fetch its
    data does so before each run."""
    drift: DriftLimits = DriftLimits()

    def policy_of(self, dataset: str) -> RawDataPolicy | None:
        """Return how a raw dataset is prepared before a run reads it; None if runs accept any raw data."""
        if self.raw_data == "any":
            return None
        return "changing" if any(matches(dataset, pattern) for pattern in self.changing) else "pinned"


class _Parameters(BaseModel):
    """The parameters of a project, reduced to the ledger's own block."""

    runs: Settings = Settings()


def read_settings(parameters: dict[str, Any]) -> Settings:
    """Read the ledger's own parameters.

    Raises:
        InputError: A line for each wrong parameter.
    """
    return validate(_Parameters, parameters).runs
