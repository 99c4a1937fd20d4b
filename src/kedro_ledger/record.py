"""The record of a run, data/runs/<seq>_<run id>.json, and its summary, which history.jsonl keeps forever."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kedro_ledger.paths import RUN_ID, is_plain, is_relative, is_version

Scalar = bool | int | float | str | None


FORMAT: Final = 2
"""Format of records. Fields added since format 1 have defaults, so records of format 1 can be read."""
ADDED: Final = frozenset({"data", "drift", "last_known", "alarms", "unversioned"})
"""Fields added since format 1."""
ADDED_TO_CODE: Final = frozenset({"source_dir", "left_out", "unknown", "not_copied"})
"""Fields of `code` added since format 1."""


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


class StoredModel(BaseModel):
    """Base class of everything stored in JSON. A file with missing or unknown fields is damaged."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        ser_json_inf_nan="constants",
        # An alias is the key of its field in the files, so that files of earlier versions remain readable.
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class Artefact(StoredModel):
    """A version of a dataset."""

    version: RunId
    """The id of the run that wrote it."""
    path: str
    """The path: relative to the project's folder, absolute outside it, or an address with a protocol."""
    sha256: str | None
    """The hash, or None if it is not on a local disk."""
    bytes: int | None
    made_from: dict[str, str]
    """The hashes of the datasets, parameters and `code` that it was made from."""

    @property
    def digest(self) -> str:
        """The identity of its content: its sha256, or its version if it has no hash."""
        return self.sha256 or self.version

    @property
    def folder(self) -> str:
        """The folder of the version."""
        return self.path.rpartition("/")[0]

    @model_validator(mode="after")
    def _require_version_path(self) -> Self:
        is_local = self.sha256 is not None
        if not (is_version(self.path, self.version) if is_local else "://" in self.path):
            raise ValueError(f"{self.path!r} is not where Kedro saves version {self.version}")
        return self


class RawInput(StoredModel):
    """An input that no run made."""

    path: Annotated[str, AfterValidator(_require_plain)] | None
    """The path: relative to the project's folder, absolute outside it, or None if it is not a local file."""
    sha256: str | None
    """The hash, or None if the file did not exist or is not local."""
    bytes: int | None


class Unversioned(RawInput):
    """An output that is not versioned, as its run left it."""

    version: RunId
    """The id of the run."""
    made_from: dict[str, str]
    """The hashes of what it was made from, as in an artefact."""


class Code(StoredModel):
    """The code of a run."""

    files: dict[str, str]
    """The hashes of the source files, by path."""
    source_dir: Annotated[str, AfterValidator(_require_source_dir)] = "src"
    """The folder of the sources in the project; `.` for the project's folder itself."""
    left_out: list[str] = []
    """The paths among the sources that are data, according to the catalog."""
    unknown: str | None = None
    """Why it is unknown which code ran, or None if it is known."""
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")] | None
    """The git commit, or None if git reports none, for example outside a repository."""
    folder: Annotated[str, AfterValidator(_require_relative)] = ""
    """The folder of the project in its repository."""
    patch: str | None = None
    """The differences from the commit, including untracked files, as a binary git diff."""
    patch_encoding: Literal["utf-8", "latin-1"] = "utf-8"
    patch_left_out: str | None = None
    """Why git can't check out this code again; None if it can, or if the project is not in git."""
    not_copied: list[str] = []
    """The untracked files that are too large for the patch, with their sizes."""

    @property
    def is_committed(self) -> bool:
        """Whether the code was exactly as committed."""
        return self.commit is not None and not (self.patch or self.patch_left_out or self.not_copied)


class Environment(StoredModel):
    """The platform and the packages of a run."""

    python: str
    system: str
    libc: str
    machine: str
    processor: str
    cpu_capability: str
    threads: dict[str, str]
    packages: dict[str, str]


