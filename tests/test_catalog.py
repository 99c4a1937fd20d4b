from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from from_scratch.datasets import RawCSVDataset
from tests.conftest import ROOT, SHA256, kaggles

TEXTS = ("CSVDataset", "JSONDataset", "PlotDataset")
CATALOG: dict[str, Any] = yaml.safe_load((ROOT / "conf" / "base" / "catalog.yml").read_text())


@pytest.mark.parametrize("name", ["passengers", "test_passengers"])
def test_original_files_are_known_by_their_pinned_sums(name: str) -> None:
    entry = CATALOG[name]
    file = Path(entry["filepath"]).name
    assert entry["sha256"] == SHA256[file]
    assert entry["url"].endswith(f"/kaggle-titanic/a7bbe5952178c669bf0c0d590b72036c0174c19f/data/{file}")
    for original, source in ((entry["original"], "original"), (False, "own")):
        dataset = RawCSVDataset(filepath=str(kaggles(file)), sha256=entry["sha256"], original=original)
        assert dataset.load().attrs["source"] == source


def test_all_that_a_run_writes_is_versioned_and_in_a_layer() -> None:
    written = CATALOG.keys() - {"passengers", "test_passengers"}
    for name in sorted(name for name in written if not name.startswith("_")):
        entry = CATALOG[name]
        assert entry["versioned"] is True, name
        assert entry["filepath"].split("/")[1][:2] in {"02", "03", "04", "05", "06", "07", "08"}, name


def test_all_text_that_a_run_writes_is_utf_8() -> None:
    texts = [entry for entry in CATALOG.values() if entry.get("type", "").split(".")[-1] in TEXTS]
    assert len(texts) > 15
    for entry in texts:
        assert entry["fs_args"]["open_args_save"] == {"encoding": "utf-8", "newline": "\n"}
