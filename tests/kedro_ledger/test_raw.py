"""Raw data that a run fetches: the file does not change before the run is committed, whatever happens."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kedro_ledger.ledger import Ledger
from tests.support.file_server import FileServer, serving
from tests.support.tiny import Tiny, in_process, run_until, server

OLD, NEW = b"n,m\n1,0\n2,0\n", b"n,m\n3,0\n4,0\n"


@pytest.fixture
def files() -> Iterator[FileServer]:
    with serving(OLD) as files:
        yield files


@pytest.fixture
def fetching(tiny: Tiny, files: FileServer) -> Tiny:
    """A project that has fetched its raw data once, and whose data has changed since."""
    raw = {
        "type": "from_scratch.datasets.RawCSVDataset",
        "filepath": "data/01_raw/raw.csv",
        "url": files.url,
    }
    catalog = tiny.folder / "conf/base/catalog.yml"
    entries = [line for line in catalog.read_text().splitlines() if not line.startswith("raw:")]
    catalog.write_text("\n".join([*entries, f"raw: {json.dumps(raw)}\n"]))
    (tiny.folder / "conf/base/parameters.yml").write_text(
        "factor: 2\nruns: {keep: 2, raw_data: pinned, changing: [raw]}\n"
    )
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(registry.read_text().replace("return raw\n", 'return raw["n"].tolist()\n'))
    (tiny.folder / "data/01_raw/raw.json").unlink()
    tiny.run()
    files.content = NEW
    return tiny


def raw_files(folder: Path) -> dict[str, bytes]:
    raw = folder / "data/01_raw"
    return {str(file.relative_to(raw)): file.read_bytes() for file in raw.rglob("*.csv") if file.is_file()}


def test_fetched_data_replaces_the_file_with_the_commit(fetching: Tiny) -> None:
    record = fetching.run()
    assert fetching.read()["numbers"] == [3, 4]
    old = f"earlier/raw_{hashlib.sha256(OLD).hexdigest()[:12]}.csv"
    assert raw_files(fetching.folder) == {"raw.csv": NEW, old: OLD}
    assert record.raw["raw"].path == "data/01_raw/raw.csv"
    assert record.raw["raw"].sha256 == hashlib.sha256(NEW).hexdigest()


@pytest.mark.matrix
@pytest.mark.parametrize("fault", ["the plan", "a node", "the drift"])
def test_fetched_data_is_removed_if_the_run_fails(fetching: Tiny, files: FileServer, fault: str) -> None:
    options: dict[str, Any] = {}
    if fault == "the plan":
        options = {"run_id": fetching.ledger.find("last").run_id}
    elif fault == "a node":
        files.content = b"x,y\n1,2\n"
    else:
        limits = "drift: {allowed: {'data.*': 0}, commit: false}"
        (fetching.folder / "conf/local/parameters.yml").write_text(
            f"runs: {{raw_data: pinned, changing: [raw], {limits}}}\n"
        )
    code, _ = fetching.try_to_run(**options)
    assert code != 0
    assert os.listdir(fetching.folder / "data/01_raw") == ["raw.csv"]
    assert raw_files(fetching.folder) == {"raw.csv": OLD}


@pytest.mark.slow
def test_raw_data_that_cannot_be_replaced_is_a_warning(fetching: Tiny) -> None:
    (fetching.folder / "conf/local/parameters.yml").write_text("factor: 3\n")
    file = fetching.folder / "src/tiny/pipeline_registry.py"
    make_a_folder = "Path('data/01_raw/raw.csv').unlink(); Path('data/01_raw/raw.csv').mkdir(); "
    file.write_text(file.read_text().replace("    return raw[", f"    {make_a_folder}return raw["))
    ran = fetching.kedro("run")
    assert ran.returncode == 0
    assert "raw data: [Errno 21] Is a directory: " in ran.stderr
    assert Ledger(fetching.folder).find("last").raw["raw"].sha256 == hashlib.sha256(NEW).hexdigest()
    assert NEW in raw_files(fetching.folder).values()


def crash(template: Tiny, folder: Path, step: int, action: str) -> int:
    """Crash a copy of the project, and check that the raw data matches the ledger."""
    shutil.copytree(template.folder, folder)
    code = in_process(run_until, folder, step, action, str(folder.with_suffix(".crash")))
    last = Ledger(folder).last()
    assert last
    assert last.seq in (1, 2)
    there = raw_files(folder)
    assert there["raw.csv"] in ((OLD,) if last.seq == 1 else (OLD, NEW)), step
    assert last.raw["raw"].sha256 in {hashlib.sha256(content).hexdigest() for content in there.values()}, step

    tiny = Tiny(folder)
    tiny.run()
    assert raw_files(folder)["raw.csv"] == NEW
    assert tiny.read()["numbers"] == [3, 4]
    assert not list(folder.glob("data/01_raw/**/.download-*"))
    return code


@pytest.mark.slow
@pytest.mark.parametrize("action", ["kill", "fill"])
def test_at_any_step_the_raw_data_matches_a_committed_run(
    fetching: Tiny, tmp_path: Path, action: str
) -> None:
    shutil.copytree(fetching.folder, tmp_path / "count")
    steps = in_process(run_until, tmp_path / "count", 0, "count", "")
    assert steps > 30
    crashes = [
        server().submit(crash, fetching, tmp_path / str(step), step, action) for step in range(1, steps + 1)
    ]
    codes = {crash.result() for crash in crashes}
    assert codes == {-9} if action == "kill" else {0, 1}
