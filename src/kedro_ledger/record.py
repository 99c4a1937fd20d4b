"""What is written down of a run: data/runs/<seq>_<run id>.json, and a line of history when that is pruned."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kedro_ledger.paths import RUN_ID, is_plain, is_relative, is_version

Scalar = bool | int | float | str | None


FORMAT: Final = 2
"""Of records. What was added since 1 has a default, so that those can be read."""
ADDED: Final = frozenset({"data", "drift", "last_known", "alarms", "unversioned"})
"""What was added since format 1."""
ADDED_TO_CODE: Final = frozenset({"source_dir", "left_out", "unknown", "not_copied"})
"""The same, of `code`."""


def _require_plain(path: str) -> str:
    if not is_plain(path):
        raise ValueError(f"{path!r} is not a plain path")
    return path


def _require_relative(folder: str) -> str:
    if folder and not is_relative(folder.removesuffix("/")):
        raise ValueError(f"{folder!r} leads out of the repository")
    return folder


def _require_source_dir(folder: str) -> str:
    return folder if folder == "." else _require_relative(folder)


RunId = Annotated[str, StringConstraints(pattern=f"^{RUN_ID.pattern}$")]


class Written(BaseModel):
    """Whatever is written down; a file that doesn't say just that is damaged."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        ser_json_inf_nan="constants",
        # Where a field has an alias, that is its key in the files: those of earlier versions remain readable.
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class Artefact(Written):
    """A version of a dataset."""

    version: RunId
    """The id of the run that wrote it."""
    path: str
    """Where it lies: relative to the project's folder, absolute outside it, or an address with a protocol."""
    sha256: str | None
    """Its hash; none if it doesn't lie on a local disk."""
    bytes: int | None
    made_from: dict[str, str]
    """The hashes of what it was made from: datasets, parameters, and the `code`."""

    @property
    def digest(self) -> str:
        """What tells its content from another: its sha256, or where there is none its version."""
        return self.sha256 or self.version

    @property
    def folder(self) -> str:
        """The folder of the version."""
        return self.path.rpartition("/")[0]

    @model_validator(mode="after")
    def _require_its_place(self) -> Self:
        is_local = self.sha256 is not None
        if not (is_version(self.path, self.version) if is_local else "://" in self.path):
            raise ValueError(f"{self.path!r} is not where Kedro saves version {self.version}")
        return self


class RawInput(Written):
    """An input that no run has made."""

    path: Annotated[str, AfterValidator(_require_plain)] | None
    """Where it lies: relative to the project's folder, or absolute outside it; none if not a local file."""
    sha256: str | None
    """Its hash; none if it was not there, or is not a local file."""
    bytes: int | None


class Unversioned(RawInput):
    """What a run wrote that is not versioned, as it left it."""

    version: RunId
    """The id of the run."""
    made_from: dict[str, str]
    """The hashes of what it was made from, as those of an artefact."""


class Code(Written):
    """The code of a run."""

    files: dict[str, str]
    """The hashes of the project's sources."""
    source_dir: Annotated[str, AfterValidator(_require_source_dir)] = "src"
    """Where they lie in the project; `.` for its folder itself."""
    left_out: list[str] = []
    """What lies there and is data: the catalog has it."""
    unknown: str | None = None
    """Why it is not known which code ran; none if it is."""
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")] | None
    """The git commit; none if git does not give one."""
    folder: Annotated[str, AfterValidator(_require_relative)] = ""
    """Where the project lies in its repository."""
    patch: str | None = None
    """What differed from the commit, untracked files included, as git's binary diff."""
    patch_encoding: Literal["utf-8", "latin-1"] = "utf-8"
    patch_left_out: str | None = None
    """Why git can't check out this code again; none if it can, or if the project is not in git."""
    not_copied: list[str] = []
    """What git doesn't have and is too large for the patch, with its size."""

    @property
    def is_committed(self) -> bool:
        """Whether nothing differed from the commit."""
        return self.commit is not None and not (self.patch or self.patch_left_out or self.not_copied)


class Environment(Written):
    """What a run ran on."""

    python: str
    system: str
    libc: str
    machine: str
    processor: str
    cpu_capability: str
    threads: dict[str, str]
    packages: dict[str, str]


