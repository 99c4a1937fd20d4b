"""Take the pictures in docs/pictures from the last committed run of all pipelines: `make pictures`."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from selenium import webdriver

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars"
).split()
SECTIONS = ("models", "learning", "ask", "certainty", "study", "learnt", "groups")
EPOCH = 12
"""Epoch in the picture of the models learning: the linear model tilts, and the deep net is still flat."""
SETTINGS = """
if (location.protocol == 'http:') localStorage.setItem('KedroViz', JSON.stringify({
    theme: 'light', showFeatureHints: false, visible: {sidebar: false, miniMap: false}}))
"""
ONLY_THE_GRAPH = """
const style = document.createElement('style');
style.textContent = '.pipeline-global-toolbar, .pipeline-sidebar, [class*=update-reminder] {display: none}';
document.head.append(style);
"""


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def main() -> None:
    """Build the site, serve it with the report beside it, and take the pictures."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        sys.exit("Chromium is not installed; run `apt-get install chromium chromium-driver`")
    kedro = [sys.executable, "-m", "kedro"]
    found = subprocess.run([*kedro, "runs", "path", "report"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if found.returncode:
        sys.exit("no report is committed yet; run `kedro run` to create one")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={folder}/browser"):
            options.add_argument(flag)
        options.binary_location = chromium
        subprocess.run([*kedro, "viz", "build", "--include-previews"], cwd=ROOT, check=True)
        (Path(folder) / "report.html").symlink_to(found.stdout.rstrip("\n"))
        (Path(folder) / "site").symlink_to(ROOT / "build")
        handler = partial(_QuietHandler, directory=folder)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
            try:
                chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SETTINGS})
                here = f"http://127.0.0.1:{server.server_port}"
                _take(chrome, f"{here}/site/", "graph.png", 1600, 1000)
                for box, width, height in (("data_processing", 900, 1300), ("deep", 1600, 1000)):
                    _take(chrome, f"{here}/site/?pid={box}", f"{box}.png", width, height, expand=box)
                _take(chrome, f"{here}/report.html", "report.png", 1280, 1150)
                _take_sections(chrome)
            finally:
                chrome.quit()
                server.shutdown()


def _take_sections(chrome: webdriver.Chrome) -> None:
    """Take a picture of each section of the open report; of the study only if it was run."""
    size = {"width": 1080, "height": 2400, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    time.sleep(2)
    for name in SECTIONS:
        if name == "study" and not chrome.find_elements("id", "stability"):
            continue
        if name == "learning":
            chrome.execute_script(f"go({EPOCH})")
            time.sleep(1)
        place = f"document.getElementById('{name}').getBoundingClientRect().toJSON()"
        box = chrome.execute_script(f"scrollTo(0, 0); return {place}")
        clip = {side: box[side] for side in ("x", "y", "width", "height")} | {"scale": 1}
        taken = chrome.execute_cdp_cmd(
            "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True, "format": "png"}
        )
        (PICTURES / f"report_{name}.png").write_bytes(base64.b64decode(taken["data"]))
        print(f"docs/pictures/report_{name}.png: {len(taken['data']) * 3 // 4000} kB")


def _take(
    chrome: webdriver.Chrome, url: str, name: str, width: int, height: int, expand: str | None = None
) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    chrome.get(url)
    time.sleep(4)  # until the layout is stable
    if expand:
        boxes = chrome.find_elements("css selector", ".pipeline-node")
        next(box for box in boxes if box.text.strip() == expand).click()
        away = {"type": "mouseMoved", "x": 1, "y": 1}
        chrome.execute_cdp_cmd("Input.dispatchMouseEvent", away)
        time.sleep(2)
    if "/site/" in url:
        chrome.execute_script(ONLY_THE_GRAPH)
        time.sleep(1)
    chrome.save_screenshot(str(PICTURES / name))
    print(f"docs/pictures/{name}: {(PICTURES / name).stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
