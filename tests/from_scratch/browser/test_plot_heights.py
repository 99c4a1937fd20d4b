"""Plots keep their height when the window changes, so that nothing overlaps."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from tests.from_scratch.browser.test_pages import LocalPage, find_report
from tests.support.project import Project

pytestmark = pytest.mark.slow

SIZES = {
    "a pixel lower": (1440, 899),
    "a pixel higher": (1440, 901),
    "a pixel narrower": (1439, 900),
    "smaller": (1000, 600),
    "a phone": (390, 844),
    "a phone that was turned": (844, 390),
    "a phone that was turned back": (390, 844),
    "as it was": (1440, 900),
}
HEIGHTS = """[...document.querySelectorAll('.js-plotly-plot')].map(plot => [
    plot._fullLayout.height,
    Math.round(plot.getBoundingClientRect().height),
    Math.round(plot.querySelector('.main-svg').getBoundingClientRect().height),
])"""
"""The heights of each plot's layout, div and drawing."""
WATCH_PRINT = f"""
matchMedia('print').addEventListener('change', event => {{ if (event.matches) window.printed = {HEIGHTS} }})
"""


@pytest.fixture(scope="module")
def pages(article_run: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the two kinds of pages with plots."""
    folder = tmp_path_factory.mktemp("pages")
    history = folder / "history.html"
    assert article_run.kedro("runs", "history", "--html", str(history)).returncode == 0
    return {"report": find_report(article_run), "history": history}


@pytest.mark.parametrize("name", ["report", "history"])
def test_plots_keep_their_height(browser: webdriver.Chrome, pages: dict[str, Path], name: str) -> None:
    expect_heights(LocalPage(browser, pages[name]))


def expect_heights(page: LocalPage) -> None:
    """Check that each plot's layout, div and drawing have the same height, and keep it."""
    page.open(width=1440, height=900)
    planned = page.ask(
        "[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot._fullLayout.height)"
    )
    expected = [[height] * 3 for height in planned]
    assert planned
    assert page.ask(HEIGHTS) == expected
    for change, (width, height) in SIZES.items():
        resize(page, width, height)
        assert page.ask(HEIGHTS) == expected, change
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    page.browser.execute_script(WATCH_PRINT)
    pdf = page.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert base64.b64decode(pdf["data"]).startswith(b"%PDF")
    printed = page.ask("window.printed")
    assert [plot[:2] for plot in printed] == [plot[:2] for plot in expected]
    # Drawings that are too wide for the paper are scaled down, or cut.
    assert all(drawing <= height for height, _, drawing in printed)
    assert page.ask(HEIGHTS) == expected, "after the print"


def resize(page: LocalPage, width: int, height: int) -> None:
    """Change the window's size, and wait until the plots fit it."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 900}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    fits = """[...document.querySelectorAll('.js-plotly-plot')].every(plot =>
        Math.abs(plot._fullLayout.width - plot.clientWidth) < 1.5 &&
        Math.abs(plot.querySelector('.main-svg').getBoundingClientRect().width - plot.clientWidth) < 1.5)"""
    WebDriverWait(page.browser, 10).until(lambda _: page.ask(fits) and page.ask("innerWidth") == width)