class Drift(Written):
    """What changed from one run to the next."""

    since: str
    """The last committed run before. Data and metrics are compared with the last run that had them."""
    changed: dict[str, dict[str, tuple[Any, Any]]]
    """By section, and by name: what was and what is; none for what isn't there."""
    unknown: dict[str, list[str]] = {}
    """By section: the names of what is not recorded of one of the two runs."""


class Summary(Written):
    """What stays of a run for ever."""

    seq: Annotated[int, Field(ge=0, lt=10**9)]
    run_id: RunId
    started: str
    pipelines: list[str]
    recipe: str
    """The hash of all that decides the artefacts."""
    metrics: dict[str, dict[str, Scalar]]
    """By dataset: the metrics that the run wrote."""
    env: str | None = None
    """The environment of the configuration."""
    alarms: list[str] = []
    """In words: artefacts that are not those of the same recipe, and what moved further than allowed."""
    command: str | None = None
    """What started it; none if it was started from Python, or pruned before this was kept."""
    drift: Drift | None = None
    """What changed since the last run; none of the first, or if it was pruned before this was kept."""


class LastKnown(Written):
    """Data and metrics that a run didn't have, of the last runs that had them: those may be pruned."""

    raw: dict[str, RawInput] = {}
    data: dict[str, dict[str, Scalar]] = {}
    metrics: dict[str, dict[str, Scalar]] = {}


class Checkout(Written):
    """Which run readers see, for as long as no other is committed."""

    run_id: Annotated[RunId, Field(alias="to")]
    at_seq: Annotated[int, Field(alias="at")]
    """The number of the last run when it was checked out."""


class Record(Summary):
    """A committed run."""

    format: Literal[1, 2] = FORMAT
    finished: str
    command: str | None
    runner: str
    nodes: list[str]
    parameters: dict[str, Any]
    catalog: dict[str, Any]
    raw: dict[str, RawInput]
    data: dict[str, dict[str, Scalar]] = {}
    """By dataset: what the run wrote that says what the raw data is like."""
    inputs: dict[str, str]
    """The versions that it read of datasets that other runs wrote."""
    outputs: Annotated[dict[str, Artefact], Field(alias="wrote")]
    unversioned: dict[str, Unversioned] = {}
    """What it, or the last committed run that wrote it, has left that is not versioned, and no run has found
    otherwise since."""
    inherited: Annotated[dict[str, Artefact], Field(alias="carried")]
    """What readers see besides: of earlier runs, still matching what this one wrote."""
    outdated: list[str]
    """What readers don't see any more, since it was made from something that has changed since."""
    inexact: list[str]
    """Which of `parameters` and `catalog` held what JSON can't say, and are recorded only roughly."""
    code: Code
    code_changed_meanwhile: bool
    """Whether the sources were changed after the process had begun to load them."""
    environment: Environment
    last_known: LastKnown = LastKnown()

    @property
    def view(self) -> dict[str, Artefact]:
        """All that readers see once this run is committed."""
        return self.outputs | self.inherited

    @property
    def artefacts(self) -> list[tuple[str, Artefact]]:
        """All that this record names, even what `--load-versions` kept from being read."""
        return [*self.outputs.items(), *self.inherited.items()]

    @model_validator(mode="after")
    def _require_own_versions(self) -> Self:
        if others := [name for name, artefact in self.outputs.items() if artefact.version != self.run_id]:
            raise ValueError(f"{others[0]} has the version of another run")
        return self

    def to_json(self) -> str:
        """Write it down in its format."""
        added: Any = dict.fromkeys(ADDED, True) | {"code": ADDED_TO_CODE} if self.format == 1 else None
        return self.model_dump_json(indent=1, exclude=added)

    def summary(self) -> Summary:
        """What stays when the run is pruned: how metrics moved can be seen from the metrics."""
        kept = {name: getattr(self, name) for name in Summary.model_fields}
        if self.drift:
            changed = {name: found for name, found in self.drift.changed.items() if name != "metrics"}
            kept["drift"] = Drift(since=self.drift.since, changed=changed)
        return Summary(**kept)


def is_same_run(one: Record | None, other: Record | None) -> bool:
    """Compare runs by their ids: records with a metric that is NaN are not equal to themselves."""
    return (one and one.run_id) == (other and other.run_id)
