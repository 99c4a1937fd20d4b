"""The report in a headless Chromium, opened as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from tests.conftest import Project

PLOTS = {"accuracies", "losses", "coefficients", "groups"}


class Report:
    """The report of a project, opened afresh."""

    def __init__(self, browser: webdriver.Chrome, project: Project) -> None:
        self.browser = browser
        ran = project.kedro("runs", "path", "report")
        assert ran.returncode == 0, ran.stderr
        self.url = Path(ran.stdout.rstrip("\n")).as_uri()

    def open(
        self, width: int = 1280, height: int = 900, media: str = "screen", scheme: str = "light"
    ) -> None:
        """Load the page on a screen of so many pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        look = {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", look)
        for log in ("browser", "performance"):
            self.browser.get_log(log)  # type: ignore[no-untyped-call]
        self.browser.get(self.url)

    def ask(self, script: str) -> Any:
        """Evaluate an expression in the page."""
        return self.browser.execute_script(f"return {script}")

    def colour(self, selector: str, of: str = "color") -> int:
        """How bright a colour of an element is, from 0 to 765."""
        colour = self.ask(f"getComputedStyle(document.querySelector('{selector}'))['{of}']")
        return sum(int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3])


@pytest.fixture(scope="module")
def report(browser: webdriver.Chrome, sample_run: Project) -> Report:
    """The report of a run of the sample."""
    return Report(browser, sample_run)


def test_page_draws_its_plots_and_asks_for_nothing(report: Report) -> None:
    report.open()
    drawn = report.ask("[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot.id)")
    assert set(drawn) == PLOTS
    assert report.ask("document.querySelectorAll('.plot .main-svg').length") >= len(PLOTS)
    complaints = report.browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert [entry["message"] for entry in complaints] == []
    events = report.browser.get_log("performance")  # type: ignore[no-untyped-call]
    messages = [json.loads(entry["message"])["message"] for entry in events]
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {report.url}


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_page_fits_phones_and_wide_screens(report: Report, width: int) -> None:
    report.open(width=width)
    assert report.ask("document.documentElement.scrollWidth") <= width
    right = report.ask(
        "Math.max(...[...document.querySelectorAll('.plot')].map(p => p.getBoundingClientRect().right))"
    )
    assert right <= width


@pytest.mark.parametrize(
    ("media", "scheme", "is_dark"), [("screen", "light", False), ("screen", "dark", True)]
)
def test_text_stands_out_by_day_and_by_night(report: Report, media: str, scheme: str, is_dark: bool) -> None:
    report.open(media=media, scheme=scheme)
    background = report.colour("body", of="background-color")
    assert (background < 150) is is_dark
    for text, of in [
        ("h1", "color"),
        ("td", "color"),
        (".plot .xtick text", "fill"),
        (".plot .legendtext", "fill"),
    ]:
        assert abs(report.colour(text, of) - background) > 400, text


def test_paper_is_white_even_by_night(report: Report) -> None:
    report.open(media="print", scheme="dark")
    assert report.colour("body", of="background-color") == 765
    assert report.colour("h1") == report.colour(".plot .xtick text", of="fill") == 0


def test_a_variant_has_one_colour_in_words_tables_and_plots(report: Report) -> None:
    report.open()
    tile = report.ask("getComputedStyle([...document.querySelectorAll('.tile')].at(-1)).borderTopColor")
    key = report.ask("getComputedStyle([...document.querySelectorAll('tbody .key')].at(-1)).color")
    line = report.ask(
        "[...document.querySelectorAll('#losses .scatterlayer .trace .js-line')].at(-1).style.stroke"
    )
    assert tile == key == line


def test_the_article_is_green_on_its_own_passengers(browser: webdriver.Chrome, article_run: Project) -> None:
    report = Report(browser, article_run)
    report.open()
    assert report.ask("document.querySelectorAll('#article details.same').length") == 28
    assert report.ask("document.querySelectorAll('#article .different').length") == 0
    verdict = report.ask("document.querySelector('#article .verdict').textContent")
    assert verdict == "✓ 12 of 12"
