from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro.io.core import DatasetError

from from_scratch.datasets import RawCSVDataset
from tests.support.file_server import FileServer, serving

CSV = b"PassengerId,Age\n1,22\n2,\n"
SHA256 = hashlib.sha256(CSV).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(CSV) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "01_raw"


def dataset(folder: Path, url: str, **options: Any) -> RawCSVDataset:
    return RawCSVDataset(
        filepath=str(folder / "train.csv"),
        url=url,
        **{"sha256": SHA256, "original": True, **options},
    )


def put(folder: Path, content: bytes = CSV) -> None:
    folder.mkdir()
    (folder / "train.csv").write_bytes(content)


def fetch_again(raw: RawCSVDataset) -> None:
    """Do what a committed run does."""
    raw.prepare("changing")
    raw.finish(committed=True)


def left_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("content", [CSV, CSV.replace(b"\n", b"\r\n")])
def test_the_original_is_known_whatever_its_line_ends(
    folder: Path, server: FileServer, content: bytes
) -> None:
    put(folder, content)
    for policy in (None, "pinned"):
        raw = dataset(folder, server.url)
        if policy:
            raw.prepare("pinned")
        passengers = raw.load()
        assert passengers["PassengerId"].tolist() == [1, 2]
        assert passengers.attrs == {"source": "original", "file": "train.csv"}
    assert server.asked == 0
    assert (folder / "train.csv").read_bytes() == content
    assert left_in(folder) == ["train.csv"]


def test_loading_reads_the_existing_file(folder: Path, server: FileServer) -> None:
    folder.mkdir()
    (folder / "train.csv").write_bytes(b"PassengerId,Age\n7,1\n")
    passengers = dataset(folder, server.url).load()
    assert passengers["PassengerId"].tolist() == [7]
    assert passengers.attrs["source"] == "own"
    assert server.asked == 0


def test_only_a_file_marked_as_the_articles_is_original(folder: Path, server: FileServer) -> None:
    put(folder)
    assert dataset(folder, server.url, original=False).load().attrs["source"] == "own"
    preview = dataset(folder, server.url, original=False).preview()
    assert preview == {"index": [0], "columns": ["rows", "columns"], "data": [[2, 2]]}, "no rows are shown"


@pytest.mark.parametrize("policy", [None, "pinned", "changing"])
@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (
            {"original": True},
            "; run `git checkout '{}'` or `kaggle competitions download -c titanic` to get it",
        ),
        ({}, "; expected a CSV file there, or another `filepath` in the catalog"),
    ],
)
def test_a_missing_file_is_an_error_of_one_line(
    tmp_path: Path, policy: Any, options: dict[str, Any], hint: str
) -> None:
    file = tmp_path / "a folder" / "train.csv"
    raw = RawCSVDataset(filepath=str(file), sha256=SHA256, **options)
    with pytest.raises(DatasetError) as error:
        raw.prepare(policy) if policy else raw.load()
    assert str(error.value) == f"{file} does not exist{hint.format(file)}"
    assert "\n" not in str(error.value)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("policy", [None, "pinned"])
def test_only_what_may_change_is_downloaded(folder: Path, server: FileServer, policy: Any) -> None:
    raw = dataset(folder, server.url, original=False)
    with pytest.raises(DatasetError) as error:
        raw.prepare(policy) if policy else raw.load()
    assert str(error.value) == (
        f"{folder / 'train.csv'} does not exist. To download it from {server.url}, list its dataset in "
        "runs.changing, and run with runs.raw_data: pinned, as `kedro run --env scheduled` does"
    )
    assert (server.asked, left_in(folder)) == (0, [])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b'a,b\n"1,2\n', b"a,b\n1,2,3,4\n"])
