"""The losses of a variant."""

from __future__ import annotations

from kedro_datasets.pandas import CSVDataset

from from_scratch.datasets.previews import preview_losses
from from_scratch.kedro_internals import PlotlyPreview


class LossesDataset(CSVDataset):  # type: ignore[misc]  # kedro-datasets is not typed
    """Losses as CSV, a row for each epoch, shown in Kedro-Viz as a plot.

    ```yaml
    losses:
      type: from_scratch.datasets.LossesDataset
      filepath: data/07_model_output/losses.csv
      versioned: true
    ```
    """

    def preview(self) -> PlotlyPreview:
        """Draw the loss of each epoch."""
        return preview_losses(self.load())
