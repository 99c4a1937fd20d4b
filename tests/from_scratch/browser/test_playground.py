"""The interactive parts of the report: the page's own predictions, the slider, the buttons and the form."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
import torch
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from from_scratch.models import MODELS
from tests.from_scratch.browser.test_pages import LocalPage, find_report
from tests.support.project import RAW, MakeProject, Project

MODEL = "playground.models.find(model => model.name == arguments[0])"
PIXELS = "[...canvases].map(canvas => canvas.toDataURL())"


@pytest.fixture
def report(browser: webdriver.Chrome, article_run: Project) -> LocalPage:
    """Return the report of a run, newly opened."""
    page = LocalPage(browser, find_report(article_run))
    page.open()
    return page


def test_the_page_predicts_the_same_as_python(report: LocalPage, article_run: Project) -> None:
    catalog = article_run.open_catalog()
    x = catalog.load("valid")["independent"]
    assert len(x) == 178
    variants = report.ask("playground.models.map(model => model.name)")
    assert len(variants) == 9
    for variant in variants:
        by_epoch = catalog.load(f"{variant}.coefficients_by_epoch")
        initial = catalog.load(f"{variant}.initial_coefficients")
        predict = MODELS[catalog.load(f"params:variants.{variant}").model].predict
        last = len(next(iter(by_epoch.values())))
        for epoch in (0, 7, last):
            kept = {name: history[epoch - 1] for name, history in by_epoch.items()} if epoch else initial
            scores = report.browser.execute_script(
                f"const model = {MODEL}; return arguments[2].map(row => predict(model, arguments[1], row))",
                variant,
                epoch,
                x.tolist(),
            )
            torch.testing.assert_close(torch.tensor(scores), predict(kept, x), atol=1e-4, rtol=0)
        assert torch.allclose(
            torch.tensor(scores), catalog.load(f"{variant}.predictions")["valid"], atol=1e-4
        )


FILL = """
for (const [i, field] of playground.fields.entries()) {
  const value = arguments[0][field.column];
  inputs[i].value = value === null ? (field.categories ? field.fill : "") : value;
}
form.dispatchEvent(new Event("input"));
return Object.fromEntries(playground.models.map((model, i) => [model.name, answers[i].text.textContent]));
"""
PLACES = {"Sex": ["male", "female"], "Pclass": ["1", "2", "3"], "Embarked": ["C", "Q", "S"]}


@pytest.mark.slow
def test_the_form_answers_as_inference_does(browser: webdriver.Chrome, make_project: MakeProject) -> None:
    project = make_project()
    project.run()
    page = LocalPage(browser, find_report(project))
    page.open()
    passengers = pd.read_csv(RAW / "test.csv", dtype={"Pclass": str})
    columns = page.ask("playground.fields.map(field => field.column)")
    shown: list[dict[str, str]] = []
    for row in passengers[columns].to_dict("records"):
        values: dict[str, Any] = {name: None if pd.isna(value) else value for name, value in row.items()}
        values |= {name: names.index(values[name]) for name, names in PLACES.items() if values[name]}
        shown.append(page.browser.execute_script(FILL, values))
    assert passengers[columns].isna().any(axis=None), "some values are missing"
    for variant in ("linear", "deep", "logistic", "deep_practice"):
        project.run("--pipeline", "inference", "--params", f"inference.variant={variant}")
        scores = project.load("new_predictions")["score"]
        answers = project.load("submission")["Survived"]
        assert len(scores) == len(shown) == 418
        for words, score, answer in zip(shown, scores, answers, strict=True):
            verdict, _, number = words[variant].rstrip(")").partition(" (score ")
            assert float(number) == pytest.approx(score, abs=1e-4)
            assert verdict == ("survived" if int(answer) else "died")


def test_wrong_values_in_the_form_are_reported(report: LocalPage) -> None:
    fault = "document.getElementById('ask-faults').textContent"
    assert report.ask(fault) == ""
    fare = report.browser.find_element("css selector", "#ask [data-column=Fare]")
    fare.send_keys("-5")
    assert report.ask(fault) == "Fare is -5; expected a number of at least 0"
    assert report.ask("answers.map(({text}) => text.textContent).join('')") == ""
    fare.clear()
    fare.send_keys("30 pounds")
    assert report.ask(fault).startswith("Fare is 30 pounds; expected a number")
    fare.clear()
    fare.send_keys("30")
    assert report.ask(fault) == ""


def test_play_goes_through_the_epochs_and_moves_dots_and_surfaces(report: LocalPage) -> None:
    shown = "document.getElementById('epoch-shown').textContent"
    dot = "document.getElementById('losses').data.at(-1).x[0]"
    assert report.ask(shown) == "epoch 300 of 300"
    last, end = report.ask(PIXELS), report.ask(dot)
    report.browser.find_element("id", "play").click()
    WebDriverWait(report.browser, 10, 0.05).until(lambda _: report.ask("epoch") >= 2)
    report.browser.find_element("id", "play").click()
    stopped = report.ask("epoch")
    assert report.ask(shown) == f"epoch {stopped} of 300"
    assert report.ask(dot) == stopped < end
    early = report.ask(PIXELS)
    assert all(before != after for before, after in zip(early, last, strict=True))
    report.browser.find_element("css selector", "#surfaces button[aria-pressed=false]").click()
    assert report.ask(PIXELS) != early
    report.expect_no_complaint_and_no_request()


def test_deep_stays_flat_and_then_breaks(report: LocalPage) -> None:
    """The article's story: one answer for everyone, and then two."""
    different = """(() => {
        const model = playground.models.find(model => model.name == 'deep');
        return [5, 17, 30].map(epoch => {
            const scores = playground.fields.find(field => field.column == 'Sex').categories.map((_, sex) =>
                predict(model, epoch, encode([30, 0, 0, 10, sex, 0, 2])));
            return Math.abs(scores[0] - scores[1]);
        });
    })()"""
    flat, still_flat, broken = report.ask(different)
    assert flat < 0.05
    assert still_flat < 0.05
    assert broken > 0.9