class Drift(StoredModel):
    """The changes from one run to the next."""

    since: str
    """The id of the previous committed run. Data and metrics are compared with the last run that had them."""
    changed: dict[str, dict[str, tuple[Any, Any]]]
    """The old and the new value by section and name; None for a missing one."""
    unknown: dict[str, list[str]] = {}
    """The names, by section, of values that one of the two runs did not record."""


class Summary(StoredModel):
    """The part of a record that is never removed."""

    seq: Annotated[int, Field(ge=0, lt=10**9)]
    run_id: RunId
    started: str
    pipelines: list[str]
    recipe: str
    """The hash of everything that determines the artefacts."""
    metrics: dict[str, dict[str, Scalar]]
    """The metrics that the run wrote, by dataset."""
    env: str | None = None
    """The environment of the configuration."""
    alarms: list[str] = []
    """Messages about artefacts that differ despite the same recipe, and about values that moved too far."""
    command: str | None = None
    """The command of the run; None if it was started from Python, or pruned before commands were kept."""
    drift: Drift | None = None
    """The changes since the last run; None for the first run and if it was pruned before drift was kept."""


class LastKnown(StoredModel):
    """Data and metrics that a run did not have, from the last runs that had them, even pruned ones."""

    raw: dict[str, RawInput] = {}
    data: dict[str, dict[str, Scalar]] = {}
    metrics: dict[str, dict[str, Scalar]] = {}


class Checkout(StoredModel):
    """The run that readers see until the next commit."""

    run_id: Annotated[RunId, Field(alias="to")]
    at_seq: Annotated[int, Field(alias="at")]
    """The number of the last run at the time of the checkout."""


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
    """The values that the run wrote to describe the raw data, by dataset."""
    inputs: dict[str, str]
    """The versions of other runs that the run read, by dataset."""
    outputs: Annotated[dict[str, Artefact], Field(alias="wrote")]
    unversioned: dict[str, Unversioned] = {}
    """The unversioned outputs of this run and earlier ones, as they were left. Outputs that a later run found
    changed are dropped."""
    inherited: Annotated[dict[str, Artefact], Field(alias="carried")]
    """The artefacts of earlier runs that readers still see, because they match this run's."""
    outdated: list[str]
    """The datasets that readers no longer see, because their inputs have changed."""
    inexact: list[str]
    """Which of `parameters` and `catalog` have values that JSON can't represent, so they are inexact."""
    code: Code
    code_changed_meanwhile: bool
    """Whether the sources changed after the process began to load them."""
    environment: Environment
    last_known: LastKnown = LastKnown()

    @property
    def view(self) -> dict[str, Artefact]:
        """The artefacts that readers see once this run is committed, by dataset."""
        return self.outputs | self.inherited

    @property
    def artefacts(self) -> list[tuple[str, Artefact]]:
        """All artefacts that this record names, including those hidden from readers by `--load-versions`."""
        return [*self.outputs.items(), *self.inherited.items()]

    @model_validator(mode="after")
    def _require_own_versions(self) -> Self:
        if others := [name for name, artefact in self.outputs.items() if artefact.version != self.run_id]:
            raise ValueError(f"{others[0]} has the version of another run")
        return self

    def to_json(self) -> str:
        """Return the record as JSON, in its own format."""
        added: Any = dict.fromkeys(ADDED, True) | {"code": ADDED_TO_CODE} if self.format == 1 else None
        return self.model_dump_json(indent=1, exclude=added)

    def summary(self) -> Summary:
        """Return the part that outlives the record, without changes of metrics, which the metrics show."""
        kept = {name: getattr(self, name) for name in Summary.model_fields}
        if self.drift:
            changed = {name: found for name, found in self.drift.changed.items() if name != "metrics"}
            kept["drift"] = Drift(since=self.drift.since, changed=changed)
        return Summary(**kept)


def is_same_run(one: Record | None, other: Record | None) -> bool:
    """Compare runs by their ids, as records with a metric that is NaN are not equal to themselves."""
    return (one and one.run_id) == (other and other.run_id)
