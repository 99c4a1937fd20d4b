"""What a run is going to read and to write, found and checked before it begins."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from kedro.io import AbstractDataset, DataCatalog
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from kedro_ledger import files, lineage, storage
from kedro_ledger.context import RunContext
from kedro_ledger.errors import LedgerError
from kedro_ledger.kedro_internals import has_versioned_partitions, is_ephemeral, is_versioned, unwrap
from kedro_ledger.ledger import Ledger
from kedro_ledger.lineage import base_name, unknown
from kedro_ledger.record import Artefact, RawInput, Record
from kedro_ledger.settings import Settings, read_settings
from kedro_ledger.storage import CatalogNames


class Output(NamedTuple):
    """A version that a run will write."""

    dataset: str
    """The dataset as the catalog names it."""
    path: str
    """Where the version will lie, seen from the project's folder."""
    is_local: bool


@dataclass(frozen=True)
class Plan:
    """A run before it begins. Datasets go by one name each, without transcoding."""

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
    unversioned: dict[str, str | None]
    """Outputs that last and are not versioned, and where they lie; none if that is not a local path."""
    notes: list[str]
    """What the user should know of datasets that the ledger doesn't hold."""
    own_datasets: list[str]
    """All names in the catalog under which the run reads what it wrote itself."""


def make_plan(
    ledger: Ledger,
    context: RunContext,
    pipeline: Pipeline,
    catalog: DataCatalog,
    run_params: Mapping[str, Any],
    run_id: str,
    code: str,
    prepared: list[Any],
) -> Plan:
    """Plan a run.

    Args:
        ledger: The project's runs.
        context: The session's context, which knows the run that readers see, and the parameters.
        pipeline: What is to run.
        catalog: The run's catalog.
        run_params: What Kedro, or a plugin in its place, says of the run.
        run_id: The version that the run writes.
        code: The hash of the code.
        prepared: Gets the raw datasets that prepare for the run, to `finish` after it, however it ends.

    Returns:
        The plan; what it reads of other runs is whole.

    Raises:
        LedgerError: If something that it reads was never committed, is outdated, gone or altered; or raw data
            must be pinned, and its dataset can't see to that.
    """
    before, parameters, names = context.current_run, context.configuration["parameters"], context.names
    view = before.view if before else {}
    datasets = {
        name: catalog[name]
        for name in sorted(pipeline.datasets())
        if not is_parameter(name) and name in catalog
    }
    lasting = {name: dataset for name, dataset in datasets.items() if not is_ephemeral(dataset)}
    places = {
        name: place for name, dataset in lasting.items() if (place := storage.find_place(name, dataset))
    }
    known = storage.list_made_datasets(ledger, before)
    versioned = {names(name) for name in places if is_versioned(lasting[name])} & known
    load_versions = _find_load_versions(ledger, run_params.get("load_versions") or {}, versioned, names)
    raw_names = [
        name for name in sorted(pipeline.inputs()) if not is_parameter(name) and names(name) not in versioned
    ]
    fetched = _prepare_raw(catalog, raw_names, read_settings(parameters), prepared)
    raw_paths = {
        base_name(name): storage.find_loaded_path(catalog, name, places.get(name)) for name in raw_names
    }
    raw = read_raw(ledger, raw_paths, fetched)
    nodes = list(pipeline.nodes)
    if run_params.get("only_missing_outputs"):
        outputs_there = {names(name) for name in pipeline.all_outputs()}
        there = {
            name: artefact
            for name, artefact in (view | load_versions).items()
            if name not in outputs_there or ledger.is_whole(artefact)
        }
        hashes = digest_raw(raw, nodes, names, run_id)
        is_kept = versioned.__contains__
        nodes = lineage.find_outdated_nodes(nodes, there, hashes, parameters, code, is_kept, names)
        if plain := sorted(pipeline.all_outputs() & {n for n in lasting if names(n) not in versioned}):
            raise LedgerError(
                f"--only-missing-outputs needs all outputs to be versioned; not versioned: {', '.join(plain)}"
            )

    written = sorted({name for node in nodes for name in node.outputs} & lasting.keys())
    _require_one_name(nodes, names, versioned)
    _require_one_save(nodes, names, versioned)
    outputs = {
        names(name): Output(name, ledger.name_of(places[name].version(run_id)), places[name].is_local)
        for name in written
        if names(name) in versioned
    }
    own = outputs.keys() - load_versions.keys()
    unversioned = {name: places.get(name) for name in written if names(name) not in versioned}
    unversioned_paths = {
        base_name(name): place.path if place and place.is_local else None
        for name, place in unversioned.items()
    }
    written_paths = {name: output.path for name, output in outputs.items() if output.is_local}
    _require_apart(ledger, raw_paths, written_paths | unversioned_paths | {"runs": str(ledger.folder)})
    read = {base_name(name) for node in nodes for name in node.inputs}
    not_recorded = [
        name
        for name in raw_names
        if name in lasting and base_name(name) in read and not raw_paths[base_name(name)]
    ]
    return Plan(
        nodes=nodes,
        inputs=_find_inputs(ledger, nodes, places, versioned, before, load_versions, names),
        load_versions=load_versions,
        raw_paths=raw_paths,
        fetched=fetched,
        raw=raw,
        outputs=outputs,
        unversioned=unversioned_paths,
        notes=_describe_what_is_not_held({name: lasting[name] for name in unversioned}, not_recorded),
        own_datasets=sorted(name for name in places if names(name) in own),
    )


