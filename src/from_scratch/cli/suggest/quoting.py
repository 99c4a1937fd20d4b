"""Texts from a file, quoted for messages and comments."""

from __future__ import annotations

from collections.abc import Iterable

from from_scratch.schema.validation import shorten

MAX_LENGTH = 40
"""So many characters are shown of a text."""


def quote(texts: Iterable[str]) -> list[str]:
    """Quote texts from a file for a message, and cut long ones."""
    return [shorten(repr(text), MAX_LENGTH) for text in texts]
