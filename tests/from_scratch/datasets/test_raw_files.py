from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from from_scratch.datasets import RawCSVDataset
from from_scratch.datasets.raw_files import copy_at_once, hash_text, keep_copy, lock, temporary_path, unlock
from kedro_ledger.errors import BusyError
from kedro_ledger.files import hash_and_size

texts = st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"])).map(b"".join)


@given(content=texts)
def test_the_hash_of_a_text_does_not_depend_on_line_ends(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "x"
        file.write_bytes(content)
        assert hash_text(file) == hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def test_hashes_take_little_memory(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1,2,3,4\n" * 2_500_000)
    tracemalloc.start()
    try:
        assert hash_text(tmp_path / "x") == hash_and_size(tmp_path / "x")[0]
        keep_copy(tmp_path / "x")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_contents_are_kept_once_under_their_hash(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"1")
    name = f"x_{hashlib.sha256(b'1').hexdigest()[:12]}.csv"
    first, second = keep_copy(file), keep_copy(file)
    assert first.path == second.path == tmp_path / "earlier" / name
    assert (first.is_new, second.is_new) == (True, False)
    assert first.path.read_bytes() == b"1"


def test_a_copy_is_whole_or_the_target_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        copy_at_once(tmp_path / "nothing", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"old"
    (tmp_path / "new").write_bytes(b"new")
    copy_at_once(tmp_path / "new", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "target"]


def test_incomplete_files_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".download-x-killed").mkdir()
    (tmp_path / ".download-x-killed" / "x").touch()
    with pytest.raises(ZeroDivisionError), temporary_path(tmp_path / "folder" / ".." / "x") as part:  # noqa: PT012
        part.write_bytes(b"half")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["folder", part.parent.name])
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_one_run_at_a_time_keeps_a_file(tmp_path: Path) -> None:
    file, other = tmp_path / "raw.csv", tmp_path / "other.csv"
    for path in (file, other):
        path.write_text("a,b\n1,2\n")
    lock(file)
    with pytest.raises(BusyError, match="another run is downloading or copying"):
        RawCSVDataset(filepath=str(file)).prepare("changing")
    RawCSVDataset(filepath=str(other)).prepare("changing")
    unlock(file)
    raw = RawCSVDataset(filepath=str(file))
    raw.prepare("changing")
    with pytest.raises(BusyError):
        lock(file)
    raw.finish(committed=True)
    unlock(other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["earlier", "other.csv", "raw.csv"]


def test_an_incomplete_file_of_another_run_stays(tmp_path: Path) -> None:
    with temporary_path(tmp_path / "raw.csv") as part:
        with temporary_path(tmp_path / "other.csv"):
            pass
        assert part.parent.exists()
