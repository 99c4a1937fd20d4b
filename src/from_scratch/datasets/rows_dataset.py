"""A Parquet table whose rows are people."""

from __future__ import annotations

import pandas as pd
import pyarrow
from kedro_datasets.pandas import ParquetDataset

from from_scratch.datasets.previews import preview_rows
from from_scratch.kedro_internals import TablePreview


class RowsDataset(ParquetDataset):  # type: ignore[misc]  # kedro-datasets is not typed
    """Loads and saves a table, and shows its rows in Kedro-Viz only if they are public.

    A table's `attrs["source"]`, kept in the file, says where its rows come from. Of Kaggle's passengers, the
    preview shows the first rows; of others, only what kind of columns there are.

    ```yaml
    features:
      type: from_scratch.datasets.RowsDataset
      filepath: data/04_feature/features.parquet
      versioned: true
      metadata: {kedro-viz: {preview_args: {nrows: 10}}}
    ```
    """

    def load(self) -> pd.DataFrame:
        """Read the rows."""
        rows: pd.DataFrame = super().load()
        _release_memory()
        return rows

    def save(self, data: pd.DataFrame) -> None:
        """Write the rows."""
        super().save(data)
        _release_memory()

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first rows in Kedro-Viz, or the columns' types and counts."""
        return preview_rows(self.load(), nrows)


def _release_memory() -> None:
    """Give back what Arrow keeps of a table that is read or written: as much memory again as the table."""
    pyarrow.default_memory_pool().release_unused()
