"""Ways to run a pipeline beyond Kedro's own: `kedro run --runner kedro_ledger.dask.DaskRunner`."""

from kedro_ledger.dask.runner import DaskRunner

__all__ = ["DaskRunner"]
