"""The base class of all parameter blocks, and how messages shorten texts and lists."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A block of parameters: names must be known, and values must have their declared type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def shorten(text: str, length: int = 60) -> str:
    """Cut a long text, and mark the cut with an ellipsis."""
    return text if len(text) <= length else f"{text[:length]}…"


def list_some(words: Sequence[str], most: int) -> str:
    """Join at most `most` words with commas, and replace the others with an ellipsis."""
    return ", ".join(words[:most]) + ", …" * (len(words) > most)
