"""A headless Chromium, and Kedro-Viz in it, on a run of all pipelines."""

from __future__ import annotations

import functools
import json
import os
import random
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.support import processes
from tests.support.project import Project

WIDTH, HEIGHT = 1600, 1000
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
NO_HINTS = (
    "if (location.protocol == 'http:') localStorage.setItem('KedroViz', '{\"showFeatureHints\": false}')"
)
FONTS = "https://fonts.googleapis.com/css2?family=Inter:wght@400;600&display=swap"
"""The only request to another host of the page that Kedro-Viz serves: for its font. It contains no data of
ours. Without network it causes an error in the console, and the page uses another font. Built sites do not
make it."""


@dataclass
class Page:
    """A page of Kedro-Viz, with its requests and its messages in the console."""

    driver: webdriver.Chrome
    url: str
    may_ask: set[str] = field(default_factory=set)

    def open(self, query: str = "") -> None:
        """Load the page and wait until it has drawn its graph."""
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)  # type: ignore[no-untyped-call]
        self.driver.get(self.url + query)
        self.wait_for(lambda: self.boxes())
        self.wait_until_still()

    def boxes(self) -> dict[str, WebElement]:
        """Return the boxes of the graph by name."""
        boxes = self.driver.find_elements(By.CSS_SELECTOR, ".pipeline-node")
        return {box.text.strip(): box for box in boxes}

    def places(self) -> dict[str, dict[str, float]]:
        """Return the position of each box of the graph in the window."""
        places: dict[str, dict[str, float]] = self.driver.execute_script(
            "return Object.fromEntries([...document.querySelectorAll('.pipeline-node')]"
            ".map(box => [box.textContent.trim(), box.getBoundingClientRect().toJSON()]))"
        )
        return places

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements that match a CSS selector."""
        return [element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def rows(self, selector: str) -> list[str]:
        """Return each row of a table as its cells, separated by tabs."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".map(row => [...row.cells].map(cell => cell.textContent).join('\\t'))"
        )
        rows: list[str] = self.driver.execute_script(script, selector)
        return rows

    def find(self, selector: str) -> WebElement:
        """Wait for a visible element."""

        def shown() -> WebElement | None:
            elements = self.driver.find_elements(By.CSS_SELECTOR, selector)
            return next((element for element in elements if element.is_displayed()), None)

        found: WebElement = self.wait_for(shown)
        return found

    def look_up(self, name: str) -> None:
        """Search for a name in the sidebar, and click the result."""
        self.wait_for(self._close_panel)
        self.wait_until_still()
        search = self.find("#search-bar")
        search.send_keys(Keys.CONTROL, "a")
        search.send_keys(name)
        self.find(f".row-text[title='{name}']").click()
        self.wait_for_panel(name)

    def _close_panel(self) -> bool:
        """Close the panel on the right; its button cannot be clicked while it slides in."""
        close = ".pipeline-metadata--visible .pipeline-metadata__close-button"
        buttons = self.driver.find_elements(By.CSS_SELECTOR, close)
        for button in buttons:
            button.click()
        return not buttons

    def click(self, name: str) -> None:
        """Click a box of the graph, once the graph has stopped moving."""
        self.wait_until_still()
        self.boxes()[name].click()
        self.wait_for_panel(name)

    def wait_for_panel(self, name: str) -> None:
        """Wait until the panel on the right shows this name."""
        self.wait_for(lambda: name in self.texts(".pipeline-metadata--visible .pipeline-metadata__title"))

    def panel(self) -> str:
        """Return the text of the panel on the right."""
        return self.find(".pipeline-metadata--visible").text

    def wait_for(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition is true."""
        ignored = (ElementNotInteractableException, StaleElementReferenceException)
        return WebDriverWait(self.driver, 20, 0.05, ignored).until(lambda _: condition())

    def wait_until_still(self) -> None:
        """Wait until the graph has stopped moving."""

        def still() -> bool:
            before = self.places()
            time.sleep(0.1)
            return before == self.places()

        self.wait_for(still)

    def complaints(self) -> list[str]:
        """Return errors and warnings in the console, except those of permitted requests to other hosts."""
        entries: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [
            entry["message"]
            for entry in entries
            if entry["level"] in ("WARNING", "SEVERE")
            and not any(entry["message"].startswith(f"{url} - Failed to load") for url in self.may_ask)
        ]

    def asked_elsewhere(self) -> set[str]:
        """Return the requests to other hosts."""
        entries: list[dict[str, str]] = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        events = [json.loads(entry["message"])["message"] for entry in entries]
        asked = {
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        }
        host = self.url.split("/")[2]
        here = (f"http://{host}/", f"blob:http://{host}/", "data:", "about:", "chrome:")
        return {url for url in asked if not url.startswith(here)}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A headless Chromium. In CI, where REQUIRE_BROWSER is set, its absence is a failure."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        missing = "Chromium is not installed; run `apt-get install chromium chromium-driver`"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(driver, popen_kw={"start_new_session": True})
    chrome = webdriver.Chrome(options=options, service=service)
    processes.guard(service.process.pid)
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NO_HINTS})
    yield chrome
    chrome.quit()
    processes.kill(service.process.pid)


@pytest.fixture(scope="session")
def built_site(article_run: Project) -> Path:
    """Return the site that `kedro viz build` writes after a run of all pipelines."""
    built = article_run.kedro("viz", "build", "--include-previews")
    assert (built.returncode, built.stderr) == (0, "")
    return article_run.folder / "build"


@contextmanager
def serve_site(browser: webdriver.Chrome, built_site: Path) -> Iterator[Page]:
    """Serve a built site from a subfolder of a static file server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(built_site.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Page(browser, f"http://127.0.0.1:{server.server_port}/{built_site.name}/")
        server.shutdown()


@pytest.fixture(scope="module")
def built_page(browser: webdriver.Chrome, built_site: Path) -> Iterator[Page]:
    """Return the built site of a run of all pipelines."""
    with serve_site(browser, built_site) as page:
        yield page


@pytest.fixture(scope="module")
def served_page(browser: webdriver.Chrome, article_run: Project) -> Iterator[Page]:
    """Return the page that `kedro viz run` serves."""
    port = random.randrange(20_000, 30_000)  # outside the range of outgoing connections
    command = [sys.executable, "-m", "kedro", "viz", "run", "--no-browser", "--port", str(port)]
    # Kedro-Viz asks PyPI for its newest version; here that fails at once.
    environment = os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9"}
    output = article_run.folder / "viz.txt"
    with output.open("w") as file:
        viz = processes.start(command, cwd=article_run.folder, env=environment, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 60
        while not (running := re.search(r"is running at\s+(http://127\.0\.0\.1:\d+/)", output.read_text())):
            assert viz.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        assert "Warning" not in output.read_text()
        yield Page(browser, running[1], may_ask={FONTS})
    finally:
        processes.kill(viz.pid)  # with the process that serves
        viz.wait(20)


@pytest.fixture(scope="module", params=["served", "built"])
def page(request: pytest.FixtureRequest) -> Page:
    """Return Kedro-Viz, served or built, opened once."""
    page: Page = request.getfixturevalue(f"{request.param}_page")
    page.open()
    return page
