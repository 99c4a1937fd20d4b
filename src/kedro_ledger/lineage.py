"""What was made from what: hashes of everything that went into an artefact."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kedro.io.core import is_parameter
from kedro.pipeline.node import Node

from kedro_ledger.record import Artefact

TO_BE_MADE = "to be made"
"""Stands for the hash of what will be made anew."""
UNKNOWN = "unknown in run "
"""Stands, with a run's id, for the hash of what the run read without a record of it: it equals no other."""


def unknown(run_id: str) -> str:
    """Return what stands for the hash of what is not known of a run."""
    return f"{UNKNOWN}{run_id}"


def is_known(digest: str) -> bool:
    """Return whether a digest is of a content."""
    return not digest.startswith(UNKNOWN)


def base_name(dataset: str) -> str:
    """Drop what tells apart entries of one file, as in `cars@pandas` and `cars@spark`."""
    return dataset.partition("@")[0]


def hash_value(value: Any) -> str:
    """Return the sha256 of a value of the configuration, whatever the order of its keys."""
    text = json.dumps(make_plain(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def make_plain(value: Any) -> Any:
    """Copy a value of the configuration, with keys and objects that JSON doesn't know as text."""
    if isinstance(value, Mapping):
        return {str(key): make_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def parameter_at(name: str, parameters: Mapping[str, Any]) -> Any:
    """Find what a node gets for `parameters` or `params:...`, as the configuration has it; else none.

    All parameters are all but those of the ledger, which decide no artefact.
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
    """List the hashes of what a node makes its outputs from: datasets, parameters and the code.

    Args:
        node: The node.
        hashes: Those of the datasets that are kept; what isn't among them passes on what it was made from.
        made_from: What the outputs of earlier nodes were made from.
        parameters: All parameters.
        code: The hash of the code.
        canonical: Returns for a name in the catalog that of the dataset.
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
    """List for every output of these nodes what it is made from, as `list_sources` does."""
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
    """Find the nodes that would write something else than what there is.

    Args:
        nodes: In the order in which they would run.
        view: What there is.
        raw: The hashes of what no run has made.
        parameters: All parameters.
        code: The hash of the code.
        is_kept: Whether a dataset is kept beyond the run.
        canonical: Returns for a name in the catalog that of the dataset.

    Returns:
        Those that have an output which isn't there, or was made from something else than they would make it
        from now; and those that they need for it because what these make isn't kept. In order.
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
    carried: Mapping[str, Artefact], lines: Iterable[Artefact], now: Mapping[str, Artefact]
) -> list[str]:
    """Find what doesn't match what a run read and wrote.

    Args:
        carried: Artefacts of earlier runs.
        lines: What the run read and wrote, and what that was made from as far as it is known.
        now: What the run read and wrote.

    Returns:
        The names of those that are, or were made from, another content of a dataset than the run's; and of
        those made from one of them. What is not known is taken for the same.
    """
    hashes = {
        source: digest
        for artefact in lines
        for source, digest in artefact.made_from.items()
        if is_known(digest) and source != "code" and not is_parameter(source)
    }
    hashes |= {name: artefact.digest for name, artefact in now.items()}
    unmatched = {
        name for name, artefact in carried.items() if hashes.get(name, artefact.digest) != artefact.digest
    }
    while found := {
        name
        for name, artefact in carried.items()
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
    """Find what a run reads that was made from something else than there is now.

    Args:
        read: What the run reads that another run has made.
        made_from: What these, and what they were made from, were made from.
        find_digest: Returns what there is now of a dataset or of the `code`; none if it is not known.
        parameters: The run's parameters.

    Returns:
        By what differs (`code`, `parameters`, `params:...` or a dataset): the names of what was made from
        another, and which of what the run reads was made from that. What is not known is taken for the same.
    """
    mixed: dict[str, dict[str, str]] = {}
    roots = {name: name for name in sorted(read)}
    left = [*roots]
    while left:
        name = left.pop(0)
        for source, digest in made_from.get(name, {}).items():
            is_own = is_parameter(source)
            now = hash_value(parameter_at(source, parameters)) if is_own else find_digest(source)
            if now is not None and now != digest and is_known(now) and is_known(digest):
                mixed.setdefault(source, {})[name] = roots[name]
            if source in made_from and source not in roots:
                roots[source] = roots[name]
                left.append(source)
    return mixed
