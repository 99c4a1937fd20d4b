from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console
from rich.logging import RichHandler

from kedro_ledger.errors import LedgerError
from kedro_ledger.printable import PrintableRecord, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 年齢 é 🙂", "größe 年齢 é 🙂"),
        ("a\x1b]0;x\x07b", r"a\x1b]0;x\x07b"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("a\u202eb\u2066\u200b", r"a\u202eb\u2066\u200b"),
        ("a\x9bb\udcff", r"a\x9bb\udcff"),
        ("a\\b'\"", "a\\b'\""),
        ("", ""),
    ],
)
def test_invisible_characters_are_shown_as_in_repr(text: str, shown: str) -> None:
    assert printable(text) == printable(printable(text)) == shown
    assert printable(text, keep="\n") == shown.replace(r"\n", "\n")


def log(message: str, *arguments: object, exc_info: bool = False) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.Logger("a logger of its own")
    logger.addHandler(handler)
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(PrintableRecord)
    try:
        logger.info(message, *arguments, exc_info=exc_info)
    finally:
        logging.setLogRecordFactory(factory)
    return stream.getvalue()


def test_line_breaks_of_a_message_are_kept_and_those_of_names_are_not() -> None:
    assert log("one\ntwo: %s, %d, %.1f", "a\nb\x1b", 3, 0.25) == "one\ntwo: a\\nb\\x1b, 3, 0.2\n"
    assert log("one %(name)s", {"name": "a\nb"}) == "one a\\nb\n"
    assert log("100 % \x1b") == "100 % \\x1b\n"


def test_tracebacks_are_printable() -> None:
    try:
        raise ValueError("a\x1b]0;x\x07b")
    except ValueError:
        message = log("", exc_info=True)
    assert "\n  Traceback (most recent call last):\n    File " in message, (
        "indented: no line looks like one of the log"
    )
    assert message.endswith("ValueError: a\\x1b]0;x\\x07b\n")


def test_each_line_of_an_error_is_one(caplog: pytest.LogCaptureFixture) -> None:
    error = LedgerError("deep\nError: forged is gone", "a\u2028b")
    assert error.message == "deep\\nError: forged is gone\na\\u2028b"
    error.show()
    lines = [record.getMessage() for record in caplog.records if record.name == "kedro_ledger.errors"]
    assert lines == ["Error: deep\\nError: forged is gone", "Error: a\\u2028b"]


def test_rich_does_not_treat_names_in_brackets_as_markup() -> None:
    stream = io.StringIO()
    handler = RichHandler(console=Console(file=stream, width=200), markup=True)
    handler.handle(
        PrintableRecord("kedro_ledger.errors", logging.ERROR, "", 1, "install ledger[dask]", (), None)
    )
    assert "install ledger[dask]" in stream.getvalue()


def test_a_record_from_another_process_can_be_recreated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "_logRecordFactory", PrintableRecord)
    record = logging.makeLogRecord({"name": "kedro_ledger.hooks", "msg": "a\x1bb"})
    assert record.getMessage() == r"a\x1bb"
