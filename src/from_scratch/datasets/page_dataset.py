"""A page of HTML."""

from __future__ import annotations

import re

from kedro_datasets._typing import HTMLPreview
from kedro_datasets.text import TextDataset


class PageDataset(TextDataset):  # type: ignore[misc]  # kedro-datasets is not typed
    """Loads and saves a page, and shows it in Kedro-Viz without its scripts and styles.

    ```yaml
    report:
      type: from_scratch.datasets.PageDataset
      filepath: data/08_reporting/report.html
      versioned: true
    ```
    """

    def preview(self) -> HTMLPreview:
        """Show the page's words and tables in Kedro-Viz, which draws its plots by themselves.

        Returns:
            What stands in its `main`, or, without one, in the whole page.
        """
        page: str = self.load()
        main = re.search(r"<main\b.*</main>", page, re.DOTALL)
        return HTMLPreview(
            re.sub(r"<(script|style)\b.*?</\1>", "", main[0] if main else page, flags=re.DOTALL)
        )