def _describe_what_is_not_held(
    outputs: Mapping[str, AbstractDataset[Any, Any]], inputs: list[str]
) -> list[str]:
    """Describe which datasets of a run the ledger doesn't hold, and what that means."""
    of_partitions = [name for name, dataset in outputs.items() if has_versioned_partitions(dataset)]
    plain = [name for name in outputs if name not in of_partitions]
    notes = {
        "not versioned, so overwritten even if the run fails": plain,
        "versions of partitions are Kedro's alone, and stay even if the run fails": of_partitions,
        "not recorded, so that nobody knows what the run read": inputs,
    }
    return [f"{note}: {', '.join(found)}" for note, found in notes.items() if found]


def _require_one_name(nodes: list[Node], names: CatalogNames, versioned: set[str]) -> None:
    """Require one name for a file that the run writes: of two, Kedro doesn't know which node comes first."""
    used: dict[str, set[str]] = {}
    for name in sorted({name for node in nodes for name in (*node.inputs, *node.outputs)}):
        if names(name) in versioned:
            used.setdefault(names(name), set()).add(base_name(name))
    written = {names(name) for node in nodes for name in node.outputs}
    for name in sorted(written & used.keys()):
        if len(used[name]) > 1:
            one, other = sorted(used[name])[:2]
            raise LedgerError(
                f"{one} and {other} are one file, which this run writes; expected one name in the nodes, or "
                f"{one}@{other}, so that Kedro knows which node comes first"
            )


def _require_one_save(nodes: list[Node], names: CatalogNames, versioned: set[str]) -> None:
    """Require that no generator makes a version: Kedro saves each part, and refuses the second."""
    for node in nodes:
        made = [name for name in node.outputs if names(name) in versioned]
        if made and inspect.isgeneratorfunction(node.func):
            raise LedgerError(
                f"{node.name} is a generator, and {made[0]} is versioned: Kedro saves each part that it "
                "yields, but a version only once; expected a function that returns the whole, or a dataset "
                "without `versioned: true`"
            )


def _require_apart(ledger: Ledger, raw: Mapping[str, str | None], written: Mapping[str, str | None]) -> None:
    """Require raw data that the run doesn't change itself: it would be refused after the work."""
    for name, path in raw.items():
        for other, place in written.items():
            if path and place:
                one, two = (PurePath(ledger.name_of(ledger.project / found)) for found in (path, place))
                if one.is_relative_to(two) or two.is_relative_to(one):
                    raise LedgerError(
                        f"{name} is read from {one}, and the run writes {other} to {two}; "
                        "expected one name for one file, and no file in the folder of another dataset"
                    )


def digest_raw(
    raw: Mapping[str, RawInput], nodes: Iterable[Node], names: CatalogNames, run_id: str
) -> dict[str, str]:
    """Return what tells the content of raw data from another; what nodes confirm is another each time."""
    confirmed = {base_name(name) for node in nodes for name in node.confirms}
    return {
        name: names.digest(name, read.sha256) if read.sha256 and name not in confirmed else unknown(run_id)
        for name, read in raw.items()
    }


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
    ledger: Ledger, asked_for: Mapping[str, str], versioned: set[str], names: CatalogNames
) -> dict[str, Artefact]:
    """Find what `--load-versions` asks for."""
    wanted = {names(name): version for name, version in asked_for.items() if names(name) in versioned}
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
    names: CatalogNames,
) -> dict[str, Artefact]:
    """Find what the nodes read of other runs, and require it to be what it was."""
    made = {names(name) for node in nodes for name in node.outputs}
    read = {names(name) for node in nodes for name in node.inputs} & versioned
    needed = sorted((read - made) | (read & load_versions.keys()))
    there = (before.view if before else {}) | dict(load_versions)
    outdated = [name for name in needed if before and name not in there and name in before.outdated]
    missing = [name for name in needed if name not in there and name not in outdated]
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
        artefact = there.get(names(name)) if names(name) in needed else None
        if artefact and not storage.is_kept_at(ledger, artefact, place):
            raise LedgerError(
                f"{name}: {artefact.path} is not where the catalog has it now; "
                f"`kedro run{ledger.home.option}` makes everything"
            )
    for name in needed:
        try:
            ledger.check(name, there[name])
        except LedgerError as error:
            cure = f"`kedro run{ledger.home.option} --only-missing-outputs` makes it anew"
            raise LedgerError(f"{error.message}; {cure}") from error
    return {name: there[name] for name in needed}