def test_a_file_that_is_not_a_csv_is_a_clear_error(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "train.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"train\.csv could not be read as CSV: "):
        dataset(folder, "http://127.0.0.1:9").load()


def test_commas_at_the_ends_of_lines_shift_nothing(folder: Path) -> None:
    folder.mkdir()
    (folder / "train.csv").write_bytes(b"a,b\n1,2,\n3,4,\n")
    assert dataset(folder, "http://127.0.0.1:9").load().to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_raw_data_is_never_written(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"train\.csv is raw data"):
        dataset(folder, "http://127.0.0.1:9").save(object())  # type: ignore[arg-type]


def test_pinned_accepts_only_the_pinned_file(folder: Path, server: FileServer) -> None:
    put(folder)
    assert dataset(folder, server.url).prepare("pinned") is None
    (folder / "train.csv").write_bytes(CSV + b"3,4\n")
    with pytest.raises(
        DatasetError, match=rf"train\.csv has sha256 .*; expected {SHA256}, since parameter runs"
    ):
        dataset(folder, server.url).prepare("pinned")
    assert (folder / "train.csv").read_bytes() == CSV + b"3,4\n", "the user's file stays"
    unpinned = RawCSVDataset(filepath=str(folder / "train.csv"))
    digest = hashlib.sha256(CSV + b"3,4\n").hexdigest()
    with pytest.raises(
        DatasetError, match=rf"has no sha256 in the catalog; expected one, .* Add sha256: {digest}"
    ):
        unpinned.prepare("pinned")


def test_changing_is_fetched_again_and_the_old_file_kept(folder: Path, server: FileServer) -> None:
    for _ in range(2):
        fetch_again(dataset(folder, server.url, sha256=None))
        assert left_in(folder) == ["train.csv"]
    server.content = CSV + b"3,4\n"
    raw = dataset(folder, server.url, sha256=None)
    fetch_again(raw)
    assert raw.load()["PassengerId"].tolist() == [1, 2, 3]
    assert server.asked == 3, "loading downloads nothing"
    assert left_in(folder) == ["earlier", "train.csv"]
    assert (folder / "earlier" / f"train_{SHA256[:12]}.csv").read_bytes() == CSV
    server.content = CSV
    fetch_again(dataset(folder, server.url))
    server.content = CSV + b"3,4\n"
    fetch_again(dataset(folder, server.url))
    assert len(left_in(folder / "earlier")) == 2, "a content that returns is kept only once"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_download_replaces_the_file_only_if_the_run_is_committed(
    folder: Path, server: FileServer, is_there: bool
) -> None:
    if is_there:
        put(folder)
    before = left_in(folder)
    server.content = CSV + b"3,4\n"
    raw = dataset(folder, server.url)
    path = raw.prepare("changing")
    assert path
    assert path.read_bytes() == server.content
    assert raw.load()["PassengerId"].tolist() == [1, 2, 3], "the run reads it"
    assert raw.load().attrs["file"] == "train.csv"
    assert not is_there or (folder / "train.csv").read_bytes() == CSV
    raw.finish(committed=False)
    assert left_in(folder) == before
    assert not is_there or raw.load()["PassengerId"].tolist() == [1, 2]
    raw.prepare("changing")
    raw.finish(committed=True)
    assert (folder / "train.csv").read_bytes() == server.content
    assert left_in(folder) == ["earlier"] * is_there + ["train.csv"]


def test_contents_that_an_earlier_run_read_stay_if_a_run_fails(folder: Path, server: FileServer) -> None:
    for server.content in (CSV, CSV + b"3,4\n"):
        fetch_again(dataset(folder, server.url))
    server.content = CSV
    raw = dataset(folder, server.url)
    raw.prepare("changing")
    raw.finish(committed=False)
    assert (folder / "train.csv").read_bytes() == CSV + b"3,4\n"
    assert [file.read_bytes() for file in (folder / "earlier").iterdir()] == [CSV]


def test_an_altered_copy_is_not_read_instead_of_the_download(folder: Path, server: FileServer) -> None:
    for server.content in (CSV, CSV + b"3,4\n"):
        fetch_again(dataset(folder, server.url))
    (folder / "earlier" / f"train_{SHA256[:12]}.csv").write_bytes(CSV + b"9,9\n")
    server.content = CSV
    fetch_again(dataset(folder, server.url))
    assert (folder / "train.csv").read_bytes() == CSV


@pytest.mark.parametrize(
    "fault",
    [
        "no such file",
        "too slow",
        "nobody there",
        "broken off",
        "no CSV",
        "a page",
        "a header",
        "drip",
        "large",
    ],
)
def test_a_failed_download_is_an_error_and_the_old_file_stays(
    folder: Path, server: FileServer, fault: str
) -> None:
    put(folder)
    url = "http://127.0.0.1:9/train.csv" if fault == "nobody there" else server.url
    contents = {"no CSV": b'a,b\n"1,2\n', "a page": b"<html>\n<body>Sorry", "a header": b"PassengerId,Age\n"}
    server.content = contents.get(fault, CSV + b"3,4\n")
    server.status = 404 if fault == "no such file" else 200
    server.delay = 2 if fault == "too slow" else 0
    server.left_out = 4 if fault == "broken off" else 0
    server.drip = "headers" if fault == "drip" else ""
    max_bytes = 10 if fault == "large" else 1000
    with pytest.raises(DatasetError) as error:
        dataset(folder, url, timeout=0.2, max_seconds=1, max_bytes=max_bytes).prepare("changing")
    reasons = {
        "no CSV": f"{url} could not be read as CSV: ",
        "a page": f"{url} has 1 rows of 1 columns; expected a header and rows of data",
        "a header": f"{url} has 0 rows of 2 columns; expected a header and rows of data",
        "large": f"{url} is larger than 10 bytes, the limit max_bytes in the catalog",
    }
    assert f"train.csv was not downloaded: {reasons.get(fault, 'the request to ')}" in str(error.value)
    assert left_in(folder) == ["train.csv"]
    assert (folder / "train.csv").read_bytes() == CSV


def test_contents_are_kept_before_they_are_replaced_by_hand(folder: Path) -> None:
    folder.mkdir()
    for content in (CSV, CSV, CSV + b"3,4\n"):
        (folder / "train.csv").write_bytes(content)
        raw = RawCSVDataset(filepath=str(folder / "train.csv"))
        raw.prepare("changing")
        raw.finish(committed=True)
    kept = {file.read_bytes() for file in (folder / "earlier").iterdir()}
    assert kept == {CSV, CSV + b"3,4\n"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, with raw data and a good download; other files are beside it."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(CSV)
    project = tmp_path / "project"
    (project / "data" / "01_raw").mkdir(parents=True)
    (project / "data" / "01_raw" / "train.csv").write_bytes(CSV)
    monkeypatch.chdir(project)
    return project


def replace_by_link(path: Path, target: Path) -> None:
    if path.is_file():
        path.unlink()
    elif path.exists():
        for file in path.iterdir():
            shutil.move(file, target)
        path.rmdir()
    path.symlink_to(os.path.relpath(target, path.parent))


@pytest.mark.parametrize("link", ["train.csv", "earlier", ".", "above"])
@pytest.mark.parametrize("is_relative", [False, True])
def test_nothing_is_fetched_through_a_link(
    project: Path, server: FileServer, link: str, is_relative: bool
) -> None:
    folder = project / "data" / "01_raw"
    elsewhere = project.parent / "elsewhere"
    path = folder / "deep" if link == "above" else folder / link
    replace_by_link(path, elsewhere / "file" if link == "train.csv" else elsewhere)
    folder = path / "deeper" if link == "above" else folder
    before = {file.name: file.read_bytes() for file in elsewhere.iterdir()}
    server.content = CSV + b"3,4\n"
    raw = dataset(folder.relative_to(project) if is_relative else folder, server.url)
    with pytest.raises(DatasetError) as error:
        raw.prepare("changing")
    expected = "a regular file, since a download replaces it" if link == "train.csv" else "a folder, since "
    assert f"/{path.name} is a link; expected {expected}" in str(error.value)
    assert {file.name: file.read_bytes() for file in elsewhere.iterdir()} == before
    assert server.asked == 0


def test_data_may_be_a_link_to_another_disk(project: Path, server: FileServer) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as disk:
        (project / "data" / "01_raw" / "train.csv").unlink()
        replace_by_link(project / "data", Path(disk))
        for server.content in (CSV, CSV + b"3,4\n"):
            fetch_again(dataset(Path("data/01_raw"), server.url))
        assert (Path(disk) / "01_raw" / "train.csv").read_bytes() == server.content
        assert left_in(Path(disk) / "01_raw") == ["earlier", "train.csv"]


@pytest.mark.parametrize("policy", ["pinned", "changing"])
def test_a_link_is_read_where_nothing_is_fetched(project: Path, policy: Any) -> None:
    folder, elsewhere = project / "data" / "01_raw", project.parent / "elsewhere"
    replace_by_link(folder / "train.csv", elsewhere / "file")
    raw = RawCSVDataset(filepath=str(folder / "train.csv"), sha256=SHA256)
    raw.prepare(policy)
    raw.finish(committed=True)
    assert len(raw.load()) == 2
    assert left_in(elsewhere) == ["file"]
    assert left_in(folder) == ["earlier"] * (policy == "changing") + ["train.csv"]


def test_nothing_is_kept_through_a_link(project: Path) -> None:
    folder, elsewhere = project / "data" / "01_raw", project.parent / "elsewhere"
    replace_by_link(folder / "earlier", elsewhere)
    with pytest.raises(DatasetError, match="earlier is a link; expected a folder, since runs write there"):
        RawCSVDataset(filepath=str(folder / "train.csv")).prepare("changing")
    assert left_in(elsewhere) == ["file"]


@pytest.mark.parametrize("policy", ["pinned", "changing"])
@pytest.mark.parametrize("thing", ["a broken link", "a pipe", "a folder"])
def test_a_path_that_is_not_a_file_is_reported_and_stays(
    folder: Path, server: FileServer, policy: Any, thing: str
) -> None:
    folder.mkdir()
    file = folder / "train.csv"
    if thing == "a broken link":
        file.symlink_to(folder / "nowhere")
    elif thing == "a pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    before = os.lstat(file)
    with pytest.raises(DatasetError, match=r"train\.csv is not a regular file, or is a broken link"):
        dataset(folder, server.url).prepare(policy)
    assert os.lstat(file) == before
    assert server.asked == 0


def test_an_incomplete_download_of_a_killed_run_is_removed(folder: Path, server: FileServer) -> None:
    server.drip, server.content = "content", CSV * 1000
    code = f"from {__name__} import *; dataset(Path({str(folder)!r}), {server.url!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}.prepare('changing')"], cwd=Path(__file__).parents[3]
    )
    while not list(folder.glob(".download-*/train.csv")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert left_in(folder) != []
    server.drip, server.content = "", CSV
    fetch_again(dataset(folder, server.url))
    assert left_in(folder) == ["train.csv"]


def test_credentials_are_sent_and_shown_nowhere(
    folder: Path, server: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.expected = "Basic YWRhOnNlY3JldA=="
    raw = dataset(folder, server.url, credentials={"username": "ada", "password": "secret"})
    with caplog.at_level(logging.DEBUG):
        fetch_again(raw)
        assert len(raw.load()) == 2
        server.content = b"<html>"
        with pytest.raises(DatasetError) as error:
            raw.prepare("changing")
    assert f"Downloading train.csv from {server.url}" in caplog.text
    assert "secret" not in f"{raw} {raw.__dict__['_source']} {error.value} {caplog.text}"


@pytest.mark.parametrize(
    "user", ["ada:secret", "secret", "ada:se#cret", "ada:se/cret", "ada:se@cret", ":secret"]
)
def test_credentials_in_the_address_are_refused(folder: Path, server: FileServer, user: str) -> None:
    folder.mkdir()
    (folder / "train.csv").write_bytes(CSV)
    with pytest.raises(
        DatasetError, match=r"url contains a user name or a password, .* credentials\.yml"
    ) as error:
        dataset(folder, server.url.replace("://", f"://{user}@"))
    assert "secret" not in str(error.value)


def test_limits_are_set_in_the_catalog(folder: Path, server: FileServer) -> None:
    with pytest.raises(DatasetError, match="max_bytes is '1 GB'; expected a number above 0"):
        dataset(folder, server.url, max_bytes="1 GB")
    with pytest.raises(DatasetError, match=r"is larger than 9 bytes, the limit max_bytes in the catalog"):
        dataset(folder, server.url, max_bytes=9).prepare("changing")
    assert left_in(folder) == []


def test_an_earlier_that_is_not_a_folder_is_reported(folder: Path, server: FileServer) -> None:
    put(folder)
    (folder / "earlier").touch()
    with pytest.raises(
        DatasetError, match=r"earlier is not a folder; expected a folder, since runs write there"
    ):
        dataset(folder, server.url).prepare("changing")
    assert server.asked == 0


def test_errors_of_the_system_are_reported_in_one_line(folder: Path, server: FileServer) -> None:
    put(folder)
    (folder / "earlier" / f"train_{SHA256[:12]}.csv").mkdir(parents=True)
    (folder / "train.csv").write_bytes(CSV + b"3,4\n")
    with pytest.raises(DatasetError, match=r"train\.csv: .*Is a directory"):
        dataset(folder, server.url).prepare("changing")
    assert (folder / "train.csv").read_bytes() == CSV + b"3,4\n"
