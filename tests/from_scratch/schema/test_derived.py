"""Right blocks `features.derived` are accepted, and wrong ones reported in one line each."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from from_scratch.schema.derived import Extract
from from_scratch.schema.parameters import check
from kedro_ledger.errors import InputError
from tests.from_scratch.schema.test_parameters import COMMITTED, ROOT

TITLE = r"{column: Title, extract: {of: Name, pattern: ', (\w+)\.'}}"


def checked(derived: Any) -> None:
    block = COMMITTED["features"] | {"derived": derived}
    check(COMMITTED | {"features": block})


def test_the_environment_knowledge_is_right() -> None:
    changes = yaml.safe_load((ROOT / "conf" / "knowledge" / "parameters.yml").read_text())["features"]
    features = check(COMMITTED | {"features": COMMITTED["features"] | changes}).features
    assert features.sources == ["Name", "SibSp", "Parch", "Ticket", "Cabin"]
    assert set(features.sources) & set(features.ignore), "ignored, except for what is derived from them"


@pytest.mark.parametrize(
    "derived",
    [
        "[]",
        f"[{TITLE}]",
        "[{column: X, extract: {of: Name, pattern: '(a)', mapping: {a: b}, keep: [b], other: c}}]",
        "[{column: X, extract: {of: Name, pattern: '(a)|(?i)b(c)', keep: [b]}}]",
        "[{column: X, sum: {of: [SibSp]}}]",
        "[{column: X, sum: {of: [SibSp, Parch], plus: -0.5}}, {column: Y, is_known: {of: SibSp}}]",
        "[{column: X, count: {of: PassengerId}}, {column: Y, count: {of: PassengerId}}]",
    ],
)
def test_right_blocks(derived: str) -> None:
    checked(yaml.safe_load(derived))


@pytest.mark.parametrize(
    ("derived", "line"),
    [
        ("3", "features.derived is 3; expected a valid list"),
        ("[Title]", "features.derived.0 is 'Title'; expected a block of parameters"),
        ("[{extract: {of: Name, pattern: (a)}}]", "features.derived.0.column is missing"),
        ("[{column: X}]", "features.derived.0 has none; expected one of extract, sum, count, is_known"),
        (
            "[{column: X, count: {of: Cabin}, is_known: {of: Cabin}}]",
            "features.derived.0 has count and is_known; expected one of extract, sum, count, is_known",
        ),
        (
            "[{column: X, counts: {of: Cabin}}]",
            "features.derived.0.counts is unknown; did you mean features.derived.0.count?",
        ),
        (
            "[{column: X, extract: {of: Name, pattern: (a), patern: (b)}}]",
            "features.derived.0.extract.patern is unknown; did you mean features.derived.0.extract.pattern?",
        ),
        ("[{column: X, count: {}}]", "features.derived.0.count.of is missing"),
        ("[{column: X, count: Cabin}]", "features.derived.0.count is 'Cabin'; expected a block of param"),
        (
            "[{column: X, sum: {of: SibSp}}]",
            "features.derived.0.sum.of is 'SibSp'; expected a valid l",
        ),
        (
            "[{column: X, sum: {of: []}}]",
            "features.derived.0.sum.of is []; expected a list with at least 1 item",
        ),
        (
            "[{column: X, sum: {of: [SibSp], plus: one}}]",
            "features.derived.0.sum.plus is 'one'; expected",
        ),
        (
            "[{column: X, extract: {of: Name, pattern: (a), keep: [1]}}]",
            "features.derived.0.extract.keep.0 is 1; expected a valid string",
        ),
        (
            "[{column: X, extract: {of: Name, pattern: (a), other: rare}}]",
            "features.derived.0.extract has other, 'rare', without keep; expected both or neither",
        ),
        (
            f"[{TITLE}, {TITLE}]",
            "features: derived column Title appears twice; expected each column once",
        ),
        (
            f"[{TITLE}, {{column: X, count: {{of: Title}}}}]",
            "features: derived column X is computed from Title, which is also derived; expected",
        ),
        (
            "[{column: Cabin, is_known: {of: Cabin}}]",
            "features: derived column Cabin is computed from Cabin, which is also derived; expected",
        ),
        (
            "[{column: X, sum: {of: [SibSp, Survived]}}]",
            "features: derived column X is computed from the target, Survived, which new rows lack;",
        ),
        (
            "[{column: Survived, is_known: {of: Cabin}}]",
            "features: column Survived is derived; expected the identifier and the target in the file",
        ),
    ],
)
def test_wrong_blocks_are_reported_in_one_line(derived: str, line: str) -> None:
    with pytest.raises(InputError) as error:
        checked(yaml.safe_load(derived))
    (fault,) = error.value.args
    assert str(fault).startswith(f"parameter {line}")
    assert "\n" not in str(fault)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("Mr", "'Mr': it has no group"),
        ("(Mr", r"'(Mr': missing ): (Mr"),
        ("Mr)(s", r"'Mr)(s': unexpected ): Mr)(s"),
        (r"(a)\Q", r"'(a)\\Q': missing ): "),
        ("(?=Mr)(s)", "'(?=Mr)(s)': invalid perl operator: (?="),
        (r"(a)\1", r"'(a)\\1': invalid escape sequence: \1"),
        ("((a{1000}){1000})", "'((a{1000}){1000})': invalid repetition size: {1000}"),
        ("(\ud800)", r"'(\ud800)': 'utf-8' codec can't encode character"),
        ("(" * 10_000, f"'{'(' * 59}…: missing ): {'(' * 47}"),
    ],
)
def test_a_wrong_pattern_is_reported_in_one_short_line(pattern: str, reason: str) -> None:
    with pytest.raises(InputError) as error:
        checked([{"column": "X", "extract": {"of": "Name", "pattern": pattern}}])
    (fault,) = error.value.args
    assert str(fault).startswith(f"parameter features.derived.0.extract.pattern is {reason}")
    assert str(fault).endswith("; expected an RE2 regular expression with a group in parentheses")
    assert len(str(fault)) < 400


def test_checking_a_pattern_takes_little_time() -> None:
    began = time.process_time()
    Extract(of="Name", pattern="((a+)+)+$")
    Extract(of="Name", pattern="(" * 500 + "a*" + ")*" * 500)
    assert time.process_time() - began < 5
