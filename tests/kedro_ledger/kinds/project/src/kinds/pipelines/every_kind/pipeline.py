"""Nodes that make and inspect each dataset, tagged with the dataset's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline, node

from kinds.pipelines.every_kind.nodes import (
    MAKERS,
    NOT_LOADED,
    NOT_VERSIONED,
    chunks,
    look,
    parts,
    table,
    things,
)


def make(function: Callable[[], Any], dataset: str, *tags: str) -> Node:
    """Create a node that makes a dataset."""
    name = dataset.partition("@")[0]
    return node(function, None, dataset, name=f"make_{name}", tags=[name, *tags])


def see(dataset: str, *tags: str, confirms: str | None = None) -> Node:
    """Create a node that inspects a dataset."""
    name = dataset.partition("@")[0]
    return node(look, dataset, f"{name}_seen", name=f"see_{name}", tags=[name, *tags], confirms=confirms)


def create_pipeline(**_: Any) -> Pipeline:
    """Create the pipeline; `kedro run --tags versioned` runs the nodes of all kinds with Kedro's versions."""
    nodes = []
    for kind, function in MAKERS.items():
        plain, versioned, raw = f"plain.{kind}", f"versioned.{kind}", f"raw.{kind}"
        nodes.append(make(function, plain, "plain"))
        if kind not in NOT_VERSIONED:
            nodes.append(make(function, versioned, "versioned"))
        if kind not in NOT_LOADED:
            nodes.append(see(raw, "raw"))
            if kind != "api":
                nodes.append(see(plain, "plain"))
            if kind not in NOT_VERSIONED:
                nodes.append(see(versioned, "versioned"))
    nodes += [
        see("raw.pandas_sql_query"),
        see("confirmed.partitions_incremental", confirms="confirmed.partitions_incremental"),
        make(parts, "versioned.partitions_of_versions"),
        see("versioned.partitions_of_versions"),
        make(things, "versioned.cached"),
        see("versioned.cached"),
        make(things, "versioned.of_the_class"),
        see("versioned.of_the_class"),
        make(things, "versioned.by_a_pattern"),
        see("versioned.by_a_pattern"),
        make(table, "versioned.transcoded@pandas"),
        see("versioned.transcoded@polars"),
        make(things, "versioned.two_names"),
        see("versioned.two_names"),
        see("other_name_of.two_names"),
        make(chunks, "versioned.generated"),
        see("versioned.generated"),
        make(chunks, "plain.generated"),
        see("plain.generated"),
        make(things, "plain.in_memory"),
        see("plain.in_memory"),
        see("plain.never_declared"),
        make(things, "plain.never_declared"),
    ]
    return Pipeline(nodes)
