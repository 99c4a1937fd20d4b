"""A runner for Dask clusters: `kedro run --runner kedro_ledger.dask.DaskRunner`."""

from kedro_ledger.dask.runner import DaskRunner

__all__ = ["DaskRunner"]
