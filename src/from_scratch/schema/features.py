"""The block of parameters that says what each column of the data is, and what is done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from from_scratch.schema.derived import Count, Derived, Name, Sum
from from_scratch.schema.validation import Block

Value = bool | int | float | str
MAX_MAGNITUDE = 1e38
"""The greatest number that is computed with: float32 holds little more."""
T = TypeVar("T")


def text_of(value: object) -> str:
    """Write a value, of Python or of numpy, as the name of a category: whole numbers without decimals.

    A CSV has no types: whether 1 is read as a number, as 1.0 because a value is missing elsewhere, or as a
    text, it is the same category.
    """
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    return str(int(plain)) if isinstance(plain, float) and plain.is_integer() else str(plain)


def _check_value(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"is {value!r}; expected a text, a number, true or false")
    if isinstance(value, int | float) and not abs(value) <= MAX_MAGNITUDE:
        raise ValueError(f"is {value!r}; expected a number of at most {MAX_MAGNITUDE:g}")
    return value


def _check_categories(value: Any) -> Any:
    if value == "auto":
        return value
    if not isinstance(value, list) or not value:
        raise ValueError(f"is {value!r}; expected auto, or a list of the categories in their order")
    if doubled := find_doubled([text_of(_check_value(category)) for category in value]):
        raise ValueError(f"has {doubled} twice; expected each category once")
    return value


def _block_of(value: Any) -> Any:
    """Write a column's name as a block."""
    if isinstance(value, str):
        return {"column": value}
    if not isinstance(value, dict | Block):
        raise ValueError(f"is {value!r}; expected a column's name as text, or a block with `column`")
    return value


Constant = Annotated[Value | None, PlainValidator(_check_value)]
ByName = BeforeValidator(_block_of)


class Column(Block):
    """A column that the models see. A missing value becomes the column's mode, if nothing else is said."""

    column: Name
    fill: Literal["mode", "median", "mean"] = "mode"
    constant: Constant = None
    """Fills missing values."""
    required: bool = False
    """Whether a missing value is a fault."""

    @model_validator(mode="after")
    def _missing_values_are_filled_in_one_way(self) -> Column:
        said = [name for name in ("fill", "constant") if name in self.model_fields_set]
        said += ["required"] if self.required else []
        if len(said) > 1:
            raise ValueError(f"{' and '.join(said)} exclude each other; expected one of them, or none")
        return self


class NumberColumn(Column):
    """A column of numbers."""

    minimum: float | None = None
    maximum: float | None = None

    @model_validator(mode="after")
    def _the_constant_is_a_number_in_range(self) -> NumberColumn:
        constant = self.constant
        if constant is not None:
            if isinstance(constant, str):
                raise ValueError(f"constant is {constant!r}; expected a number")
            low, high = self.minimum, self.maximum
            if (low is not None and constant < low) or (high is not None and constant > high):
                raise ValueError(f"constant is {constant!r}; expected a number {self.range}")
        return self

    @property
    def range(self) -> str:
        """The range in words; none if there is none."""
        bounds = [(self.minimum, "at least"), (self.maximum, "at most")]
        return " and ".join(f"of {words} {bound:g}" for bound, words in bounds if bound is not None)


class LogColumn(NumberColumn):
    """A column of numbers, 0 or more, whose logarithm the models see: ln(x + 1)."""

    minimum: Annotated[float, Field(ge=0)] = 0


class CategoricalColumn(Column):
    """A column of categories: each becomes a feature of zeros and ones."""

    categories: Annotated[list[Value] | Literal["auto"], PlainValidator(_check_categories)] = "auto"
    """In their order; `auto` learns them from the data, and sorts them."""

    @model_validator(mode="after")
    def _missing_values_become_a_category(self) -> CategoricalColumn:
        if self.fill in ("median", "mean"):
            raise ValueError(f"fill is {self.fill}; categories have none, expected mode, or a constant")
        declared = self.declared
        if declared and self.constant is not None and text_of(self.constant) not in declared:
            raise ValueError(f"constant is {self.constant!r}; expected one of {', '.join(declared)}")
        return self

    @property
    def declared(self) -> list[str]:
        """The names of the declared categories; none if they are learnt."""
        return [] if isinstance(self.categories, str) else [text_of(value) for value in self.categories]


