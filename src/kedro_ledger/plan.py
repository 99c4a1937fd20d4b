"""The plan of a run: its inputs and outputs, found and checked before it begins."""

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
from kedro_ledger.printable import shorten
from kedro_ledger.record import Artefact, RawInput, Record
from kedro_ledger.settings import Settings, read_settings
from kedro_ledger.storage import CatalogNames


class Output(NamedTuple):
    """A version that a run will write."""

    dataset: str
    """The name of the dataset in the catalog."""
    path: str
    """The path of the version, relative to the project's folder."""
    is_local: bool


@dataclass(frozen=True)
class Plan:
    """The plan of a run. Each dataset has one name, without transcoding."""

    nodes: list[Node]
    inputs: dict[str, Artefact]
    """The artefacts of other runs that the run reads."""
    load_versions: dict[str, Artefact]
    """The artefacts that `--load-versions` selects."""
    raw_paths: dict[str, str | None]
    """The paths of raw data, which no run made; None if it is not a local file or folder."""
    fetched: dict[str, str]
    """The paths of raw data that was fetched for the run, which are read instead."""
    raw: dict[str, RawInput]
    """The hashes of the raw data before the run."""
    outputs: dict[str, Output]
    unversioned: dict[str, str | None]
    """The paths of outputs that outlive the run and are not versioned; None if a path is not local."""
    notes: list[str]
    """Notes for the user about outputs that are not versioned and inputs that are not recorded."""
    own_datasets: list[str]
    """All names in the catalog under which the run reads its own outputs."""


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
        context: The session's context, with the run that readers see and the parameters.
        pipeline: The pipeline to run.
        catalog: The run's catalog.
        run_params: The parameters of the run, from Kedro or a plugin.
        run_id: The version that the run writes.
        code: The hash of the code.
        prepared: A list to which the prepared raw datasets are added; call `finish` on each after the run,
            however it ends.

    Returns:
        The plan. The inputs from other runs are intact.

    Raises:
        LedgerError: If an input was never committed, or is outdated, missing or altered; if raw data is
            pinned but its dataset can't check a hash; or if the ledger doesn't support a node or dataset.
    """
    before, parameters, names = context.current_run, context.configuration["parameters"], context.names
    view = before.view if before else {}
    datasets = {
        name: catalog[name]
        for name in sorted(pipeline.datasets())
        if not is_parameter(name) and name in catalog
    }
    lasting = {name: dataset for name, dataset in datasets.items() if not is_ephemeral(dataset)}
    locations = {
        name: location
        for name, dataset in lasting.items()
        if (location := storage.find_location(name, dataset))
    }
    known = storage.list_made_datasets(ledger, before)
    versioned = {names(name) for name in locations if is_versioned(lasting[name])} & known
    load_versions = _find_load_versions(ledger, run_params.get("load_versions") or {}, versioned, names)
    raw_names = [
        name for name in sorted(pipeline.inputs()) if not is_parameter(name) and names(name) not in versioned
    ]
    fetched = _prepare_raw(catalog, raw_names, read_settings(parameters), prepared)
    raw_paths = {
        base_name(name): storage.find_loaded_path(catalog, name, locations.get(name)) for name in raw_names
    }
    raw = read_raw(ledger, raw_paths, fetched)
    nodes = list(pipeline.nodes)
    if run_params.get("only_missing_outputs"):
        all_outputs = {names(name) for name in pipeline.all_outputs()}
        available = {
            name: artefact
            for name, artefact in (view | load_versions).items()
            if name not in all_outputs or ledger.is_intact(artefact)
        }
        hashes = digest_raw(raw, nodes, names, run_id)
        is_kept = versioned.__contains__
        nodes = lineage.find_outdated_nodes(nodes, available, hashes, parameters, code, is_kept, names)
        if plain := sorted(pipeline.all_outputs() & {n for n in lasting if names(n) not in versioned}):
            raise LedgerError(
                f"--only-missing-outputs: {', '.join(plain)}: not versioned; expected versioned outputs only"
            )

    written = sorted({name for node in nodes for name in node.outputs} & lasting.keys())
    _require_one_name(nodes, names, versioned)
    _require_one_save(nodes, names, versioned)
    outputs = {
        names(name): Output(
            name, ledger.relative_path(locations[name].version(run_id)), locations[name].is_local
        )
        for name in written
        if names(name) in versioned
    }
    own = outputs.keys() - load_versions.keys()
    unversioned = {name: locations.get(name) for name in written if names(name) not in versioned}
    unversioned_paths = {
        base_name(name): location.path if location and location.is_local else None
        for name, location in unversioned.items()
    }
    written_paths = {name: output.path for name, output in outputs.items() if output.is_local}
    _require_disjoint(ledger, raw_paths, written_paths | unversioned_paths | {"runs": str(ledger.folder)})
    read = {base_name(name) for node in nodes for name in node.inputs}
    not_recorded = [
        name
        for name in raw_names
        if name in lasting and base_name(name) in read and not raw_paths[base_name(name)]
    ]
    return Plan(
        nodes=nodes,
        inputs=_find_inputs(ledger, nodes, locations, versioned, before, load_versions, names),
        load_versions=load_versions,
        raw_paths=raw_paths,
        fetched=fetched,
        raw=raw,
        outputs=outputs,
        unversioned=unversioned_paths,
        notes=_make_notes({name: lasting[name] for name in unversioned}, not_recorded),
        own_datasets=sorted(name for name in locations if names(name) in own),
    )


def _make_notes(outputs: Mapping[str, AbstractDataset[Any, Any]], inputs: list[str]) -> list[str]:
    """Describe the outputs that are not versioned, the inputs that are not recorded, and the consequences."""
    of_partitions = [name for name, dataset in outputs.items() if has_versioned_partitions(dataset)]
    plain = [name for name in outputs if name not in of_partitions]
    notes = {
        "not versioned, so overwritten even if the run fails": plain,
        "partitions versioned only by Kedro, so kept even if the run fails": of_partitions,
        "not recorded, so the ledger can't show what the run read": inputs,
    }
    return [f"{note}: {', '.join(found)}" for note, found in notes.items() if found]


def _require_one_name(nodes: list[Node], names: CatalogNames, versioned: set[str]) -> None:
    """Require one name for each file that the run writes, as Kedro orders nodes by dataset name."""
    used: dict[str, set[str]] = {}
    for name in sorted({name for node in nodes for name in (*node.inputs, *node.outputs)}):
        if names(name) in versioned:
            used.setdefault(names(name), set()).add(base_name(name))
    written = {names(name) for node in nodes for name in node.outputs}
    for name in sorted(written & used.keys()):
        if len(used[name]) > 1:
            one, other = sorted(used[name])[:2]
            raise LedgerError(
                f"{one} and {other} are the same file, which this run writes; expected one name in the "
                f"nodes, or {one}@{other}, so that Kedro can order the nodes"
            )


def _require_one_save(nodes: list[Node], names: CatalogNames, versioned: set[str]) -> None:
    """Require that no generator makes a versioned output: Kedro saves each part, and fails at the second."""
    for node in nodes:
        made = [name for name in node.outputs if names(name) in versioned]
        if made and inspect.isgeneratorfunction(node.func):
            raise LedgerError(
                f"node {node.name} is a generator, but its output {made[0]} is versioned, and Kedro can save "
                "a version only once; expected a function that returns the whole output, or a dataset "
                "without `versioned: true`"
            )


def _require_disjoint(
    ledger: Ledger, raw: Mapping[str, str | None], written: Mapping[str, str | None]
) -> None:
    """Require that the run doesn't write to its raw data: otherwise the commit would fail."""
    for name, path in raw.items():
        for other, location in written.items():
            if path and location:
                one, two = (
                    PurePath(ledger.relative_path(ledger.project / found)) for found in (path, location)
                )
                if one.is_relative_to(two) or two.is_relative_to(one):
                    raise LedgerError(
                        f"{name} is read from {one}, and the run writes {other} to {two}; "
                        "expected one name for each file, and no file in the folder of another dataset"
                    )


