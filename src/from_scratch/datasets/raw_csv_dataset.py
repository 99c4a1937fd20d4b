"""Raw data in a CSV file."""

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
    """A CSV file that is read but never written.

    The table's `attrs["source"]` is `original` for the article's data and `own` for yours; `attrs["file"]` is
    the file's name. With the parameter `runs.raw_data: pinned`, the ledger calls `prepare` before a run and
    `finish` after it.

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
        """Describe the file, and where to download it if it may change.

        Args:
            filepath: The local file.
            sha256: The file's hash, computed with line feeds as line ends.
            original: Whether a file with this hash is the article's data, which is public.
            load_args: Arguments for `pandas.read_csv`.
            url: The address to download the file from, before each run whose `runs.changing` lists the
                dataset. It is logged and recorded, so it must not contain a user name or password.
            credentials: `username` and `password` for the download. In the catalog, this is the name of a
                block in `credentials.yml`.
            timeout: Maximum seconds to wait while the server sends nothing.
            max_seconds: Maximum seconds for the whole download.
            max_bytes: Maximum size of the download, decompressed.
            metadata: Ignored by Kedro; read by plugins such as Kedro-Viz.

        Raises:
            DatasetError: If the `url`, its credentials or a limit is wrong.
        """
        self._filepath = Path(filepath)
        self._sha256 = sha256.lower() if sha256 else None
        self._original = original
        self._load_args = {} if load_args is None else load_args
        self._source = Source(url, credentials, timeout, max_seconds, max_bytes) if url else None
        self.metadata = metadata
        self._fetched: Kept | None = None
        """The download that the current run reads instead of the file."""
        if self._source:
            require_source(self._source)

    def load(self) -> pd.DataFrame:
        """Read the rows as they are in the file.

        Raises:
            DatasetError: If the file does not exist, cannot be read as CSV, or names a column twice.
        """
        if self._fetched:
            return self._read(self._fetched.path)
        self._require_existing()
        return self._read(self._filepath)

    def prepare(self, policy: Literal["pinned", "changing"]) -> Path | None:
        """Check, copy or download the file before a run.

        Args:
            policy: `pinned` requires the hash in the catalog. `changing` downloads the file if it has a
                `url`, and copies it otherwise.

        Returns:
            The file that the run reads instead, if a download differs from the local file; else None.

        Raises:
            DatasetError: If the file does not exist, the download fails, or a link leads out of the folder
                that would be written to. The local file stays unchanged.
            BusyError: If another run downloads or copies the same file.
        """
        file = self._filepath
        try:
            if os.path.lexists(file) and not file.is_file():
                raise DatasetError(f"{file} is not a regular file, or is a broken link; expected a CSV file")
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
            keep_copy(file)  # otherwise replacing the file later would lose what this run reads
            return
        from from_scratch.datasets.fetch import fetch  # loads requests, which takes 2 % of a run

        self._fetched = fetch(self._source, file, self._require_rows)

    def finish(self, committed: bool) -> None:
        """Replace the file with the download if the run was committed; otherwise remove the download."""
        fetched, self._fetched = self._fetched, None
        try:
            if fetched:
                finish(fetched, self._filepath, committed)
        finally:
            unlock(self._filepath)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the file in Kedro-Viz.

        Returns:
            The first rows of the article's data; for your own file, only its numbers of rows and columns,
            since it is not checked yet and its first line may be data. If the file does not exist, a note.
        """
        if not self._filepath.exists():
            return preview_table(pd.DataFrame({"file": [f"{self._filepath.name} does not exist"]}))
        rows = self._read(self._filepath)
        if rows.attrs["source"] == "own":
            return preview_table(pd.DataFrame([rows.shape], columns=["rows", "columns"]))
        return preview_rows(rows, nrows)

    def save(self, data: None) -> None:
        """Raise an error: runs never write raw data.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._filepath.name} is raw data, which runs never write")

    def _require_existing(self) -> None:
        file = self._filepath
        if os.path.lexists(file):  # a broken link is reported elsewhere
            return
        if self._original:
            checkout = shlex.join(["git", "checkout", str(file)])
            hint = f"; run `{checkout}` or `kaggle competitions download -c titanic` to get it"
        elif self._source:
            hint = (
                f". To download it from {self._source.url}, list its dataset in runs.changing, and run with "
                "runs.raw_data: pinned, as `kedro run --env scheduled` does"
            )
        else:
            hint = "; expected a CSV file there, or another `filepath` in the catalog"
        raise DatasetError(f"{file} does not exist{hint}")

    def _require_pinned(self) -> None:
        found = hash_text(self._filepath)
        if not self._sha256:
            raise DatasetError(
                f"{self._filepath} has no sha256 in the catalog; expected one, since parameter runs.raw_data "
                f"is pinned. Add sha256: {found}, or list its dataset in runs.changing"
            )
        if found != self._sha256:
            raise DatasetError(
                f"{self._filepath} has sha256 {found}; expected {self._sha256}, since parameter "
                "runs.raw_data is pinned. List its dataset in runs.changing if the file may change"
            )

    def _require_rows(self, file: Path) -> None:
        """Require rows of data in a download, rather than a page with an error message."""
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
            rows.attrs["decimal"] = decimal  # for numbers in text columns, which pandas does not convert
        return rows

    def _exists(self) -> bool:
        return (self._fetched.path if self._fetched else self._filepath).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "url": self._source.url if self._source else None}
