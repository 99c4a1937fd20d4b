"""Ways to run a pipeline beyond Kedro's own: `kedro run --runner from_scratch.runners.DaskRunner`."""

from from_scratch.runners.dask_runner import DaskRunner

__all__ = ["DaskRunner"]
