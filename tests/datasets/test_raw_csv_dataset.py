from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kedro.io.core import DatasetError

from from_scratch.datasets import RawCSVDataset

CSV = b"PassengerId,Age\n1,22\n2,\n"
SHA256 = hashlib.sha256(CSV).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves one file to whoever asks, after a while."""

    content, status, delay, asked = CSV, 200, 0.0, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/train.csv"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "01_raw"


def dataset(folder: Path, url: str, **options: Any) -> RawCSVDataset:
    return RawCSVDataset(
        filepath=str(folder / "train.csv"), url=url, sha256=SHA256, **{"sample": True, **options}
    )


def left_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("content", [CSV, CSV.replace(b"\n", b"\r\n")])
def test_downloads_once_and_keeps_the_file(folder: Path, server: Server, content: bytes) -> None:
    server.content = content
    for _ in range(2):
        passengers = dataset(folder, server.url).load()
        assert passengers["PassengerId"].tolist() == [1, 2]
        assert passengers.attrs == {"source": "original", "file": "train.csv"}
    assert server.asked == 1
    assert (folder / "train.csv").read_bytes() == content
    assert left_in(folder) == ["train.csv"]


def test_takes_the_file_that_is_there(folder: Path, server: Server) -> None:
    folder.mkdir()
    (folder / "train.csv").write_bytes(b"PassengerId,Age\n7,1\n")
    passengers = dataset(folder, server.url).load()
    assert passengers["PassengerId"].tolist() == [7]
    assert passengers.attrs["source"] == "own"
    assert server.asked == 0


def test_a_wrong_sum_is_an_error_and_nothing_is_kept(folder: Path, server: Server) -> None:
    server.content = CSV + b"3,4\n"
    with pytest.raises(DatasetError, match=f"{server.url} has sha256 .* expected {SHA256}; it was not kept"):
        dataset(folder, server.url).load()
    assert left_in(folder) == []


@pytest.mark.parametrize("fault", ["no such file", "too slow", "nobody there"])
def test_without_a_download_goes_on_with_the_sample_and_says_so(
    folder: Path, server: Server, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    server.status, server.delay = (404 if fault == "no such file" else 200), (2 if fault == "too slow" else 0)
    url = "http://127.0.0.1:9/train.csv" if fault == "nobody there" else server.url
    with caplog.at_level(logging.WARNING):
        passengers = dataset(folder, url, timeout=0.2).load()
    assert len(passengers) == 891
    assert passengers.attrs["source"] == "sample"
    assert "SAMPLE" in caplog.text
    assert left_in(folder) == []


def test_without_the_sample_the_error_names_three_ways(folder: Path) -> None:
    with pytest.raises(DatasetError) as error:
        dataset(folder, "http://127.0.0.1:9/train.csv", sample=False).load()
    for words in (
        str(folder / "train.csv"),
        "your own file",
        "kaggle competitions download",
        "http://127.0.0.1:9",
    ):
        assert words in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b'a,b\n"1,2\n', b"a,b\n1,2,3,4\n"])
def test_a_file_that_is_no_csv_is_a_clear_error(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "train.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"train\.csv can't be read as CSV: "):
        dataset(folder, "http://127.0.0.1:9").load()


def test_commas_at_the_ends_of_lines_shift_nothing(folder: Path) -> None:
    folder.mkdir()
    (folder / "train.csv").write_bytes(b"a,b\n1,2,\n3,4,\n")
    assert dataset(folder, "http://127.0.0.1:9").load().to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_raw_data_is_never_written(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"train\.csv is raw data"):
        dataset(folder, "http://127.0.0.1:9").save(object())  # type: ignore[arg-type]
