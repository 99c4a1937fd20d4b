"""Raw data as CSV: the file that is there, else a download, else a sample."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Literal

from kedro.io import AbstractDataset
from kedro.io.core import DatasetError
from kedro_datasets._typing import TablePreview

from from_scratch.datasets import fetch
from from_scratch.datasets.csv_reader import read_csv
from from_scratch.datasets.previews import preview_rows, preview_table
from from_scratch.datasets.raw_files import Kept, copy_at_once, discard, hash_text, keep_copy
from from_scratch.node_types import DataFrame

log = logging.getLogger(__name__)

THREE_WAYS = """ There are three ways to get it: put your own file there; \
run `kaggle competitions download -c titanic` and unzip {name} into {folder}; \
or run again with a network, and it is downloaded from {url}."""


class RawCSVDataset(AbstractDataset[None, DataFrame]):
    """Loads a CSV, and fetches it first if it isn't there.

    In this order: the file, taken as it is if the user put it there; if there is a `url`, a download, checked
    by its sha256 and kept as the file; and, with `sample: true`, a sample of invented Titanic passengers. The
    frame's `attrs["source"]` says which: `original` (the article's), `own` or `sample`; `attrs["file"]` is
    its name.

    Around a run with the parameter `runs.raw_data: pinned`, the ledger has it `prepare` the file before, and
    `finish` with it after.

    ```yaml
    passengers:
      type: from_scratch.datasets.RawCSVDataset
      filepath: data/01_raw/flowers.csv
      load_args: {sep: ";"}
    ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        url: str | None = None,
        sha256: str | None = None,
        credentials: dict[str, str] | None = None,
        timeout: float = 5,
        max_seconds: float = 60,
        max_bytes: float = 100_000_000,
        original: bool = False,
        sample: bool = False,
        load_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Points to a file and to where it can be had.

        Args:
            filepath: The local file.
            url: Where the file can be downloaded; goes with `sha256`, unless its content may change. It is
                logged and recorded, so it must hold no user name or password.
            sha256: Its hash with line ends written as a line feed alone; those of the file don't matter.
            credentials: A `username` and a `password` for the download. In the catalog, this is the name of a
                block of `credentials.yml`.
            timeout: Seconds to wait for the download's server whenever it is silent.
            max_seconds: Seconds for the whole download.
            max_bytes: The largest download, decompressed.
            original: Whether a file of this hash is the article's, which anyone may see.
            sample: Whether a sample may stand in where neither file nor download can be had.
            load_args: For `pandas.read_csv`.
            metadata: Ignored by Kedro; read by plugins such as Kedro-Viz.

        Raises:
            DatasetError: If there is a `url`, and it, its credentials or a limit of the download is wrong.
        """
        self._filepath = Path(filepath)
        self._source = fetch.Source(url, credentials, timeout, max_seconds, max_bytes) if url else None
        self._sha256 = sha256.lower() if sha256 else None
        self._original = original
        self._sample = sample
        self._load_args = {} if load_args is None else load_args
        self.metadata = metadata
        self._fetched: Kept | None = None
        """What a run reads in the place of the file, until it is committed."""
        if self._source:
            fetch.require_source(self._source)

    def load(self) -> DataFrame:
        """Read the rows.

        Returns:
            The rows as they stand in the file.

        Raises:
            DatasetError: If the file can't be read as CSV, names a column twice, the download has another
                hash or is refused, or there is no file, no download and no sample is wanted.
        """
        if self._fetched:
            return self._read(self._fetched.path)
        if os.path.lexists(self._filepath):  # a broken link is a fault, and no reason to download
            return self._read(self._filepath)
        if not self._source:
            if self._sample:
                return self._draw_sample("and no url is given")
            raise DatasetError(f"{self._filepath} is not there; expected a CSV file, as the catalog says")
        if not self._sha256:
            raise DatasetError(
                f"{self._filepath} is not there, and url needs sha256, so that the download can be checked; "
                "or, if its content may change, its dataset among runs.changing, and runs.raw_data pinned as "
                "`kedro run --env scheduled` has it"
            )
        try:
            fetch.fetch_pinned(self._source, self._filepath, self._sha256)
        except fetch.NotFetched as error:
            return self._draw_sample(str(error))
        return self._read(self._filepath)

    def prepare(self, policy: Literal["pinned", "changing"]) -> Path | None:
        """See to the file before a run that takes no sample.

        Args:
            policy: Whether the file must have the hash that the catalog says, or may change: then it is
                fetched again if there is a `url`.

        Returns:
            What the run reads in the place of the file, if what was fetched is not the same.

        Raises:
            DatasetError: If there is no such file, or no rows can be fetched; then the old file stays.
        """
        self._sample = False
        try:
            self._prepare(policy)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{self._filepath}: {error}") from error
        return self._fetched.path if self._fetched else None

    def finish(self, committed: bool) -> None:
        """See to the file after that run: what was fetched takes its place only if the run is committed.

        Args:
            committed: Whether it is.
        """
        fetched, self._fetched = self._fetched, None
        if not fetched:
            return
        if committed:
            earlier = keep_copy(self._filepath) if self._filepath.exists() else None
            copy_at_once(fetched.path, self._filepath.resolve())
            if earlier:
                log.info("%s has changed; what it was is kept as %s", self._filepath.name, earlier.path)
        else:
            log.info("%s stays as it was: what was downloaded is not kept", self._filepath.name)
        discard(fetched)

    def _prepare(self, policy: Literal["pinned", "changing"]) -> None:
        if os.path.lexists(self._filepath) and not self._filepath.is_file():
            raise DatasetError(
                f"{self._filepath} is not a regular file, or a link to nothing; expected a CSV file"
            )
        if policy == "changing":
            if self._source:
                self._fetched = self._fetch_again(self._source)
            elif self._filepath.exists():
                keep_copy(self._filepath)  # whoever replaces it doesn't
            else:
                self.load()  # says what is missing
            return
        if not os.path.lexists(self._filepath):
            self.load()  # downloads it, or says why not
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

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the file in Kedro-Viz; nothing is downloaded for that.

        Args:
            nrows: How many rows to show.

        Returns:
            The first rows; of the user's own file, which nothing has checked yet and whose first line may be
            no header, only how many rows and columns it has; a line that says so if there is no file.
        """
        import pandas as pd

        if not self._filepath.exists():
            cures = ["downloads it"] * bool(self._source) + ["draws a sample"] * self._sample
            cure = f"a run {', or '.join(cures)}" if cures else "put it there"
            return preview_table(pd.DataFrame({"file": [f"{self._filepath.name} is not there: {cure}"]}))
        passengers = self._read(self._filepath)
        if passengers.attrs["source"] == "own":
            rows, columns = passengers.shape
            return preview_table(pd.DataFrame({"rows": [rows], "columns": [columns]}))
        return preview_rows(passengers, nrows)

    def save(self, data: None) -> None:
        """Refuse: the raw data is the user's.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._filepath.name} is raw data and is never written")

    def _fetch_again(self, source: fetch.Source) -> Kept | None:
        """Download what the run is to read, if only it is data, and no page that says why there is none."""

        def require_rows(part: Path) -> None:
            try:
                rows = read_csv(part, self._load_args)
            except DatasetError as error:
                raise DatasetError(str(error).replace(str(part), source.url)) from error
            if rows.empty or rows.shape[1] < 2:
                raise DatasetError(
                    f"{source.url} has {len(rows)} rows of {rows.shape[1]} columns; expected a header and "
                    "rows of data"
                )

        try:
            return fetch.fetch_again(source, self._filepath, require_rows)
        except fetch.NotFetched as error:
            raise DatasetError(
                f"{self._filepath} was not fetched again: {error}; expected a download, since runs.changing "
                "has its dataset"
            ) from error
        except DatasetError as error:
            raise DatasetError(f"{error}; {self._filepath} stays as it is") from error

    def _draw_sample(self, reason: str) -> DataFrame:
        if not self._sample:
            raise DatasetError(f"{self._filepath} is not there ({reason})." + self._three_ways())

        from from_scratch.datasets.titanic_sample import draw_passengers

        log.warning(
            "%s is not there (%s). GOING ON WITH A SAMPLE of invented passengers: "
            "what comes out is not the Titanic's. README.md says how to get the real data.",
            self._filepath.name,
            reason,
        )
        passengers = draw_passengers()
        passengers.attrs = {"source": "sample", "file": "the sample"}
        return passengers

    def _read(self, file: Path) -> DataFrame:
        rows = read_csv(file, self._load_args)
        is_original = self._original and hash_text(file) == self._sha256
        rows.attrs = {"source": "original" if is_original else "own", "file": self._filepath.name}
        if decimal := self._load_args.get("decimal"):
            rows.attrs["decimal"] = decimal  # for numbers among texts, which pandas leaves as they are
        return rows

    def _three_ways(self) -> str:
        url = self._source.url if self._source else ""
        return THREE_WAYS.format(name=self._filepath.name, folder=self._filepath.parent, url=url)

    def _exists(self) -> bool:
        return (self._fetched.path if self._fetched else self._filepath).exists()

    def _describe(self) -> dict[str, Any]:
        url = self._source.url if self._source else None
        return {"filepath": self._filepath, "url": url, "sample": self._sample}
