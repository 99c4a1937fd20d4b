"""A plot of plotly, as the JSON that it writes and reads."""

from __future__ import annotations

from kedro_datasets._typing import PlotlyPreview
from kedro_datasets.json import JSONDataset


class PlotDataset(JSONDataset):  # type: ignore[misc]  # kedro-datasets is not typed
    """Loads and saves a plot as a dictionary, and draws it in Kedro-Viz.

    kedro-datasets' `plotly.JSONDataset` reads and writes the same files, but imports all of plotly for it.

    ```yaml
    loss_plot:
      type: from_scratch.datasets.PlotDataset
      filepath: data/08_reporting/loss_plot.json
      versioned: true
    ```
    """

    def preview(self) -> PlotlyPreview:
        """Draw the plot in Kedro-Viz.

        Returns:
            Its `data` and `layout`.
        """
        return PlotlyPreview(self.load())
