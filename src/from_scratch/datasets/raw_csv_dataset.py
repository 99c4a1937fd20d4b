"""Raw data as CSV: the file that is there, else a download, else a sample."""

from __future__ import annotations

import filecmp
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from kedro.io import AbstractDataset
from kedro.io.core import DatasetError
from kedro_datasets._typing import TablePreview

from from_scratch.datasets.csv_reader import read_csv
from from_scratch.datasets.previews import preview_rows, preview_table
from from_scratch.node_types import DataFrame

log = logging.getLogger(__name__)

THREE_WAYS = """ There are three ways to get it: put your own file there; \
run `kaggle competitions download -c titanic` and unzip {name} into {folder}; \
or run again with a network, and it is downloaded from {url}."""

DOWNLOAD = ".download-"
EARLIER = "earlier"
"""The folder, beside a file that is fetched again, for what was in it before, so that runs can be rebuilt."""


class RawCSVDataset(AbstractDataset[None, DataFrame]):
    """Loads a CSV, and fetches it first if it isn't there.

    In this order: the file, taken as it is if the user put it there; if there is a `url`, a download, checked
    by its sha256 and kept as the file; and, with `sample: true`, a sample of invented Titanic passengers. The
    frame's `attrs["source"]` says which: `original` (the article's), `own` or `sample`; `attrs["file"]` is
    its name.

    Before a run with the parameter `runs.raw_data: pinned`, the ledger has it `prepare` the file.

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
        original: bool = False,
        sample: bool = False,
        timeout: float = 5,
        load_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Points to a file and to where it can be had.

        Args:
            filepath: The local file.
            url: Where the file can be downloaded; goes with `sha256`, unless its content may change.
            sha256: Its sum with line ends written as a line feed alone; those of the file don't matter.
            original: Whether a file of this sum is the article's, which anyone may see.
            sample: Whether a sample may stand in where neither file nor download can be had.
            timeout: Seconds to wait for the download's server.
            load_args: For `pandas.read_csv`.
            metadata: Ignored by Kedro; read by plugins such as Kedro-Viz.
        """
        self._filepath = Path(filepath)
        self._url = url
        self._sha256 = sha256.lower() if sha256 else None
        self._original = original
        self._sample = sample
        self._timeout = timeout
        self._load_args = {} if load_args is None else load_args
        self.metadata = metadata

    def load(self) -> DataFrame:
        """Read the rows.

        Returns:
            The rows as they stand in the file.

        Raises:
            DatasetError: If the file can't be read as CSV, names a column twice, the download has another
                sum, or there is no file, no download and no sample is wanted.
        """
        if os.path.lexists(self._filepath):  # a broken link is a fault, and no reason to download
            return self._read()
        if not self._url:
            if self._sample:
                return self._draw_sample("and no url is given")
            raise DatasetError(f"{self._filepath} is not there; expected a CSV file, as the catalog says")

        from requests import RequestException

        try:
            self._download(self._url)
        except RequestException as error:
            reason = f"no download from {urlsplit(self._url).hostname}: {type(error).__name__}"
            return self._draw_sample(reason)
        return self._read()

    def prepare(self, policy: Literal["pinned", "changing"]) -> None:
        """See to the file before a run that takes no sample.

        Args:
            policy: Whether the file must have the sum that the catalog says, or may change: then it is
                fetched again if there is a `url`, and what it has been is kept in the folder `earlier`.

        Raises:
            DatasetError: If there is no such file, or no rows can be fetched; then the old file stays.
        """
        self._sample = False
        try:
            self._prepare(policy)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{self._filepath}: {error}") from error

    def _prepare(self, policy: Literal["pinned", "changing"]) -> None:
        if os.path.lexists(self._filepath) and not self._filepath.is_file():
            raise DatasetError(f"{self._filepath} is no file, or a link to nothing; expected a CSV")
        for left in self._folder.glob(f"{DOWNLOAD}*"):  # by a run that was killed; this one has the lock
            shutil.rmtree(left, ignore_errors=True)
        if policy == "changing" and self._url:
            self._fetch_again(self._url)
        elif not os.path.lexists(self._filepath):
            self.load()  # downloads it, or says why not
        if policy == "changing":
            if not self._url:  # whoever replaces it doesn't keep it
                self._keep()
            return
        found = _sha256(self._filepath)
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
            cures = ["downloads it"] * bool(self._url) + ["draws a sample"] * self._sample
            cure = f"a run {', or '.join(cures)}" if cures else "put it there"
            return preview_table(pd.DataFrame({"file": [f"{self._filepath.name} is not there: {cure}"]}))
        passengers = self._read()
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

    def _download(self, url: str) -> None:
        """Download the file, which must have the right sum."""
        if not self._sha256:
            raise DatasetError(
                f"{self._filepath} is not there, and url needs sha256, so that the download can be checked; "
                "or, if its content may change, its dataset among runs.changing, and runs.raw_data pinned as "
                "`kedro run --env scheduled` has it"
            )
        with self._downloaded(url) as part:
            found = _sha256(part)
            if found != self._sha256:
                raise DatasetError(
                    f"{_without_password(url)} has sha256 {found}, expected {self._sha256}; it was not kept."
                    + self._three_ways()
                )
            os.replace(part, self._filepath)

    def _fetch_again(self, url: str) -> None:
        """Download the file if it has changed, whatever is in it now, if only it is CSV."""
        from requests import RequestException

        try:
            with self._downloaded(url) as part:
                self._see_that_it_has_rows(part, url)
                if not self._filepath.exists():
                    os.replace(part, self._filepath)
                elif not filecmp.cmp(part, self._filepath, shallow=False):
                    kept = self._keep()
                    os.replace(part, self._folder / self._filepath.resolve().name)
                    log.info("%s has changed; what it was is kept as %s", self._filepath.name, kept)
        except RequestException as error:
            status = f" {error.response.status_code}" if error.response is not None else ""
            raise DatasetError(
                f"{self._filepath} was not fetched again: no download from {urlsplit(url).hostname}: "
                f"{type(error).__name__}{status}; expected one, since runs.changing has its dataset"
            ) from error

    def _see_that_it_has_rows(self, part: Path, url: str) -> None:
        """See that a download is data, and no page that says why there is none."""
        address = _without_password(url)
        try:
            rows = read_csv(part, self._load_args)
        except DatasetError as error:
            raise DatasetError(str(error).replace(str(part), address)) from error
        if rows.empty or rows.shape[1] < 2:
            raise DatasetError(
                f"{address} has {len(rows)} rows of {rows.shape[1]} columns; expected a header and rows of "
                f"data; {self._filepath} stays as it is"
            )

    def _keep(self) -> Path:
        """Keep what the file is now under another name."""
        digest = hashlib.sha256(self._filepath.read_bytes()).hexdigest()
        kept = self._filepath.parent / EARLIER / f"{self._filepath.stem}_{digest[:12]}{self._filepath.suffix}"
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            part = kept.with_name(f"{kept.name}.part")
            with self._filepath.open("rb") as content, part.open("wb") as copy:
                shutil.copyfileobj(content, copy)
                copy.flush()
                os.fsync(copy.fileno())  # before what it is a copy of goes
            os.replace(part, kept)
        return kept

    @contextmanager
    def _downloaded(self, url: str) -> Iterator[Path]:
        """Download into a folder that goes with whatever is left in it."""
        from pooch import HTTPDownloader

        log.info("Downloading %s from %s", self._filepath.name, _without_password(url))
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=DOWNLOAD) as folder:
            part = Path(folder) / self._filepath.name
            HTTPDownloader(timeout=self._timeout)(url, str(part), None)
            yield part

    @property
    def _folder(self) -> Path:
        """Where the file really lies: what it points to, if it is a link."""
        return self._filepath.resolve().parent

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

    def _read(self) -> DataFrame:
        rows = read_csv(self._filepath, self._load_args)
        is_original = self._original and _sha256(self._filepath) == self._sha256
        rows.attrs = {"source": "original" if is_original else "own", "file": self._filepath.name}
        if decimal := self._load_args.get("decimal"):
            rows.attrs["decimal"] = decimal  # for numbers among texts, which pandas leaves as they are
        return rows

    def _three_ways(self) -> str:
        url = _without_password(self._url or "")
        return THREE_WAYS.format(name=self._filepath.name, folder=self._filepath.parent, url=url)

    def _exists(self) -> bool:
        return self._filepath.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "url": self._url, "sample": self._sample}


def _without_password(url: str) -> str:
    """Say an address as it may stand in a log."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _sha256(file: Path) -> str:
    """Sum a file's bytes, whatever its line ends."""
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
