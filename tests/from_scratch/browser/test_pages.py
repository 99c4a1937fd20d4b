"""The report and the history in a headless Chromium, opened as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from from_scratch.article import VARIANTS
from kedro_ledger.styles import assign_styles
from tests.support.project import MakeProject, Project

PLOTS = {"accuracies", "losses", "epoch_accuracies", "coefficients"}


class LocalPage:
    """A page in a file."""

    def __init__(self, browser: webdriver.Chrome, file: Path) -> None:
        self.browser = browser
        self.url = file.as_uri()

    def open(
        self, width: int = 1280, height: int = 900, media: str = "screen", scheme: str = "light"
    ) -> None:
        """Load the page on a screen of this size in pixels."""
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
        """Return the brightness of an element's colour, from 0 to 765."""
        colour = self.ask(f"getComputedStyle(document.querySelector('{selector}'))['{of}']")
        return sum(int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3])

    def expect_no_complaint_and_no_request(self) -> None:
        """Check that the page has no errors, and requested nothing but itself."""
        complaints = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        assert [entry["message"] for entry in complaints] == []
        events = self.browser.get_log("performance")  # type: ignore[no-untyped-call]
        messages = [json.loads(entry["message"])["message"] for entry in events]
        asked = {
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        }
        assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {self.url}


def find_report(project: Project) -> Path:
    ran = project.kedro("runs", "path", "report")
    assert ran.returncode == 0, ran.stderr
    return Path(ran.stdout.rstrip("\n"))


@pytest.fixture(scope="module")
def report(browser: webdriver.Chrome, article_run: Project) -> LocalPage:
    """Return the report of a run."""
    return LocalPage(browser, find_report(article_run))


def test_page_draws_its_plots_and_asks_for_nothing(report: LocalPage) -> None:
    report.open()
    drawn = report.ask("[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot.id)")
    assert set(drawn) == PLOTS
    assert report.ask("document.querySelectorAll('.plot .main-svg').length") >= len(PLOTS)
    report.expect_no_complaint_and_no_request()


@pytest.mark.slow
def test_the_history_draws_what_is_opened(
    browser: webdriver.Chrome, article_run: Project, tmp_path: Path
) -> None:
    file = tmp_path / "history.html"
    assert article_run.kedro("runs", "history", "--html", str(file)).returncode == 0
    page = LocalPage(browser, file)
    page.open()
    drawn = "[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot.id)"
    assert page.ask(drawn) == ["plot-0"]
    assert page.ask("document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length") == 9
    browser.find_elements("css selector", "summary")[1].click()
    WebDriverWait(browser, 10).until(lambda _: page.ask(drawn) == ["plot-0", "plot-1"])
    page.expect_no_complaint_and_no_request()


@pytest.fixture(scope="module")
def history(
    browser: webdriver.Chrome, make_project: MakeProject, tmp_path_factory: pytest.TempPathFactory
) -> LocalPage:
    """Return the history of four runs: all, `deep` with another learning rate, inference, all."""
    project = make_project()
    project.run()
    project.run("--pipeline", "deep", "--params", "variants.deep.learning_rate=5")
    project.run("--pipeline", "inference", "--allow-mixed")
    project.run()
    file = tmp_path_factory.mktemp("history") / "history.html"
    assert project.kedro("runs", "history", "--html", str(file)).returncode == 0
    return LocalPage(browser, file)


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_the_history_shows_why_a_line_moves(history: LocalPage, width: int) -> None:
    history.open(width=width)
    rows = history.ask("[...document.querySelectorAll('details[open] tbody')].map(rows => rows.innerText)")
    assert len(rows) == 4
    assert "kedro run · changed: variants.deep.learning_rate: 5 → 4" in rows[0]
    assert rows[1].strip() == "1 run without valid_accuracy: no. 3"
    command = "kedro run --pipeline deep --params variants.deep.learning_rate=5"
    assert f"{command} · changed: variants.deep.learning_rate: 4 → 5" in rows[2]
    assert "changed" not in rows[3]
    right = "[...document.querySelectorAll('.why > *')].map(why => why.getBoundingClientRect().right)"
    assert max(history.ask(right)) <= width
    history.browser.execute_script("document.querySelector('tbody details').open = true")
    folded = history.ask("document.querySelector('tbody details').innerText")
    assert (
        "kedro run --pipeline inference --allow-mixed · changed: variants.deep.learning_rate: 5 → 4" in folded
    )
    history.expect_no_complaint_and_no_request()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_points_show_why_they_moved_and_lines_have_the_colours_of_the_variants(
    history: LocalPage, scheme: str
) -> None:
    history.open(width=390, scheme=scheme)
    data = "document.getElementById('plot-0').data"
    assert history.ask(f"{data}.map(line => line.meta)") == [
        *VARIANTS,
        "logistic",
        "deep_he",
        "deep_practice",
    ]
    styles = assign_styles(history.ask(f"{data}.map(line => line.meta)"))
    strokes = "[...document.querySelectorAll('#plot-0 .js-line')].map(line => line.style.stroke)"
    rgb = [tuple(bytes.fromhex(style["color"][1:])) for style in styles.values()]
    assert history.ask(strokes) == [f"rgb{colour}" for colour in rgb]
    background = history.colour("body", of="background-color")
    for text, of in [("td", "color"), (".why", "color"), (".plot .xtick text", "fill")]:
        assert abs(history.colour(text, of) - background) > 300, text
    history.browser.execute_script("Plotly.Fx.hover('plot-0', [{curveNumber: 5, pointNumber: 1}], ['xy6'])")
    label = "[...document.querySelectorAll('.hoverlayer .nums tspan')].map(line => line.textContent)"
    WebDriverWait(history.browser, 10).until(lambda _: history.ask(label))
    assert history.ask(label)[2:] == [
        "kedro run --pipeline deep --params",
        "variants.deep.learning_rate=5",
        "changed since no. 1:",
        "variants.deep.learning_rate: 4 → 5",
    ]
    box = "document.querySelector('.hoverlayer .hovertext').getBoundingClientRect()"
    assert 0 <= history.ask(f"{box}.left") < history.ask(f"{box}.right") <= 390


