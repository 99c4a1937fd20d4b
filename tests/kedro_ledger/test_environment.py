"""The recorded environment of a run."""

from __future__ import annotations

from importlib.metadata import distributions

import torch

from kedro_ledger.environment import read_environment


def test_packages_are_those_that_python_finds() -> None:
    expected = {one.name.lower().replace("_", "-").replace(".", "-"): one.version for one in distributions()}
    found = {name.replace(".", "-"): version for name, version in read_environment().packages.items()}
    assert found == expected


def test_the_capability_is_what_pytorch_computes_with() -> None:
    assert read_environment().cpu_capability == torch.backends.cpu.get_cpu_capability()
