from __future__ import annotations

from typing import Any

import pytest
import yaml

from from_scratch.datasets import PassengersDataset
from tests.conftest import ROOT

CATALOG: dict[str, Any] = yaml.safe_load((ROOT / "conf" / "base" / "catalog.yml").read_text())


@pytest.mark.parametrize(("name", "rows"), [("passengers", 891), ("test_passengers", 418)])
def test_pinned_sums_are_those_of_the_original_files(name: str, rows: int) -> None:
    entry = CATALOG[name]
    file = ROOT / entry["filepath"]
    if not file.exists():
        pytest.skip(f"Kaggle's {file.name} is not in data/01_raw: README.md says how to get it")
    dataset = PassengersDataset(
        filepath=str(file), url=entry["url"], sha256=entry["sha256"], sample=entry["sample"]
    )
    passengers = dataset.load()
    assert passengers.attrs["source"] == "original"
    assert len(passengers) == rows


def test_all_that_a_run_writes_is_versioned_and_in_a_layer() -> None:
    written = CATALOG.keys() - {"passengers", "test_passengers"}
    for name in sorted(name for name in written if not name.startswith("_")):
        entry = CATALOG[name]
        assert entry["versioned"] is True, name
        assert entry["filepath"].split("/")[1][:2] in {"02", "03", "04", "05", "06", "07", "08"}, name
