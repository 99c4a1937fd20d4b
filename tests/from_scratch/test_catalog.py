from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog
from plotly.graph_objects import Figure

from from_scratch.article import read_figures
from from_scratch.datasets import RawCSVDataset
from tests.support.project import RAW, ROOT, SHA256

TEXTS = ("CSVDataset", "JSONDataset")
CATALOG: dict[str, Any] = yaml.safe_load((ROOT / "conf" / "base" / "catalog.yml").read_text())


@pytest.mark.parametrize("name", SHA256)
def test_kaggles_files_have_the_articles_rows_and_missing_values(name: str) -> None:
    assert hashlib.sha256((RAW / name).read_bytes()).hexdigest() == SHA256[name]
    table = pd.read_csv(RAW / name)
    train = read_figures()["missing_values"].figures
    if name == "train.csv":
        assert len(table) == 891
        assert table.isna().sum().to_dict() == train
    else:
        assert len(table) == 418
        assert table.columns.tolist() == [column for column in train if column != "Survived"]
        assert table.isna().sum()[lambda counts: counts > 0].to_dict() == {"Age": 86, "Fare": 1, "Cabin": 327}
    card = (RAW / "README.md").read_text()
    assert f"| `{name}` | {len(table)} | {table.shape[1]}" in card
    assert f"| `{SHA256[name]}` |" in card


def test_git_tracks_only_these_files_and_keeps_their_bytes(tmp_path: Path) -> None:
    for name in (".gitignore", ".gitattributes"):
        shutil.copy(ROOT / name, tmp_path)
    raw = shutil.copytree(RAW, tmp_path / "data" / "01_raw")
    (raw / "mine.csv").write_text("Name\nsomebody\n")
    (raw / "earlier").mkdir(exist_ok=True)
    (raw / "earlier" / "train_0123456789ab.csv").write_text("Name\nsomebody\n")

    def git(*arguments: str) -> str:
        setting = ("-c", "core.autocrlf=true", "-c", "core.safecrlf=false")
        ran = subprocess.run(["git", *setting, *arguments], cwd=tmp_path, capture_output=True, check=True)
        return ran.stdout.decode()

    git("init", "--quiet")
    git("add", "--all")
    assert git("ls-files", "data").split() == [
        f"data/01_raw/{name}" for name in ("README.md", "test.csv", "train.csv")
    ]
    shutil.rmtree(raw)
    git("checkout", "--quiet", "--", "data")
    for name, sha256 in SHA256.items():
        assert hashlib.sha256((raw / name).read_bytes()).hexdigest() == sha256
    assert b"\r\n" in (raw / "README.md").read_bytes(), "at the version of this git"


@pytest.mark.parametrize("name", ["raw_data", "new_data"])
def test_original_files_are_recognised_by_their_pinned_hashes(name: str) -> None:
    entry = CATALOG[name]
    file = Path(entry["filepath"]).name
    assert entry["sha256"] == SHA256[file]
    for original, source in ((entry["original"], "original"), (False, "own")):
        dataset = RawCSVDataset(filepath=str(RAW / file), sha256=entry["sha256"], original=original)
        assert dataset.load().attrs["source"] == source


def test_every_dataset_that_a_run_writes_is_versioned_and_in_a_layer() -> None:
    written = CATALOG.keys() - {"raw_data", "new_data"}
    for name in sorted(name for name in written if not name.startswith("_")):
        entry = CATALOG[name]
        assert entry["versioned"] is True, name
        assert entry["filepath"].split("/")[1][:2] in {"02", "03", "04", "05", "06", "07", "08"}, name


def test_all_text_that_a_run_writes_is_utf_8() -> None:
    texts = [entry for entry in CATALOG.values() if entry.get("type", "").split(".")[-1] in TEXTS]
    assert len(texts) > 15
    for entry in texts:
        assert entry["fs_args"]["open_args_save"] == {"encoding": "utf-8", "newline": "\n"}


def test_a_plot_is_the_same_file_anywhere_and_shown_in_kedro_viz(tmp_path: Path) -> None:
    entry = CATALOG["loss_plot"] | {"filepath": str(tmp_path / "plot.json"), "versioned": False}
    dataset: Any = DataCatalog.from_config({"plot": entry})["plot"]
    figure = Figure({"data": [{"type": "bar", "x": [1], "name": "é <b>"}]}).update_layout(template=None)
    dataset.save(figure)
    text = (tmp_path / "plot.json").read_bytes()
    assert text.isascii()
    assert b"\r" not in text
    assert text.startswith(b'{\n  "data": [\n'), "with or without orjson"
    assert dataset.preview() == figure.to_dict()
    assert dataset.load().update_layout(template=None) == figure
