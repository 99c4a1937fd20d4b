"""Readable names for the columns and values of the article's data; other data keeps its own names."""

from __future__ import annotations

from from_scratch.pipelines.reporting.bundles import PreparedData

COLUMNS = {
    "SibSp": "siblings and spouses",
    "Parch": "parents and children",
    "Pclass": "class",
    "Embarked": "port",
}
GROUPS = {"Sex": {"male": "men", "female": "women"}}
VALUES = {
    "Survived": {"0": "died", "1": "survived"},
    "Pclass": {"1": "1st class", "2": "2nd class", "3": "3rd class"},
    "Embarked": {"C": "Cherbourg", "Q": "Queenstown", "S": "Southampton"},
}


def name_column(data: PreparedData, column: str) -> str:
    """Return the readable name of a column."""
    return COLUMNS.get(column, column) if data.is_original else column


def name_value(data: PreparedData, column: str, value: str) -> str:
    """Return the readable name of a value."""
    return VALUES.get(column, {}).get(value, value) if data.is_original else value


def name_group(data: PreparedData, column: str, value: str) -> str:
    """Return a name for the rows with this value, such as `women`."""
    return (data.is_original and GROUPS.get(column, {}).get(value)) or name_value(data, column, value)


def name_answers(data: PreparedData) -> tuple[str, str]:
    """Return readable names of the target's two values: no, then yes."""
    target = data.columns.target.column
    no, yes = data.categories[target]
    if data.is_original and target in VALUES:
        return name_value(data, target, no), name_value(data, target, yes)
    return f"{target} = {no}", f"{target} = {yes}"
