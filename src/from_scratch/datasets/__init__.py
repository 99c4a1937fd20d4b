"""The datasets that kedro-datasets lacks."""

from from_scratch.datasets.passengers_dataset import PassengersDataset
from from_scratch.datasets.tensors_dataset import TensorsDataset

__all__ = ["PassengersDataset", "TensorsDataset"]
