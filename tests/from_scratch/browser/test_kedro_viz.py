from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from from_scratch.article import VARIANTS as ARTICLE
from tests.from_scratch.browser.conftest import HEIGHT, WIDTH, Page

pytestmark = pytest.mark.slow

VARIANTS = [*ARTICLE, "logistic", "deep_he", "deep_practice"]
RESULTS = {f"{variant}.results" for variant in VARIANTS}
BOXES = {"data_processing", "reporting", *ARTICLE, "practice"}
LEAVES = {"raw_data", "source", "train", "valid", "prepared_data", *RESULTS, "comparison", "report"}

OTHER_FONT = 16
"""Pixels by which boxes are wider where Kedro-Viz's own font, Inter, is not installed."""


@pytest.fixture(autouse=True)
def _nothing_is_wrong(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "page" not in request.fixturenames:
        return
    page: Page = request.getfixturevalue("page")
    assert page.complaints() == []
    assert page.asked_elsewhere() <= page.may_ask


def test_everything_fits_one_screen_and_reads_from_raw_data_to_comparison(page: Page) -> None:
    places = page.places()
    assert set(places) == BOXES | LEAVES
    sidebar = page.find(".pipeline-sidebar").rect
    begin = sidebar["x"] + sidebar["width"] - OTHER_FONT
    for name, place in places.items():
        assert begin < place["left"] < place["right"] < WIDTH, name
        assert 0 < place["top"] < place["bottom"] < HEIGHT, name
    for way in [
        ("raw_data", "data_processing", "train", box, f"{variant}.results", "reporting", "comparison")
        for variant in VARIANTS
        for box in [variant if variant in ARTICLE else "practice"]
    ]:
        tops = [places[name]["top"] for name in way]
        assert tops == sorted(set(tops)), way
    layers = ["01_raw", "05_model_input", "08_reporting"]
    page.wait_for(lambda: page.texts(".pipeline-layer-name") == layers)


def test_tensors_show_when_clicked(page: Page) -> None:
    page.click("train")
    page.find(".pipeline-metadata--visible td")
    header, *rows = (row.split("\t") for row in page.rows(".pipeline-metadata--visible tr"))
    assert header == ["name", "shape", "dtype", "minimum", "mean", "maximum"]
    assert [row[:4] + row[5:] for row in rows] == [
        ["dependent", "713", "float32", "0", "1"],
        ["independent", "713 × 12", "float32", "0", "1"],
    ]


def test_coefficients_show_as_heat_maps_beside_their_table(page: Page) -> None:
    page.look_up("deep.coefficients")
    page.find(".pipeline-metadata--visible td")
    cells = "[...document.querySelectorAll('.pipeline-metadata--visible .html-renderer svg')]"
    assert page.driver.execute_script(f"return {cells}.map(map => map.querySelectorAll('rect').length)") == [
        120,
        100,
        10,
    ]
    shown = page.driver.execute_script(f"return {cells}.map(map => map.previousElementSibling.textContent)")
    assert shown == ["layer1", "layer2", "layer3"]
    assert len(page.rows(".pipeline-metadata--visible tr")) == 7


def test_no_value_of_a_row_shows_as_a_heat_map(page: Page) -> None:
    for name in ("train", "model_input", "deep.predictions"):
        page.look_up(name)
        page.find(".pipeline-metadata--visible td")
        assert not page.driver.find_elements("css selector", ".pipeline-metadata--visible .html-renderer svg")


def test_losses_show_as_a_plot(page: Page) -> None:
    page.look_up("deep.losses")
    page.find(".pipeline-metadata--visible .js-plotly-plot .main-svg")
    page.wait_for(lambda: len(page.texts(".js-plotly-plot .scatterlayer .trace")) == 1)


def test_the_report_shows_when_clicked(page: Page) -> None:
    page.click("report")
    page.wait_for(lambda: "From machine learning to deep learning" in page.panel())
    names = page.panel().replace("\N{MODIFIER LETTER LOW MACRON}", "_")
    assert "neural_net_slow" in names, "Markdown would take underscores for emphasis"


def test_metrics_show_when_clicked(page: Page) -> None:
    page.look_up("deep.metrics")
    page.wait_for(lambda: '"valid_accuracy":0.' in page.panel())
    assert '"source":"original"' in page.panel()


def test_a_plot_shows_when_clicked(page: Page) -> None:
    page.look_up("loss_plot")
    page.find(".pipeline-metadata--visible .js-plotly-plot .main-svg")
    page.wait_for(lambda: len(page.texts(".js-plotly-plot .scatterlayer .trace")) == len(VARIANTS))


def test_code_and_docstring_show(page: Page) -> None:
    page.look_up("fit")  # the first is that of deep
    page.driver.find_element("css selector", ".pipeline-metadata .pipeline-toggle-label").click()
    page.wait_for(lambda: "def fit(" in page.find(".pipeline-metadata-code--visible").text)
    assert "[rows, features]" in page.find(".pipeline-metadata-code--visible").text


def test_a_variant_reads_as_initialise_fit_predict_score(built_page: Page) -> None:
    built_page.open("?pid=deep&expandAllPipelines=true")
    places = built_page.places()
    steps = [places[step]["top"] for step in ("initialise", "fit", "predict", "score")]
    assert steps == sorted(set(steps))


def test_only_this_machine_is_served(served_page: Page) -> None:
    port = urlsplit(served_page.url).port
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    # A server that listens on all addresses of this machine would answer here too.
    with pytest.raises(OSError, match=r"refused|timed out|assign|unreachable"):
        socket.create_connection(("127.0.0.2", port), timeout=5)
