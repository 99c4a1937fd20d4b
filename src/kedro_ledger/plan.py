"""What a run is going to read and to write, found and checked before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kedro.io import DataCatalog
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from kedro_ledger import files, lineage, storage
from kedro_ledger.context import RunContext
from kedro_ledger.errors import LedgerError
from kedro_ledger.kedro_internals import unwrap
from kedro_ledger.ledger import Ledger
from kedro_ledger.lineage import base_name
from kedro_ledger.record import Artefact, RawInput, Record
from kedro_ledger.settings import Settings, read_settings


class Output(NamedTuple):
    """A version that a run will write."""

    dataset: str
    """The dataset as the catalog names it."""
    path: str
    """Where the version will lie, seen from the project's folder."""
    is_local: bool


@dataclass(frozen=True)
class Plan:
    """A run before it begins. Datasets go by their names without transcoding."""

    nodes: list[Node]
    inputs: dict[str, Artefact]
    """What it reads of other runs."""
    load_versions: dict[str, Artefact]
    """Those of them that `--load-versions` asks for."""
    raw_paths: dict[str, str | None]
    """Where that lies which no run has made; none if it is not a local file."""
    fetched: dict[str, str]
    """Where the run reads some of that instead, which was fetched for it."""
    raw: dict[str, RawInput]
    """What of that was there before the run."""
    outputs: dict[str, Output]
    unprotected: list[str]
    """Outputs that are not versioned."""
    own_datasets: list[str]
    """All names in the catalog under which the run reads what it wrote itself."""


def make_plan(
    ledger: Ledger,
    context: RunContext,
    pipeline: Pipeline,
    catalog: DataCatalog,
    run_params: Mapping[str, Any],
    code: str,
    prepared: list[Any],
) -> Plan:
    """Plan a run.

    Args:
        ledger: The project's runs.
        context: The session's context, which knows the run that readers see, and the parameters.
        pipeline: What is to run.
        catalog: The run's catalog.
        run_params: What Kedro says of the run.
        code: The hash of the code.
        prepared: Gets the raw datasets that prepare for the run, to `finish` after it, however it ends.

    Returns:
        The plan; what it reads of other runs is whole.

    Raises:
        LedgerError: If something that it reads was never committed, is outdated, gone or altered; or raw data
            must be pinned, and its dataset can't see to that.
    """
    before, parameters = context.current_run, context.configuration["parameters"]
    view = before.view if before else {}
    places = {
        name: place
        for name in sorted(pipeline.datasets())
        if not is_parameter(name) and (place := storage.find_place(catalog, name))
    }
    known = storage.list_made_datasets(ledger, before)
    versioned = {base_name(name) for name, place in places.items() if place.is_versioned} & known
    load_versions = _find_load_versions(ledger, run_params["load_versions"] or {}, versioned)
    raw_names = [
        name
        for name in sorted(pipeline.inputs())
        if not is_parameter(name) and base_name(name) not in versioned
    ]
    fetched = _prepare_raw(catalog, raw_names, read_settings(parameters), prepared)
    raw_paths = {
        base_name(name): storage.find_loaded_path(catalog, name, places.get(name)) for name in raw_names
    }
    raw = read_raw(ledger, raw_paths, fetched)
    nodes = list(pipeline.nodes)
    if run_params["only_missing_outputs"]:
        outputs_there = {base_name(name) for name in pipeline.all_outputs()}
        there = {
            name: artefact
            for name, artefact in (view | load_versions).items()
            if name not in outputs_there or ledger.is_whole(artefact)
        }
        hashes = {name: read.digest for name, read in raw.items()}
        nodes = lineage.find_outdated_nodes(nodes, there, hashes, parameters, code, versioned.__contains__)
        if plain := sorted(pipeline.all_outputs() & {n for n in places if base_name(n) not in versioned}):
            raise LedgerError(
                f"--only-missing-outputs needs all outputs to be versioned; {', '.join(plain)} is not"
            )

    written = sorted({name for node in nodes for name in node.outputs} & places.keys())
    outputs = {
        base_name(name): Output(
            name, ledger.name_of(places[name].version(run_params["run_id"])), places[name].is_local
        )
        for name in written
        if base_name(name) in versioned
    }
    own = outputs.keys() - load_versions.keys()
    return Plan(
        nodes=nodes,
        inputs=_find_inputs(ledger, nodes, places, versioned, before, load_versions),
        load_versions=load_versions,
        raw_paths=raw_paths,
        fetched=fetched,
        raw=raw,
        outputs=outputs,
        unprotected=[name for name in written if base_name(name) not in versioned],
        own_datasets=sorted(name for name in places if base_name(name) in own),
    )


