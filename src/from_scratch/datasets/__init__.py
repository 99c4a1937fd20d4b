"""The datasets that kedro-datasets lacks, and their previews in Kedro-Viz."""

from from_scratch.datasets.losses_dataset import LossesDataset
from from_scratch.datasets.page_dataset import PageDataset
from from_scratch.datasets.raw_csv_dataset import RawCSVDataset
from from_scratch.datasets.rows_dataset import RowsDataset
from from_scratch.datasets.tensors_dataset import TensorsDataset

__all__ = ["LossesDataset", "PageDataset", "RawCSVDataset", "RowsDataset", "TensorsDataset"]