class Target(Block):
    """The column to predict, and which of its two values counts as yes."""

    column: Name
    positive: Annotated[Value, PlainValidator(_check_value)]


class Features(Block):
    """What each column is. The models see, in this order, continuous, log, and category by category."""

    identifier: Name | None = None
    target: Target
    continuous: list[Annotated[NumberColumn, ByName]] = Field(default=[])
    log: list[Annotated[LogColumn, ByName]] = Field(default=[])
    categorical: list[Annotated[CategoricalColumn, ByName]] = Field(default=[])
    ignore: list[Name] = Field(default=[])
    """Columns to ignore without a warning."""
    derived: list[Derived] = Field(default=[])
    """New columns, made of those in the file; the others may name them like any column."""
    normalisation: Literal["maximum", "deviation"] = "maximum"
    """Whether numbers are divided by their greatest magnitude, or lose their mean and are divided by their
    deviation."""
    fit_on: Literal["all", "train"] = "all"
    """Which rows decide what fills missing values, which categories there are, and how numbers are scaled."""

    @model_validator(mode="after")
    def _each_column_stands_once(self) -> Features:
        identifier = [self.identifier] if self.identifier else []
        columns = [*identifier, self.target.column, *(column.column for column in self.columns), *self.ignore]
        if doubled := find_doubled(columns):
            raise ValueError(f"column {doubled} stands twice; expected each column once")
        if self.identifier == "score" or (not self.identifier and self.target.column == "row"):
            name = self.identifier or self.target.column
            raise ValueError(f"answers have a column {name} of their own; expected another name")
        if not self.columns:
            raise ValueError("there is no feature; expected at least one column beside the target")
        declared = {column.column: column.declared for column in self.categorical}
        if doubled := find_doubled(self.names(declared)):
            raise ValueError(f"two features would be named {doubled}; expected each name once")
        return self

    @model_validator(mode="after")
    def _derived_columns_are_made_of_the_files(self) -> Features:
        names = [derived.column for derived in self.derived]
        if doubled := find_doubled(names):
            raise ValueError(f"derived column {doubled} stands twice; expected each column once")
        for name in (self.identifier, self.target.column):
            if name in names:
                raise ValueError(
                    f"column {name} is derived; expected the identifier and the target in the file"
                )
        for derived in self.derived:
            if made := [name for name in derived.sources if name in names]:
                raise ValueError(
                    f"derived column {derived.column} is made of {made[0]}, which is derived too; expected "
                    "columns of the file"
                )
            if self.target.column in derived.sources:
                raise ValueError(
                    f"derived column {derived.column} is made of the target, {self.target.column}, which new "
                    "rows lack; expected other columns"
                )
        return self

    @property
    def columns(self) -> list[Column]:
        """The columns that the models see."""
        return [*self.continuous, *self.log, *self.categorical]

    @property
    def number_columns(self) -> list[str]:
        """Those of them that are numbers."""
        return [column.column for column in (*self.continuous, *self.log)]

    @property
    def _ways(self) -> list[object]:
        return [derived.way for derived in self.derived]

    @property
    def sources(self) -> list[str]:
        """The columns of the file that others are derived from, each once."""
        return list(dict.fromkeys(name for derived in self.derived for name in derived.sources))

    @property
    def summed(self) -> list[str]:
        """Those of them that must be numbers."""
        return list(dict.fromkeys(name for way in self._ways if isinstance(way, Sum) for name in way.of))

    @property
    def counted(self) -> list[str]:
        """Those of them whose values are counted."""
        return list(dict.fromkeys(way.of for way in self._ways if isinstance(way, Count)))

    @property
    def number_names(self) -> list[str]:
        """The features that are numbers."""
        return [
            *(column.column for column in self.continuous),
            *(f"Log{column.column}" for column in self.log),
        ]

    def names(self, categories: Mapping[str, Sequence[str]]) -> list[str]:
        """Name the features, in the order in which the models see them, with each column's categories."""
        dummies = [
            f"{column.column}_{category}"
            for column in self.categorical
            for category in categories[column.column]
        ]
        return [*self.number_names, *dummies]


def find_doubled(names: Iterable[T]) -> T | None:
    """Find the first that stands twice."""
    seen: set[T] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
