"""Inputs of a run that were made with other parameters, code or data than the run's own."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kedro.framework import project as kedro_project
from kedro.framework.project import pipelines
from kedro.io.core import is_parameter

from kedro_ledger import lineage
from kedro_ledger.absence import find_command
from kedro_ledger.differences import compare
from kedro_ledger.errors import LedgerError
from kedro_ledger.files import hash_and_size
from kedro_ledger.imports import Imports
from kedro_ledger.ledger import Ledger
from kedro_ledger.lineage import base_name
from kedro_ledger.plan import Plan
from kedro_ledger.printable import shorten
from kedro_ledger.record import Code, RawInput, Record, Unversioned
from kedro_ledger.storage import CatalogNames


def describe_mixed(
    ledger: Ledger,
    plan: Plan,
    before: Record | None,
    known: Mapping[str, RawInput],
    unversioned: Mapping[str, Unversioned],
    names: CatalogNames,
    parameters: Mapping[str, Any],
    code: Code,
    code_hash: str,
) -> tuple[list[str], str]:
    """Describe the inputs of a run that were made with other parameters, code or data than the run's own.

    Args:
        ledger: The project's runs.
        plan: The plan of the run.
        before: The run that readers see.
        known: The raw data that earlier runs read, to compare with the files as they are now.
        unversioned: The unversioned outputs of committed runs.
        names: The names of the catalog's datasets.
        parameters: The run's parameters.
        code: The run's code.
        code_hash: The hash of the code.

    Returns:
        A phrase for each parameter, the code and each dataset that differs; and advice on how to make the
        inputs again.
    """
    digests = {name: artefact.digest for name, artefact in plan.inputs.items()}
    digests |= {name: names.digest(name, found.sha256) for name, found in plan.raw.items() if found.sha256}
    made_from = {name: artefact.made_from for name, artefact in (before.view if before else {}).items()}
    made_from |= {name: artefact.made_from for name, artefact in plan.inputs.items()}
    read = [*plan.inputs]
    for name, found in plan.raw.items():
        recorded = unversioned.get(name)
        # If it is unchanged since a run wrote it, its sources are known.
        if recorded and recorded.sha256 and recorded.sha256 == found.sha256:
            made_from[name] = recorded.made_from
            read.append(name)

    @functools.cache
    def find_digest(source: str) -> str | None:
        """Return the digest that a source has now, or None if it is unknown."""
        if source == "code":
            return code_hash
        if source in digests or source in made_from:
            return digests.get(source)
        raw = known.get(source)
        found = _hash(ledger.project / raw.path) if raw and raw.path else None
        return names.digest(source, found) if found else None

    mixed = lineage.find_mixed(read, made_from, find_digest, parameters)
    phrases, faulty = [], set[str]()
    versions = {name: recorded.version for name, recorded in unversioned.items()}
    versions |= {name: artefact.version for name, artefact in (before.view if before else {}).items()}
    versions |= {name: artefact.version for name, artefact in plan.inputs.items()}
    for source, made in mixed.items():
        if is_parameter(source):
            other = f"another value of {source.removeprefix('params:')}"
        elif source != "code":
            other = f"other data in {source}"
        else:
            found_code = _find_other_code(ledger, code, {name: versions[name] for name in made})
            made = {name: made[name] for name in found_code}
            changed_files = sorted(set[str]().union(*found_code.values()))
            other = "other code" + (f" ({shorten(changed_files)})" if changed_files else "")
        if made:
            phrases.append(f"{shorten(sorted({*made.values()}))}: made with {other}")
            faulty |= {*made.values()}
    # A run that failed may have overwritten an unversioned dataset. A change is fine if the dataset shares no
    # origin with the inputs, such as new rows for a model.
    whole = {name: recorded.made_from for name, recorded in unversioned.items()} | made_from
    of_inputs = set[str]().union(*(_find_origins(name, whole) for name in plan.inputs))
    changed = sorted(
        name
        for name, found in plan.raw.items()
        if (recorded := unversioned.get(name))
        and recorded.sha256
        and found.sha256 not in (None, recorded.sha256)
        and _find_origins(name, whole) & of_inputs
    )
    if changed:
        phrases.append(f"{shorten(changed)}: changed since a committed run wrote it")
    return phrases, _advise(ledger, before, sorted(faulty))


def _advise(ledger: Ledger, before: Record | None, faulty: list[str]) -> str:
    default = pipelines["__default__"].all_outputs() if "__default__" in pipelines else set()
    elsewhere = [name for name in faulty if name not in map(base_name, default)]
    command = find_command(ledger, before, elsewhere[0]) if elsewhere else None
    if command:
        return f"Run `{command}` to make {elsewhere[0]} again"
    return f"Run `kedro run{ledger.data_folder.option}` to make everything again"


def _find_origins(name: str, made_from: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Find all datasets that a dataset was made from, directly or indirectly."""
    origins: set[str] = set()
    queue = [name]
    while queue:
        for source in made_from.get(queue.pop(), {}):
            if source not in origins and source != "code" and not is_parameter(source):
                origins.add(source)
                queue.append(source)
    return origins


def _hash(path: Path) -> str | None:
    with suppress(OSError):
        return hash_and_size(path)[0]
    return None


def _find_other_code(ledger: Ledger, code: Code, versions: Mapping[str, str]) -> dict[str, set[str]]:
    """Find which files have changed since datasets were made.

    Args:
        ledger: The project's runs.
        code: The current code.
        versions: The ids of the runs that made the datasets, by dataset.

    Returns:
        The changed files by dataset; an empty set if they are unknown. Datasets that the changed files can't
        affect are left out.
    """
    prefix = "" if code.source_dir == "." else f"{code.source_dir}/"
    files = [name.removeprefix(prefix) for name in code.files]
    imports = Imports(ledger.project / code.source_dir, files, str(kedro_project.PACKAGE_NAME))
    records = {version: _find_record(ledger, version) for version in {*versions.values()}}
    found: dict[str, set[str]] = {}
    for name, version in versions.items():
        record = records[version]
        if not record or record.code.unknown or record.code.source_dir != code.source_dir:
            found[name] = set()
            continue
        reachable = {f"{prefix}{file}" for file in imports.find_reachable(name)}
        changed = compare(record.code.files, code.files)
        if concerned := {file for file in changed if file in reachable or not file.endswith(".py")}:
            found[name] = concerned
    return found


def _find_record(ledger: Ledger, run_id: str) -> Record | None:
    with suppress(LedgerError):  # the run was pruned
        return ledger.find(run_id)
    return None
