"""The previews that Kedro-Viz shows of the datasets."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from kedro.io.core import Version

from from_scratch.datasets import (
    LossesDataset,
    PageDataset,
    RawCSVDataset,
    RowsDataset,
    TensorsDataset,
)

PEOPLE = pd.DataFrame(
    {
        "Name": ["Ada", "Grace", None],
        "Born": [pd.Timestamp("1815-12-10"), pd.NaT, pd.NaT],
        "Age": [36, 85, 85],
    }
)


def described(rows: Any) -> list[dict[str, Any]]:
    return [dict(zip(rows["columns"], row, strict=True)) for row in rows["data"]]


@pytest.fixture
def dataset(tmp_path: Path) -> RowsDataset:
    return RowsDataset(filepath=str(tmp_path / "people.parquet"), version=Version(None, "v1"))


def test_rows_of_the_articles_data_are_shown(dataset: RowsDataset) -> None:
    people = PEOPLE.copy()
    people.attrs = {"source": "original"}
    dataset.save(people)
    shown = described(dataset.preview(nrows=2))
    assert shown == [
        {"Name": "Ada", "Born": "1815-12-10T00:00:00.000", "Age": 36},
        {"Name": "Grace", "Born": None, "Age": 85},
    ]


@pytest.mark.parametrize("attrs", [{}, {"source": "own"}])
def test_only_a_summary_of_the_columns_of_other_data_is_shown(
    dataset: RowsDataset, attrs: dict[Hashable | None, Any]
) -> None:
    people = PEOPLE.copy()
    people.attrs = attrs
    dataset.save(people)
    assert described(dataset.preview()) == [
        {"column": "Name", "type": "str", "values": 2, "missing": 1, "distinct": 2},
        {"column": "Born", "type": "datetime64[us]", "values": 1, "missing": 2, "distinct": 1},
        {"column": "Age", "type": "int64", "values": 3, "missing": 0, "distinct": 2},
    ]


def test_only_the_size_of_your_own_file_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    passengers = RawCSVDataset(filepath=str(file), url="http://127.0.0.1:9/train.csv")
    assert described(passengers.preview()) == [{"file": "train.csv does not exist"}]
    file.write_text("Name,Age\nAda,36\n")
    assert described(passengers.preview()) == [{"rows": 1, "columns": 2}]
    file.write_text("Ada,36\nGrace,85\n")  # no header: a person would be one
    assert "Ada" not in json.dumps(passengers.preview())


def test_tensors_are_described(tmp_path: Path) -> None:
    dataset = TensorsDataset(filepath=str(tmp_path / "t.safetensors"))
    dataset.save({"weights": torch.tensor([[1.0, 2.0, 4.5]]), "c": torch.tensor(7), "none": torch.ones(0)})
    rows = re.findall(r"<tr>(.*?)</tr>", dataset.preview().partition("<tbody>")[2])
    assert [re.findall(r"<td>(.*?)</td>", row) for row in rows] == [
        ["c", "one number", "int64", "7", "7", "7"],
        ["none", "0", "float32", "", "", ""],
        ["weights", "1 × 3", "float32", "1", "2.5", "4.5"],
    ]


def test_tensors_are_drawn_where_the_catalog_asks_for_it(tmp_path: Path) -> None:
    dataset = TensorsDataset(filepath=str(tmp_path / "t.safetensors"))
    dataset.save(
        {
            "a<b": torch.tensor([[0.0, -2.0], [1.0, float("nan")]]),
            "large": torch.ones(40, 3),
            "one": torch.tensor(7.0),
        }
    )
    assert "<svg" not in dataset.preview()
    shown = dataset.preview(heat_maps=True)
    first, large = shown.split("<svg")[1:]
    cells = re.findall(r'x="(\d+)" y="(\d+)".*?fill="(.*?)" fill-opacity="(.*?)"><title>(.*?)<', first)
    assert cells == [
        ("0", "0", "#E69F00", "0.00", "0"),
        ("12", "0", "#0072B2", "1.00", "-2"),
        ("0", "12", "#E69F00", "0.50", "1"),
    ], "there is none for what is no number"
    assert large.count("<rect") == 32 * 3
    assert "a&lt;b" in shown
    assert "large, its first 32 × 3" in shown
    assert "\n" not in shown


def test_losses_are_drawn(tmp_path: Path) -> None:
    dataset = LossesDataset(filepath=str(tmp_path / "losses.csv"))
    dataset.save(pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]}))
    assert (tmp_path / "losses.csv").read_text() == "epoch,loss\n1,0.5\n2,0.25\n"
    (line,) = json.loads(json.dumps(dataset.preview()))["data"]
    assert (line["x"], line["y"]) == ([1, 2], [0.5, 0.25])


def test_pages_are_shown_without_scripts_and_styles(tmp_path: Path) -> None:
    dataset = PageDataset(filepath=str(tmp_path / "page.html"))
    dataset.save(
        "<html><head><style>p {}</style></head><body><main class='x'><p>Words</p><script>\nf()\n</script>"
        "</main><script>g()</script></body></html>"
    )
    assert dataset.preview() == "<main class='x'><p>Words</p></main>"
    dataset.save("<p>No main</p><style>p {}</style>")
    assert dataset.preview() == "<p>No main</p>"


def test_names_in_a_page_are_no_markdown(tmp_path: Path) -> None:
    dataset = PageDataset(filepath=str(tmp_path / "page.html"))
    dataset.save("<main style='x:1'><a href='#a'>[b](http://c) WWW.d f@g `h` ~i~ \\* ä</a></main>")
    shown = dataset.preview()
    assert (
        shown.replace("\u2060", "|")
        == "<main style='x:1'><a href='#a'>[b]|(http:|//c) WWW|.d f|@g ˋhˋ ∼i∼ ∖∗ ä</a></main>"
    )


@pytest.mark.parametrize("kind", [RowsDataset, RawCSVDataset, TensorsDataset, PageDataset, LossesDataset])
def test_kedro_viz_knows_the_kind_of_each_preview(kind: Any) -> None:
    assert kind.preview.__annotations__["return"] in ("TablePreview", "PlotlyPreview", "HTMLPreview")