def digest_raw(
    raw: Mapping[str, RawInput], nodes: Iterable[Node], names: CatalogNames, run_id: str
) -> dict[str, str]:
    """Return a digest of each raw dataset, unique to the run if it has no hash or a node confirms it."""
    confirmed = {base_name(name) for node in nodes for name in node.confirms}
    return {
        name: names.digest(name, read.sha256) if read.sha256 and name not in confirmed else unknown(run_id)
        for name, read in raw.items()
    }


def read_raw(
    ledger: Ledger, paths: Mapping[str, str | None], fetched: Mapping[str, str]
) -> dict[str, RawInput]:
    """Hash the raw data as it is now."""
    raw = {}
    for name, path in paths.items():
        try:
            digest, size = files.hash_and_size(Path(fetched.get(name, path))) if path else (None, None)
        except OSError:  # the node that loads it reports the error
            digest, size = None, None
        raw[name] = RawInput(path=path and ledger.relative_path(path), sha256=digest, bytes=size)
    return raw


def _prepare_raw(
    catalog: DataCatalog, names: list[str], settings: Settings, prepared: list[Any]
) -> dict[str, str]:
    """Call `prepare` on the raw datasets that have this method, to fetch or check their files."""
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
                f"{name}: parameter runs.raw_data is pinned, but a {type(dataset).__name__} can't check a "
                "hash; expected a dataset that can, or its name in runs.changing"
            )
    return fetched


