"""A Parquet table whose rows may be people."""

from __future__ import annotations

import pandas as pd
import pyarrow
from kedro_datasets.pandas import ParquetDataset

from from_scratch.datasets.previews import preview_rows
from from_scratch.kedro_internals import TablePreview


class RowsDataset(ParquetDataset):  # type: ignore[misc]  # kedro-datasets is not typed
    """A table as Parquet, whose rows Kedro-Viz shows only if they are public.

    The table's `attrs["source"]`, which is saved in the file, is `original` for the article's data. The
    preview then shows the first rows; otherwise it shows only a summary of the columns.

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
        """Show the first rows in Kedro-Viz, or a summary of the columns."""
        return preview_rows(self.load(), nrows)


def _release_memory() -> None:
    """Release the memory that Arrow keeps after reading or writing a table: as much as the table itself."""
    pyarrow.default_memory_pool().release_unused()
