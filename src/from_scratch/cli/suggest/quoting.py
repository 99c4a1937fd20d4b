"""Quoting of texts from a file for messages and comments."""

from __future__ import annotations

from collections.abc import Iterable

from from_scratch.schema.validation import shorten

MAX_LENGTH = 40
"""Maximum number of characters of a quoted text."""


def quote(texts: Iterable[str]) -> list[str]:
    """Quote texts from a file, and shorten long ones."""
    return [shorten(repr(text), MAX_LENGTH) for text in texts]