def _find_load_versions(
    ledger: Ledger, asked_for: Mapping[str, str], versioned: set[str], names: CatalogNames
) -> dict[str, Artefact]:
    """Find the artefacts that `--load-versions` selects."""
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
            raise LedgerError(
                f"{name}: no committed run wrote version {version}; "
                f"committed versions: {', '.join(known) or 'none'}"
            )
    return {name: committed[name, version] for name, version in wanted.items()}


def _find_inputs(
    ledger: Ledger,
    nodes: list[Node],
    locations: Mapping[str, storage.Location],
    versioned: set[str],
    before: Record | None,
    load_versions: Mapping[str, Artefact],
    names: CatalogNames,
) -> dict[str, Artefact]:
    """Find the artefacts of other runs that the nodes read, and require that they are intact."""
    made = {names(name) for node in nodes for name in node.outputs}
    read = {names(name) for node in nodes for name in node.inputs} & versioned
    needed = sorted((read - made) | (read & load_versions.keys()))
    available = (before.view if before else {}) | dict(load_versions)
    outdated = [name for name in needed if before and name not in available and name in before.outdated]
    missing = [name for name in needed if name not in available and name not in outdated]
    reason = f"not in run {before.run_id}, which readers see" if before else "not made yet"
    faults = [
        f"{shorten(missing)}: {reason}" if missing else "",
        f"{shorten(outdated)}: made from data that has changed since" if outdated else "",
    ]
    if any(faults):
        advice = (
            f"Run `kedro run{ledger.data_folder.option}` to make everything, "
            "or use --load-versions to read versions of earlier runs"
        )
        raise LedgerError(f"{'; '.join(filter(None, faults))}. {advice}")
    for name, location in locations.items():
        artefact = available.get(names(name)) if names(name) in needed else None
        if artefact and not storage.is_stored_at(ledger, artefact, location):
            raise LedgerError(
                f"{name}: {artefact.path} is not where the catalog stores it. "
                f"Run `kedro run{ledger.data_folder.option}` to make everything again"
            )
    for name in needed:
        try:
            ledger.require_intact(name, available[name])
        except LedgerError as error:
            advice = f"Run `kedro run{ledger.data_folder.option} --only-missing-outputs` to make it again"
            raise LedgerError(f"{error.message}. {advice}") from error
    return {name: available[name] for name in needed}