@pytest.mark.slow
def test_columns_may_be_called_what_scripts_call_their_own(
    browser: webdriver.Chrome, make_project: MakeProject
) -> None:
    project = make_project()
    numbers = ["constructor", "append", "addEventListener", "toString"]
    words = ["__proto__", "hasOwnProperty"]
    with (project.folder / "data" / "01_raw" / "train.csv").open("w") as file:
        print("y", *numbers, *words, sep=",", file=file)
        for row in range(60):
            values = [(row * factor) % 17 for factor in (3, 5, 7, 11)]
            print(row % 3 > 0, *values, "ab"[row % 2], "cd"[row // 2 % 2], sep=",", file=file)
    features = {"target": {"column": "y", "positive": True}, "continuous": numbers, "categorical": words}
    others: dict[str, Any] = {"identifier": None, "log": [], "ignore": []}
    project.configure("parameters.yml", json.dumps({"features": features | others}))
    project.run()
    page = LocalPage(browser, find_report(project))
    page.open()
    assert page.ask("canvases.length") == 9
    before = page.ask(PIXELS)
    page.browser.find_element("css selector", "#surfaces button[aria-pressed=false]").click()
    assert page.ask(PIXELS) != before
    score = "answers[0].text.textContent"
    before = page.ask(score)
    append = page.browser.find_element("css selector", "#ask [data-column=append]")
    append.clear()
    append.send_keys("3,5")
    assert page.ask(score) != before
    assert page.ask("document.getElementById('ask-faults').textContent") == ""
    page.expect_no_complaint_and_no_request()


@pytest.mark.slow
def test_on_paper_nothing_moves_and_the_last_epoch_is_shown(report: LocalPage) -> None:
    last = report.ask(PIXELS)
    report.browser.execute_script("go(0)")
    assert report.ask(PIXELS) != last
    report.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert report.ask(PIXELS) == last
    report.open(media="print")
    moving = "[...document.querySelectorAll('[data-moves], button, input, select')]"
    assert report.ask(f"{moving}.filter(e => e.checkVisibility()).length") == 0
    assert report.ask("canvases.every(canvas => canvas.checkVisibility())")
