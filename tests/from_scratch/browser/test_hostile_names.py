"""Names that contain markup or links, or are very long, in the report, the history and Kedro-Viz."""

from __future__ import annotations

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

from tests.from_scratch.browser.conftest import HEIGHT, WIDTH, serve_site
from tests.from_scratch.browser.test_pages import LocalPage, find_report
from tests.support import hostile
from tests.support.project import MakeProject, Project

pytestmark = pytest.mark.slow

LINKS = "[...document.querySelectorAll('a')].map(a => a.getAttribute('href') || a.getAttribute('xlink:href'))"


@pytest.fixture(scope="module")
def hostile_run(make_project: MakeProject) -> Project:
    """Return a project with hostile names, after a run of all pipelines and a small study."""
    project = make_project()
    hostile.configure(project)
    project.run("--env", "hostile")
    study = f"stability.seeds=3,stability.splits=2,stability.reference={hostile.VARIANT}"
    project.run("--env", "hostile", "--pipeline", "stability", "--params", study)
    return project


@pytest.fixture(scope="module", params=["report", "history"])
def hostile_page(
    request: pytest.FixtureRequest,
    browser: webdriver.Chrome,
    hostile_run: Project,
    tmp_path_factory: pytest.TempPathFactory,
) -> LocalPage:
    """Return the report or the history of that project."""
    if request.param == "report":
        return LocalPage(browser, find_report(hostile_run))
    file = tmp_path_factory.mktemp("history") / "history.html"
    assert hostile_run.kedro("runs", "history", "--html", str(file)).returncode == 0
    return LocalPage(browser, file)


@pytest.mark.parametrize("width", [390, 1440])
def test_no_name_is_too_long_and_none_is_markup(hostile_page: LocalPage, width: int) -> None:
    hostile_page.open(width=width)
    for summary in hostile_page.browser.find_elements("css selector", "details:not([open]) > summary"):
        summary.click()
    assert hostile_page.ask("document.documentElement.scrollWidth") <= width
    wide = "[...document.querySelectorAll('main > *, section > *')].filter(e => e.scrollWidth > innerWidth)"
    assert hostile_page.ask(f"{wide}.filter(e => !e.matches('.table')).length") == 0
    cells = "Math.max(...[...document.querySelectorAll('th, td:not(.why)')].map(cell => cell.offsetWidth))"
    assert hostile_page.ask(cells) <= 340
    reasons = "[...document.querySelectorAll('.why > *')].filter(why => why.scrollWidth > innerWidth).length"
    assert hostile_page.ask(reasons) == 0
    links = "[...document.querySelectorAll('main a, svg a')].map(a => a.getAttribute('href'))"
    assert [link for link in hostile_page.ask(links) if not link.startswith("#")] == []
    styled = "document.querySelectorAll('svg tspan[style*=bold], svg tspan[style*=italic]').length"
    assert hostile_page.ask(styled) == 0
    areas = "[...document.querySelectorAll('.plot:not(#coefficients) .nsewdrag')]"
    share = "e.getBoundingClientRect().width / e.closest('.plot').clientWidth"
    assert hostile_page.ask(f"Math.min(...{areas}.map(e => {share}))") > 1 / 3
    hostile_page.expect_no_complaint_and_no_request()


def test_names_that_are_cut_are_whole_on_hover(browser: webdriver.Chrome, hostile_run: Project) -> None:
    page = LocalPage(browser, find_report(hostile_run))
    page.open(width=1440)
    labels = page.ask("[...document.querySelectorAll('#coefficients .ytick')].map(tick => tick.textContent)")
    assert labels[3] == "größe &amp;: +1 SD"
    assert labels[4] == '<a href="http://ev… <i>x</i>'
    bars = browser.find_elements("css selector", "#coefficients .scatterlayer .point")
    shown = "[...document.querySelectorAll('.hoverlayer .nums')].map(text => text.textContent).join('')"
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", bars[4])
    ActionChains(browser).move_to_element(bars[4]).perform()
    WebDriverWait(browser, 10).until(lambda _: f", {hostile.LINK}: " in page.ask(shown))
    (cell,) = (td for td in browser.find_elements("css selector", "tbody td") if td.text.startswith("KKK"))
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", cell)
    ActionChains(browser).move_to_element(cell).perform()
    WebDriverWait(browser, 10).until(lambda _: cell.get_attribute("title") == "K" * 5000)


def test_kedro_viz_shows_names_as_text(browser: webdriver.Chrome, hostile_run: Project) -> None:
    built = hostile_run.kedro("viz", "build", "--include-previews")
    assert built.returncode == 0, built.stderr
    with serve_site(browser, hostile_run.folder / "build") as page:
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for name, shown in {
            "report": "h2",
            "accuracy_plot": ".main-svg",
            "coefficient_plot": ".main-svg",
            "epoch_accuracy_plot": ".main-svg",
            "groups": "td",
        }.items():
            page.open()
            page.look_up(name)
            page.find(f".pipeline-metadata--visible {shown}")
            links = browser.execute_script(f"return {LINKS}")
            assert not [link for link in links if link and "evil" in link], name
