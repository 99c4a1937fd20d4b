"""Raw data as CSV."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from from_scratch.datasets.csv_reader import read_csv
from from_scratch.datasets.previews import preview_rows, preview_table
from from_scratch.datasets.raw_files import Kept, finish, hash_text, keep_copy, lock, require_folders, unlock
from from_scratch.datasets.source import Source, require_source
from from_scratch.kedro_internals import TablePreview


class RawCSVDataset(AbstractDataset[None, pd.DataFrame]):
    """Loads a CSV as it is.

    The frame's `attrs["source"]` says whose it is, `original` (the article's) or `own`; `attrs["file"]` is
    its name. The ledger calls `prepare` before a run with the parameter `runs.raw_data: pinned`, and `finish`
    after it.

    ```yaml
    raw_data:
      type: from_scratch.datasets.RawCSVDataset
      filepath: data/01_raw/flowers.csv
      load_args: {sep: ";"}
    ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        sha256: str | None = None,
        original: bool = False,
        load_args: dict[str, Any] | None = None,
        url: str | None = None,
        credentials: dict[str, str] | None = None,
        timeout: float = 5,
        max_seconds: float = 60,
        max_bytes: float = 100_000_000,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Point to a file, and if its content may change, to where it can be fetched.

        Args:
            filepath: The local file.
            sha256: Its hash with line ends written as a line feed alone; those of the file don't matter.
            original: Whether a file of this hash is the article's, which anyone may see.
            load_args: For `pandas.read_csv`.
            url: Where it is fetched before a run if its dataset is among `runs.changing`. It is logged and
                recorded, so it must hold no user name or password.
            credentials: A `username` and a `password` for that. In the catalog, this is the name of a block
                of `credentials.yml`.
            timeout: Seconds to wait for the server whenever it is silent.
            max_seconds: Seconds for the whole download.
            max_bytes: The largest download, decompressed.
            metadata: Ignored by Kedro; read by plugins such as Kedro-Viz.

        Raises:
            DatasetError: If there is a `url`, and it, its credentials or a limit of the download is wrong.
        """
        self._filepath = Path(filepath)
        self._sha256 = sha256.lower() if sha256 else None
        self._original = original
        self._load_args = {} if load_args is None else load_args
        self._source = Source(url, credentials, timeout, max_seconds, max_bytes) if url else None
        self.metadata = metadata
        self._fetched: Kept | None = None
        """What a run reads in the place of the file, until it is committed."""
        if self._source:
            require_source(self._source)

    def load(self) -> pd.DataFrame:
        """Read the rows as they stand in the file.

        Raises:
            DatasetError: If it is not there, can't be read as CSV, or names a column twice.
        """
        if self._fetched:
            return self._read(self._fetched.path)
        self._require_existing()
        return self._read(self._filepath)

    def prepare(self, policy: Literal["pinned", "changing"]) -> Path | None:
        """Check, keep or fetch the file before a run.

        Args:
            policy: Whether the file must have the hash that the catalog says, or may change: then it is
                fetched again if there is a `url`.

        Returns:
            What the run reads in the place of the file, if what was fetched is not the same.

        Raises:
            DatasetError: If there is no such file, no rows can be fetched, or a link leads away from where
                something would be written; then the old file stays.
            BusyError: If another run fetches or keeps the same file.
        """
        file = self._filepath
        try:
            if os.path.lexists(file) and not file.is_file():
                raise DatasetError(f"{file} is not a regular file, or a link to nothing; expected a CSV file")
            if policy == "pinned":
                self._require_existing()
                self._require_pinned()
                return None
            require_folders(file)
            if not self._source:
                self._require_existing()
            elif file.is_symlink():
                raise DatasetError(f"{file} is a link; expected a regular file, since a download replaces it")
            lock(file)
            try:
                self._fetch_or_keep(file)
            except BaseException:
                unlock(file)
                raise
        except (OSError, ValueError) as error:
            raise DatasetError(f"{file}: {error}") from error
        return self._fetched.path if self._fetched else None

    def _fetch_or_keep(self, file: Path) -> None:
        if not self._source:
            keep_copy(file)  # whoever replaces it doesn't
            return
        from from_scratch.datasets.fetch import fetch  # with requests, which takes 2 % of a run

        self._fetched = fetch(self._source, file, self._require_rows)

    def finish(self, committed: bool) -> None:
        """Let what was fetched take the file's place if the run was committed; else remove it."""
        fetched, self._fetched = self._fetched, None
        try:
            if fetched:
                finish(fetched, self._filepath, committed)
        finally:
            unlock(self._filepath)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the file in Kedro-Viz.

        Returns:
            The first rows; of the user's own file, which nothing has checked yet and whose first line may be
            no header, only how many rows and columns it has; a line that says so if there is no file.
        """
        if not self._filepath.exists():
            return preview_table(pd.DataFrame({"file": [f"{self._filepath.name} is not there"]}))
        rows = self._read(self._filepath)
        if rows.attrs["source"] == "own":
            return preview_table(pd.DataFrame([rows.shape], columns=["rows", "columns"]))
        return preview_rows(rows, nrows)

    def save(self, data: None) -> None:
        """Refuse: the raw data is the user's."""
        raise DatasetError(f"{self._filepath.name} is raw data and is never written")

    def _require_existing(self) -> None:
        file = self._filepath
        if os.path.lexists(file):  # a broken link is another fault
            return
        if self._original:
            checkout = shlex.join(["git", "checkout", str(file)])
            expected = f"`{checkout}` brings it back, and `kaggle competitions download -c titanic` has it"
        elif self._source:
            expected = (
                "expected its dataset among runs.changing, and runs.raw_data pinned, as `kedro run --env "
                f"scheduled` has it: then it is downloaded from {self._source.url}"
            )
        else:
            expected = "expected a CSV file, as the catalog says"
        raise DatasetError(f"{file} is not there; {expected}")

    def _require_pinned(self) -> None:
        found = hash_text(self._filepath)
        if not self._sha256:
            raise DatasetError(
                f"{self._filepath}: the catalog gives no sha256, but parameter runs.raw_data is pinned; "
                f"expected one (the file's is {found}), or its dataset among runs.changing"
            )
        if found != self._sha256:
            raise DatasetError(
                f"{self._filepath} has sha256 {found}, expected {self._sha256}, since parameter "
                "runs.raw_data is pinned; if it may change, list its dataset in runs.changing"
            )

    def _require_rows(self, file: Path) -> None:
        """Require data of what was fetched, and no page that says why there is none."""
        rows = read_csv(file, self._load_args)
        if rows.empty or rows.shape[1] < 2:
            raise DatasetError(
                f"{file} has {len(rows)} rows of {rows.shape[1]} columns; expected a header and rows of data"
            )

    def _read(self, file: Path) -> pd.DataFrame:
        rows = read_csv(file, self._load_args)
        is_original = self._original and hash_text(file) == self._sha256
        rows.attrs = {"source": "original" if is_original else "own", "file": self._filepath.name}
        if decimal := self._load_args.get("decimal"):
            rows.attrs["decimal"] = decimal  # for numbers among texts, which pandas leaves as they are
        return rows

    def _exists(self) -> bool:
        return (self._fetched.path if self._fetched else self._filepath).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "url": self._source.url if self._source else None}
