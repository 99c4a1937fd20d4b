import json
from pathlib import Path
from typing import Any

import pytest

from from_scratch import site
from from_scratch.datasets.titanic_sample import draw_passengers
from tests.conftest import MakeProject, Project

PREVIEWS = {
    ".csv": "TablePreview",
    ".parquet": "TablePreview",
    ".safetensors": "TablePreview",
    ".json": "JSONPreview",
    "_plot.json": "PlotlyPreview",
    ".html": "HTMLPreview",
}


def shown(built_site: Path) -> dict[str, dict[str, Any]]:
    """What the built site shows of everything in the default pipeline, by its name."""
    nodes = json.loads((built_site / "api" / "main").read_bytes())["nodes"]
    return {
        node["name"]: json.loads((built_site / "api" / "nodes" / node["id"]).read_bytes()) for node in nodes
    }


def persisted(built_site: Path) -> dict[str, dict[str, Any]]:
    """The datasets among them that are in a file."""
    return {
        name: node for name, node in shown(built_site).items() if node.get("filepath") and "code" not in node
    }


def test_every_persisted_dataset_shows_something(built_site: Path, sample_run: Project) -> None:
    datasets = persisted(built_site)
    files = {Path(file) for file in sample_run.artefacts()}
    assert {Path(dataset["filepath"]) for dataset in datasets.values()} == files | {
        Path("data/01_raw/train.csv")
    }
    for name, dataset in datasets.items():
        kind = max((end for end in PREVIEWS if dataset["filepath"].endswith(end)), key=len)
        assert dataset["preview_type"] == PREVIEWS[kind], name
        if name != "article_figures":  # none applies to the sample
            assert dataset["preview"].get("data", True) if kind != ".html" else dataset["preview"], name
