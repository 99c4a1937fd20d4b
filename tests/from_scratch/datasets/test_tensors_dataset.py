from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import torch
from kedro.io.core import DatasetError, Version
from moto.server import ThreadedMotoServer
from torch import Tensor

from from_scratch.datasets import TensorsDataset

VERSION = Version(None, "2026-01-01T00.00.00.000Z")


@pytest.fixture
def tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "matrix": torch.rand(5, 3, generator=generator),
        "transposed": torch.rand(3, 5, generator=generator).T,
        "scalar": torch.tensor(0.25),
        "empty": torch.empty(0, 4),
        "half": torch.rand(4, generator=generator, dtype=torch.float64).half(),
        "whole": torch.arange(4),
    }


@pytest.fixture
def s3() -> Iterator[dict[str, Any]]:
    """The credentials of an S3 server on this machine, with a bucket named `bucket`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", "us-east-1", endpoint_url=endpoint, aws_access_key_id="k", aws_secret_access_key="s"
    )
    client.create_bucket(Bucket="bucket")
    yield {"key": "k", "secret": "s", "client_kwargs": {"endpoint_url": endpoint, "region_name": "us-east-1"}}
    server.stop()


def assert_round_trip(dataset: TensorsDataset, tensors: dict[str, Tensor]) -> None:
    assert not dataset.exists()
    dataset.save(tensors)
    assert dataset.exists()
    loaded = dataset.load()
    assert list(loaded) == sorted(tensors)
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert loaded[name].equal(tensor)


@pytest.mark.parametrize("version", [None, VERSION])
def test_round_trip_on_local_disk(
    tmp_path: Path, tensors: dict[str, Tensor], version: Version | None
) -> None:
    assert_round_trip(
        TensorsDataset(filepath=str(tmp_path / "new" / "t.safetensors"), version=version), tensors
    )


def test_round_trip_in_memory(tensors: dict[str, Tensor]) -> None:
    assert_round_trip(TensorsDataset(filepath="memory:///plain.safetensors"), tensors)
    assert_round_trip(TensorsDataset(filepath="memory:///versioned.safetensors", version=VERSION), tensors)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_round_trip_on_s3(tensors: dict[str, Tensor], s3: dict[str, Any]) -> None:
    for version in (None, VERSION):
        dataset = TensorsDataset(
            filepath=f"s3://bucket/{version}/t.safetensors", version=version, credentials=s3
        )
        assert_round_trip(dataset, tensors)


def test_same_tensors_give_the_same_bytes(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    TensorsDataset(filepath=str(tmp_path / "a")).save(tensors)
    TensorsDataset(filepath=str(tmp_path / "b")).save(dict(reversed(tensors.items())))
    TensorsDataset(filepath=str(tmp_path / "c")).save(
        {name: tensor.clone().requires_grad_(tensor.is_floating_point()) for name, tensor in tensors.items()}
    )
    first, second, third = (file.read_bytes() for file in sorted(tmp_path.iterdir()))
    assert first == second == third


def test_changing_what_was_loaded_does_not_change_the_file(tmp_path: Path) -> None:
    dataset = TensorsDataset(filepath=str(tmp_path / "t"), version=VERSION)
    dataset.save({"a": torch.arange(6.0)})
    dataset.load()["a"].mul_(2)
    assert dataset.load()["a"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_loaded_tensors_survive_a_rewrite_of_the_file(tmp_path: Path) -> None:
    dataset = TensorsDataset(filepath=str(tmp_path / "t"))
    dataset.save({"a": torch.ones(100_000)})
    loaded = dataset.load()
    dataset.save({"a": torch.zeros(1)})
    assert loaded["a"].sum() == 100_000


def test_tensors_that_share_memory_are_stored_apart(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    dataset = TensorsDataset(filepath=str(tmp_path / "t"))
    dataset.save({"whole": whole, "part": whole[2:4]})
    assert dataset.load()["part"].tolist() == [2.0, 3.0]


@pytest.mark.parametrize("data", [[1], {"a": [1.0]}, {1: torch.zeros(1)}, torch.zeros(1)])
def test_refuses_anything_but_tensors_by_name_and_writes_nothing(tmp_path: Path, data: Any) -> None:
    with pytest.raises(DatasetError, match="tensors by name"):
        TensorsDataset(filepath=str(tmp_path / "t")).save(data)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keep", [0, 4, 40, -1])
def test_a_truncated_file_is_a_clear_error(tmp_path: Path, tensors: dict[str, Tensor], keep: int) -> None:
    dataset = TensorsDataset(filepath=str(tmp_path / "t.safetensors"))
    dataset.save(tensors)
    file = tmp_path / "t.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=r"t\.safetensors is not a complete safetensors file"):
        dataset.load()
