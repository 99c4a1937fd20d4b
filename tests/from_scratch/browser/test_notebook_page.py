"""The notebook as a page, opened as a file: it loads nothing, and is readable in dark mode and on a phone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from selenium import webdriver

from tests.from_scratch.browser.test_pages import LocalPage
from tests.from_scratch.notebooks.test_notebook import NOTEBOOK
from tests.support.project import ROOT

pytestmark = pytest.mark.slow

TEXTS = ("p", ".highlight .k", ".highlight .s2", ".highlight .c1", ".highlight .gi", ".highlight .gd")
CONTRAST = 200
"""Minimum difference in brightness between a text and its background; both go from 0 to 765."""


@pytest.fixture(scope="module")
def page(browser: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory) -> LocalPage:
    """Return the page, made with the command in docs/notebook.md."""
    folder = tmp_path_factory.mktemp("page")
    program = str(Path(sys.executable).with_name("jupyter-nbconvert"))
    options = "--to html --template page --TemplateExporter.extra_template_basedirs=notebooks".split()
    assert " ".join(options) in (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8")
    command = [program, *options, "--output-dir", str(folder), str(NOTEBOOK)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return LocalPage(browser, folder / f"{NOTEBOOK.stem}.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads_nothing_and_follows_the_readers_scheme(page: LocalPage, scheme: str) -> None:
    page.open(scheme=scheme)
    page.expect_no_complaint_and_no_request()
    assert page.ask("document.scripts.length") == 0
    background = page.colour("body", "backgroundColor")
    assert background > 700 if scheme == "light" else background < 100
    for text in TEXTS:
        assert abs(page.colour(text) - background) > CONTRAST, text


def test_its_pictures_are_in_it_and_have_texts(page: LocalPage) -> None:
    page.open()
    pictures = page.ask("[...document.images].map(image => [image.naturalWidth, image.alt])")
    assert len(pictures) > 10
    assert all(width and text for width, text in pictures)


@pytest.mark.parametrize("width", [1300, 390])
def test_it_is_no_wider_than_its_window(page: LocalPage, width: int) -> None:
    page.open(width=width)
    assert page.ask("document.documentElement.scrollWidth") <= width