def read_raw(
    ledger: Ledger, paths: Mapping[str, str | None], fetched: Mapping[str, str]
) -> dict[str, RawInput]:
    """Hash what there is now that no run has made."""
    raw = {}
    for name, path in paths.items():
        try:
            digest, size = files.hash_and_size(Path(fetched.get(name, path))) if path else (None, None)
        except OSError:  # the run itself will say what it makes of that
            digest, size = None, None
        raw[name] = RawInput(path=path and ledger.name_of(path), sha256=digest, bytes=size)
    return raw


def _prepare_raw(
    catalog: DataCatalog, names: list[str], settings: Settings, prepared: list[Any]
) -> dict[str, str]:
    """Let raw datasets fetch or check their files: those that know how to have a method `prepare`."""
    fetched = {}
    for name in names:
        policy = settings.policy_of(name)
        dataset = unwrap(catalog.get(name)) if policy else None
        if prepare := getattr(dataset, "prepare", None):
            prepared.append(dataset)
            if path := prepare(policy):
                fetched[base_name(name)] = str(path)
        elif policy == "pinned" and name in catalog:
            raise LedgerError(
                f"{name}: parameter runs.raw_data is pinned, and a {type(dataset).__name__} can't check its "
                "data against a hash; expected a dataset that can, or its name in runs.changing"
            )
    return fetched


def _find_load_versions(
    ledger: Ledger, asked_for: Mapping[str, str], versioned: set[str]
) -> dict[str, Artefact]:
    """Find what `--load-versions` asks for."""
    wanted = {base_name(name): version for name, version in asked_for.items() if base_name(name) in versioned}
    if not wanted:
        return {}
    committed = {
        (name, artefact.version): artefact
        for record in ledger.records()
        for name, artefact in record.artefacts
    }
    for name, version in wanted.items():
        if (name, version) not in committed:
            known = sorted((v for n, v in committed if n == name), reverse=True)
            there_are = f"there are {', '.join(known)}" if known else "there is none"
            raise LedgerError(f"{name}: no committed run has made a version {version}; {there_are}")
    return {name: committed[name, version] for name, version in wanted.items()}


def _find_inputs(
    ledger: Ledger,
    nodes: list[Node],
    places: Mapping[str, storage.Place],
    versioned: set[str],
    before: Record | None,
    load_versions: Mapping[str, Artefact],
) -> dict[str, Artefact]:
    """Find what the nodes read of other runs, and require it to be what it was."""
    made = {base_name(name) for node in nodes for name in node.outputs}
    read = {base_name(name) for node in nodes for name in node.inputs} & versioned
    names = sorted((read - made) | (read & load_versions.keys()))
    there = (before.view if before else {}) | dict(load_versions)
    outdated = [name for name in names if before and name not in there and name in before.outdated]
    missing = [name for name in names if name not in there and name not in outdated]
    not_there = f"not in run {before.run_id}, which readers see" if before else "not made yet"
    faults = [
        f"{', '.join(missing)}: {not_there}" if missing else "",
        f"{', '.join(outdated)}: made from what has changed since" if outdated else "",
    ]
    if any(faults):
        run = f"`kedro run{ledger.home.option}`"
        cure = f"{run} makes everything, --load-versions takes versions of earlier runs"
        raise LedgerError("; ".join([*filter(None, faults), cure]))
    for name, place in places.items():
        artefact = there.get(base_name(name)) if base_name(name) in names else None
        if artefact and not storage.is_kept_at(ledger, artefact, place):
            raise LedgerError(
                f"{name}: {artefact.path} is not where the catalog has it now; "
                f"`kedro run{ledger.home.option}` makes everything"
            )
    for name in names:
        try:
            ledger.check(name, there[name])
        except LedgerError as error:
            cure = f"`kedro run{ledger.home.option} --only-missing-outputs` makes it anew"
            raise LedgerError(f"{error.message}; {cure}") from error
    return {name: there[name] for name in names}
