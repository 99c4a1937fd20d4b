"""The parameters `features.derived`: new columns, computed from columns of the file."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from from_scratch.schema.validation import Block, shorten

Name = Annotated[str, Field(min_length=1)]


def surround(pattern: str) -> str:
    """Extend a pattern to match a whole text, starting at the pattern's first match."""
    return rf"(?s:\A.*?)(?:{pattern})(?s:.*\z)"


def _check_pattern(pattern: str) -> str:
    from pyarrow import compute  # takes a tenth of a second, and most projects derive nothing

    try:
        compute.match_substring_regex("", pattern=pattern)
        compute.replace_substring_regex("", pattern=surround(pattern), replacement=r"\1")
    except ValueError as error:  # not a pattern, not encodable, or without a group
        reason = str(error).splitlines()[0].removeprefix("Invalid regular expression: ")
        if "Rewrite schema" in reason:
            reason = "it has no group"
        raise ValueError(
            f"is {shorten(repr(pattern))}: {shorten(reason)}; expected an RE2 regular expression with a "
            "group in parentheses"
        ) from error
    return pattern


class Extract(Block):
    """The text in a pattern's first group; missing if the pattern does not match or the group is empty."""

    of: Name
    pattern: Annotated[str, AfterValidator(_check_pattern)]
    """A regular expression in RE2 syntax, without look-around or back-references; it takes linear time."""
    mapping: dict[str, str] = Field(default={})
    """Replacements for some of the extracted texts."""
    keep: list[str] = Field(default=[])
    """The texts to keep, after the mapping; an empty list keeps all."""
    other: str | None = None
    """Replacement for all other texts; None makes them missing."""

    @model_validator(mode="after")
    def _require_keep_with_other(self) -> Extract:
        if self.other is not None and not self.keep:
            raise ValueError(
                f"has other, {shorten(repr(self.other))}, without keep; expected both or neither"
            )
        return self


class Sum(Block):
    """The sum of number columns and a constant; missing if one of the numbers is missing."""

    of: Annotated[list[Name], Field(min_length=1)]
    plus: float = 0


class Count(Block):
    """The number of rows with the same value: the row itself, and the others that counts are learnt from."""

    of: Name


class IsKnown(Block):
    """1 if there is a value, 0 if it is missing."""

    of: Name


class Derived(Block):
    """A new column, computed from columns of the file in one of four ways."""

    column: Name
    extract: Extract | None = None
    sum: Sum | None = None
    count: Count | None = None
    is_known: IsKnown | None = None

    @model_validator(mode="after")
    def _require_one_way(self) -> Derived:
        kinds = {"extract": self.extract, "sum": self.sum, "count": self.count, "is_known": self.is_known}
        given = [kind for kind, way in kinds.items() if way is not None]
        if len(given) != 1:
            raise ValueError(f"has {' and '.join(given) or 'none'}; expected one of {', '.join(kinds)}")
        return self

    @property
    def way(self) -> Extract | Sum | Count | IsKnown:
        """The way in which the column is computed."""
        way = self.extract or self.sum or self.count or self.is_known
        assert way is not None
        return way

    @property
    def sources(self) -> list[str]:
        """The columns of the file that it is computed from."""
        return [self.way.of] if isinstance(self.way.of, str) else self.way.of
