"""The lineage of artefacts: hashes of everything that each was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kedro.io.core import is_parameter
from kedro.pipeline.node import Node

from kedro_ledger.record import Artefact

TO_BE_MADE = "to be made"
"""Placeholder for the hash of a dataset that the run will make."""
UNKNOWN = "unknown in run "
"""Placeholder, followed by a run's id, for the hash of an unrecorded input: it equals no other hash."""


def unknown(run_id: str) -> str:
    """Return the placeholder for the hash of an unrecorded input of a run."""
    return f"{UNKNOWN}{run_id}"


def is_known(digest: str) -> bool:
    """Return whether a digest is a hash, not a placeholder for an unrecorded input."""
    return not digest.startswith(UNKNOWN)


def base_name(dataset: str) -> str:
    """Remove the transcoding suffix of a name, as in `cars@pandas` and `cars@spark`."""
    return dataset.partition("@")[0]


def hash_value(value: Any) -> str:
    """Return the sha256 of a value of the configuration; the order of keys doesn't matter."""
    text = json.dumps(make_plain(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def make_plain(value: Any) -> Any:
    """Copy a value of the configuration, converting keys, and objects that JSON can't represent, to text."""
    if isinstance(value, Mapping):
        return {str(key): make_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def parameter_at(name: str, parameters: Mapping[str, Any]) -> Any:
    """Return the value that a node receives for `parameters` or `params:...`, or None if it does not exist.

    `parameters` leaves out the block `runs`, the ledger's own, which affects no artefact.
    """
    if name == "parameters":
        return {key: value for key, value in parameters.items() if key != "runs"}
    name = name.removeprefix("params:")
    if name in parameters:
        return parameters[name]
    blocks = [key for key, value in parameters.items() if isinstance(value, Mapping)]
    inside = next((key for key in blocks if name.startswith(f"{key}.")), None)
    return parameter_at(name.removeprefix(f"{inside}."), parameters[inside]) if inside else None


def list_sources(
    node: Node,
    hashes: Mapping[str, str],
    made_from: Mapping[str, dict[str, str]],
    parameters: Mapping[str, Any],
    code: str,
    canonical: Callable[[str], str],
) -> dict[str, str]:
    """Return the hashes of the datasets, parameters and code that a node makes its outputs from.

    Args:
        node: The node.
        hashes: The hashes of the stored datasets. An input that is not among them is replaced by its own
            sources.
        made_from: The sources of the outputs of earlier nodes.
        parameters: All parameters.
        code: The hash of the code.
        canonical: Returns the name of the dataset for a name in the catalog.
    """
    sources = {"code": code}
    for name in map(canonical, node.inputs):
        if name == "parameters" or name.startswith("params:"):
            sources[name] = hash_value(parameter_at(name, parameters))
        elif name in hashes:
            sources[name] = hashes[name]
        else:
            sources |= made_from.get(name, {})
    return sources


def trace(
    nodes: Iterable[Node],
    hashes: Mapping[str, str],
    parameters: Mapping[str, Any],
    code: str,
    canonical: Callable[[str], str] = base_name,
) -> dict[str, dict[str, str]]:
    """Return the sources of every output of these nodes, as in `list_sources`."""
    made_from: dict[str, dict[str, str]] = {}
    for node in nodes:
        sources = list_sources(node, hashes, made_from, parameters, code, canonical)
        made_from |= dict.fromkeys(map(canonical, node.outputs), sources)
    return made_from


def find_outdated_nodes(
    nodes: Sequence[Node],
    view: Mapping[str, Artefact],
    raw: Mapping[str, str],
    parameters: Mapping[str, Any],
    code: str,
    is_kept: Callable[[str], bool],
    canonical: Callable[[str], str] = base_name,
) -> list[Node]:
    """Find the nodes that must run, because their outputs are missing or out of date.

    Args:
        nodes: The nodes in execution order.
        view: The existing artefacts.
        raw: The hashes of the raw data.
        parameters: All parameters.
        code: The hash of the code.
        is_kept: Returns whether a dataset outlives the run.
        canonical: Returns the name of the dataset for a name in the catalog.

    Returns:
        The nodes with an output that is missing or was made from other sources than now, and the nodes that
        make their inputs if these are not kept; in execution order.
    """
    hashes = {name: artefact.digest for name, artefact in view.items()} | dict(raw)
    made_from: dict[str, dict[str, str]] = {}
    outdated: set[Node] = set()
    for node in nodes:
        sources = list_sources(node, hashes, made_from, parameters, code, canonical)
        made_from |= dict.fromkeys(map(canonical, node.outputs), sources)
        kept = [name for name in map(canonical, node.outputs) if is_kept(name)]
        if any(name not in view or view[name].made_from != sources for name in kept) or not node.outputs:
            outdated.add(node)
            hashes |= dict.fromkeys(kept, TO_BE_MADE)
    for node in reversed(nodes):
        needed = {canonical(name) for other in outdated for name in other.inputs}
        if any(name in needed and not is_kept(name) for name in map(canonical, node.outputs)):
            outdated.add(node)
    return [node for node in nodes if node in outdated]


def find_unmatched(
    inherited: Mapping[str, Artefact], relatives: Iterable[Artefact], current: Mapping[str, Artefact]
) -> list[str]:
    """Find the artefacts of earlier runs that don't match the inputs and outputs of a run.

    Args:
        inherited: Artefacts of earlier runs.
        relatives: The inputs and outputs of the run, and their known ancestors.
        current: The inputs and outputs of the run.

    Returns:
        The names of the artefacts that are, or were made from, other contents of a dataset than the run's,
        and of those made from one of them. Unknown contents count as equal.
    """
    hashes = {
        source: digest
        for artefact in relatives
        for source, digest in artefact.made_from.items()
        if is_known(digest) and source != "code" and not is_parameter(source)
    }
    hashes |= {name: artefact.digest for name, artefact in current.items()}
    unmatched = {
        name for name, artefact in inherited.items() if hashes.get(name, artefact.digest) != artefact.digest
    }
    while found := {
        name
        for name, artefact in inherited.items()
        if name not in unmatched
        and any(
            source in unmatched or (is_known(digest) and hashes.get(source, digest) != digest)
            for source, digest in artefact.made_from.items()
        )
    }:
        unmatched |= found
    return sorted(unmatched)


def find_mixed(
    read: Iterable[str],
    made_from: Mapping[str, Mapping[str, str]],
    find_digest: Callable[[str], str | None],
    parameters: Mapping[str, Any],
) -> dict[str, dict[str, str]]:
    """Find the inputs of a run that were made from other sources than the current ones.

    Args:
        read: The inputs that another run made.
        made_from: The sources of these inputs and of their ancestors.
        find_digest: Returns the current digest of a dataset or of the `code`, or None if it is unknown.
        parameters: The run's parameters.

    Returns:
        For each source that differs (`code`, `parameters`, `params:...` or a dataset), the datasets that were
        made from other contents of it, each with the input of the run that was made from that dataset.
        Unknown contents count as equal.
    """
    mixed: dict[str, dict[str, str]] = {}
    roots = {name: name for name in sorted(read)}
    queue = [*roots]
    while queue:
        name = queue.pop(0)
        for source, digest in made_from.get(name, {}).items():
            is_param = is_parameter(source)
            now = hash_value(parameter_at(source, parameters)) if is_param else find_digest(source)
            if now is not None and now != digest and is_known(now) and is_known(digest):
                mixed.setdefault(source, {})[name] = roots[name]
            if source in made_from and source not in roots:
                roots[source] = roots[name]
                queue.append(source)
    return mixed
