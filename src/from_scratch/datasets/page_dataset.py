"""An HTML page."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from kedro_datasets.text import TextDataset

from from_scratch.datasets.previews import preview_html
from from_scratch.kedro_internals import HTMLPreview


class PageDataset(TextDataset):  # type: ignore[misc]  # kedro-datasets is not typed
    """A page as HTML, shown in Kedro-Viz without its scripts and styles.

    ```yaml
    report:
      type: from_scratch.datasets.PageDataset
      filepath: data/08_reporting/report.html
      versioned: true
    ```
    """

    DEFAULT_FS_ARGS: ClassVar[dict[str, Any]] = {
        "open_args_load": {"mode": "r", "encoding": "utf-8"},
        "open_args_save": {"mode": "w", "encoding": "utf-8", "newline": "\n"},
    }
    """The page declares UTF-8, so it must not depend on the locale."""

    def preview(self) -> HTMLPreview:
        """Show the page's text and tables in Kedro-Viz, which shows the plots as separate datasets.

        Returns:
            The content of the `main` element, or of the whole page if it has none.
        """
        page: str = self.load()
        main = re.search(r"<main\b.*</main>", page, re.DOTALL)
        shown = re.sub(r"<(script|style)\b.*?</\1>", "", main[0] if main else page, flags=re.DOTALL)
        return preview_html(shown)
