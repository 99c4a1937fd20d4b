"""The scheduled environment of a copy of the project."""

from __future__ import annotations

import hashlib
import re

import yaml

from tests.support.project import RAW, Project

PASSENGERS = (RAW / "train.csv").read_text()
SCHEDULED = ("run", "--env", "scheduled")
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4} (INFO   |WARNING|ERROR  ) .*\S.*")


def set_catalog(project: Project, passengers: str = PASSENGERS, url: str | None = None) -> None:
    """Replace the passengers, and pin them."""
    (project.folder / "data/01_raw/train.csv").write_text(passengers)
    entry = {
        "type": "from_scratch.datasets.RawCSVDataset",
        "filepath": "data/01_raw/train.csv",
        "sha256": hashlib.sha256(passengers.encode()).hexdigest(),
        **({"url": url} if url else {}),
    }
    project.configure("catalog.yml", yaml.safe_dump({"raw_data": entry}), "scheduled")


def set_parameters(project: Project, **parameters: object) -> None:
    """Replace the parameters of the scheduled environment."""
    project.configure("parameters.yml", yaml.safe_dump(parameters), "scheduled")
