"""What is private in Kedro's packages and used here; test_kedro_internals.py fails where it changes.

What Kedro-Viz keeps private and `kedro viz build` and `deploy` are patched with is in cli/site.py.
"""

from kedro_datasets._typing import HTMLPreview, PlotlyPreview, TablePreview

__all__ = ["HTMLPreview", "PlotlyPreview", "TablePreview"]