@pytest.mark.slow
def test_the_history_keeps_its_heights_when_the_window_changes(history: LocalPage) -> None:
    history.open(width=1280)
    height = history.ask("document.getElementById('plot-0').clientHeight")
    size = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    history.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    fit = "document.querySelector('#plot-0 .main-svg').getBoundingClientRect().width <= 390"
    WebDriverWait(history.browser, 10).until(lambda _: history.ask(fit))
    assert history.ask("document.getElementById('plot-0').clientHeight") == height
    assert history.ask("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 768, 1920])
def test_page_fits_phones_and_wide_screens(report: LocalPage, width: int) -> None:
    report.open(width=width)
    assert report.ask("document.documentElement.scrollWidth") <= width
    right = report.ask(
        "Math.max(...[...document.querySelectorAll('.plot')].map(p => p.getBoundingClientRect().right))"
    )
    assert right <= width


@pytest.mark.slow
@pytest.mark.parametrize(
    ("media", "scheme", "is_dark"), [("screen", "light", False), ("screen", "dark", True)]
)
def test_text_has_contrast_in_light_and_dark_mode(
    report: LocalPage, media: str, scheme: str, is_dark: bool
) -> None:
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


@pytest.mark.slow
def test_paper_is_white_even_in_dark_mode(report: LocalPage) -> None:
    report.open(media="print", scheme="dark")
    assert report.colour("body", of="background-color") == 765
    assert report.colour("h1") == report.colour(".plot .xtick text", of="fill") == 0


@pytest.mark.slow
def test_a_variant_has_one_colour_in_words_tables_and_plots(report: LocalPage) -> None:
    report.open()
    tile = report.ask("getComputedStyle([...document.querySelectorAll('.tile')].at(-1)).borderTopColor")
    key = report.ask("getComputedStyle([...document.querySelectorAll('tbody .key')].at(-1)).color")
    line = report.ask(
        "[...document.querySelectorAll('#losses .scatterlayer .trace .js-line')].at(-1).style.stroke"
    )
    assert tile == key == line


@pytest.mark.slow
def test_the_article_is_green_on_its_own_passengers(browser: webdriver.Chrome, article_run: Project) -> None:
    report = LocalPage(browser, find_report(article_run))
    report.open()
    assert report.ask("document.querySelectorAll('#article details.same').length") == 28
    assert not report.ask("document.querySelector('#article > details').open")
    assert report.ask("document.querySelectorAll('#article .different').length") == 0
    verdict = report.ask("document.querySelector('#article .verdict').textContent")
    assert verdict == "✓ 12 of 12"


@pytest.mark.slow
def test_plots_keep_their_place_when_the_window_changes(report: LocalPage) -> None:
    report.open(width=1440)
    plots = "[...document.querySelectorAll('.plot')]"
    before = report.ask(f"{plots}.map(plot => plot.clientHeight)")
    size = {"width": 700, "height": 2000, "deviceScaleFactor": 1, "mobile": False}
    report.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    fit = f"{plots}.every(plot => plot.querySelector('.main-svg').getBoundingClientRect().width < 700)"
    WebDriverWait(report.browser, 10).until(lambda _: report.ask(fit))
    assert report.ask(f"{plots}.map(plot => plot.clientHeight)") == before
