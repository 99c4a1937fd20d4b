import json
import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.project import RAW, Project

pytestmark = pytest.mark.slow

PREVIEWS = {
    ".csv": "TablePreview",
    ".parquet": "TablePreview",
    "losses.csv": "PlotlyPreview",
    ".safetensors": "HTMLPreview",
    ".json": "JSONPreview",
    "_plot.json": "PlotlyPreview",
    ".html": "HTMLPreview",
}


def shown(built_site: Path) -> dict[str, dict[str, Any]]:
    """Return the details that the built site shows of each node of the default pipeline, by name."""
    nodes = json.loads((built_site / "api" / "main").read_bytes())["nodes"]
    return {
        node["name"]: json.loads((built_site / "api" / "nodes" / node["id"]).read_bytes()) for node in nodes
    }


def persisted(built_site: Path) -> dict[str, dict[str, Any]]:
    """Return the datasets among them that are in a file."""
    return {
        name: node for name, node in shown(built_site).items() if node.get("filepath") and "code" not in node
    }


def test_every_persisted_dataset_shows_something(built_site: Path, article_run: Project) -> None:
    datasets = persisted(built_site)
    files = {Path(file) for file in article_run.artefacts()}
    assert {Path(dataset["filepath"]) for dataset in datasets.values()} == files | {
        Path("data/01_raw/train.csv")
    }
    for name, dataset in datasets.items():
        kind = max((end for end in PREVIEWS if dataset["filepath"].endswith(end)), key=len)
        if name == "category_counts":
            assert not dataset["preview"], "a category of one row could identify a person"
            continue
        assert dataset["preview_type"] == PREVIEWS[kind], name
        preview = dataset["preview"]
        assert preview, name
        if isinstance(preview, dict):
            assert preview["data"], name


def test_every_step_shows_its_code_and_docstring(built_site: Path) -> None:
    steps = {name: node["code"] for name, node in shown(built_site).items() if "code" in node}
    assert {"split", "fit", "compare", "write_report"} <= set(steps)
    bundles = {name for name in steps if name.startswith("gather_")}
    assert bundles == {"gather_data", "gather_results"}  # dataclasses, whose code Kedro-Viz does not show
    for name, code in steps.items():
        if name in bundles:
            continue
        assert code.startswith("def "), name
        assert '"""' in code, name


def test_no_value_of_private_passengers_is_published(project: Project) -> None:
    passengers = pd.read_csv(RAW / "train.csv")
    rows = range(len(passengers))
    passengers["PassengerId"] = [7_700_000 + row for row in rows]
    passengers["Name"] = [f"Zwqx, Mr. {row}" for row in rows]
    passengers["Ticket"] = [f"Tqzw{row}" for row in rows]
    passengers["Cabin"] = [f"Cqzw{row}" for row in rows]
    own = project.folder / "data" / "01_raw" / "train.csv"
    passengers.to_csv(own, index=False)
    project.run()
    passengers["Sex"] = passengers["Sex"].where(passengers.index != 5, "Sqzw")
    passengers.to_csv(own, index=False)
    failed = project.kedro("run")
    assert failed.returncode == 1
    assert "Sqzw" in failed.stderr

    assert project.kedro("viz", "build", "--include-previews").returncode == 0
    built = project.folder / "build"
    assert json.loads((built / "api" / "run-status").read_bytes())["pipeline"]["status"] == "failed"
    columns = persisted(built)["imputed_data"]["preview"]
    assert columns["columns"] == ["column", "type", "values", "missing", "distinct"]
    for file in files_of(built):
        assert not re.search(rb"Zwqx|Tqzw|Cqzw|Sqzw|\b7700\d\d\d\b", file.read_bytes()), file


def test_no_file_of_the_site_names_this_machine(built_site: Path) -> None:
    here = [str(built_site.parent), sys.prefix, str(Path(__file__).parents[3])]
    for file in files_of(built_site):
        content = file.read_bytes()
        for folder in here:
            assert folder.encode() not in content, file


def files_of(built: Path) -> list[Path]:
    """Return all files of a built site."""
    return [file for file in built.rglob("*") if file.is_file()]
