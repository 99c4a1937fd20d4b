"""A CSV file with hostile names: links, markup, control sequences for terminals, or far too long ones."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import yaml

from tests.support.project import Project

ESC = "a\x1b]0;HACKED\x07b"
"""Control sequence that sets the title of a terminal's window."""
LINK = '<a href="http://evil.example/">link</a>'
LONG = "L" * 5000
CATEGORIES = {
    LINK: ["<i>x</i>", "& co", "http://evil.example/", "www.evil.example", "me@evil.example"],
    "<b>bold</b><br>x": ["K" * 5000, "short", "<script>alert(1)</script>"],
    "[md](http://evil.example/)": ["`p`", "[q](http://evil.example/)"],
    "How often do you ride your bicycle, on average, all year?": ["Never, or less than once", "Daily"],
}
NUMBERS = [ESC, LONG, "num\u202e", "größe &amp;"]
UNNAMED = "un\x1b[2Jnamed\nError: forged"
VARIANT = "a_variant_of_a_name_" * 10


def write(file: Path) -> None:
    """Write the CSV file, in which each category occurs with both answers."""
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["id", "y", *NUMBERS, *CATEGORIES, UNNAMED])
        for row in range(240):
            categories = [
                choices[row // (i + 1) % len(choices)] for i, choices in enumerate(CATEGORIES.values())
            ]
            answer = "<b>yes" if row * 7 % 11 < 5 else "no"
            writer.writerow(
                [f"r{row}", answer, *(row * 5 % prime for prime in (13, 17, 19, 23)), *categories, ""]
            )


def configure(project: Project) -> None:
    """Write the CSV file and the environment `hostile`, whose parameters don't mention one of the columns."""
    write(project.folder / "data" / "01_raw" / "hostile.csv")
    environment = project.folder / "conf" / "hostile"
    environment.mkdir()
    entry = {"type": "from_scratch.datasets.RawCSVDataset", "filepath": "data/01_raw/hostile.csv"}
    parameters = {
        "features": {
            "identifier": "id",
            "target": {"column": "y", "positive": "<b>yes"},
            "continuous": NUMBERS,
            "log": [],
            "categorical": [*CATEGORIES],
            "ignore": [],
            "normalisation": "deviation",
            "fit_on": "all",
        },
        "variants": {VARIANT: {"model": "linear", "seed": 1, "learning_rate": 0.2, "epochs": 5}},
    }
    for name, content in (
        ("catalog", {"raw_data": entry, "new_data": entry}),
        ("parameters", parameters),
    ):
        (environment / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def expect_printable(text: str) -> None:
    """Require that a text contains no control characters except line breaks."""
    found = re.search(r".{0,40}[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069].{0,40}", text)
    assert not found, repr(found)
    assert not re.search("^Error: forged", text, re.MULTILINE)
