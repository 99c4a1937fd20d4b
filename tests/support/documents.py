"""What the tests read from the documents: blocks, commands, links and headings."""

from __future__ import annotations

import re
from pathlib import Path

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$|<a (?:id|name)=\"([^\"]+)\"", re.MULTILINE)


def list_commands(document: Path) -> list[str]:
    """Return the commands of a document's `console` and `bash` blocks, without prompts and output."""
    commands = []
    for language, text in FENCE.findall(document.read_text("utf-8")):
        lines = text.replace("\\\n", " ").splitlines()
        if language == "console":
            commands += [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        elif language in ("bash", "sh", "shell"):
            commands += [line for line in lines if line.strip() and not line.startswith("#")]
    return commands


def list_links(document: Path) -> list[str]:
    """Return the targets of a document's links, except those to other sites and to GitHub's own pages."""
    text = FENCE.sub("", document.read_text("utf-8"))
    others = ("mailto:", "../../actions/")
    return [link for link in _LINK.findall(text) if "://" not in link and not link.startswith(others)]


def list_anchors(document: Path) -> set[str]:
    """Return the anchors of a document, as GitHub makes them of its headings."""
    found = _HEADING.findall(FENCE.sub("", document.read_text("utf-8")))
    return {anchor or re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading, anchor in found}
