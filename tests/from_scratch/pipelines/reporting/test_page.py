from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest
from torch import Tensor

from from_scratch.pipelines.reporting import coefficient_plots, learning_plots, nodes, plots
from from_scratch.pipelines.reporting.article import compare_with_article
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.reporting.page import write_report
from from_scratch.pipelines.stability.summary import summarise
from from_scratch.schema.parameters import Stability
from tests.from_scratch.pipelines.stability.conftest import make_runs


def write(
    data: PreparedData,
    results: dict[str, Results],
    figures: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
    summary: pd.DataFrame | None = None,
    runs: pd.DataFrame | None = None,
) -> str:
    """Return the page without plotly.js."""
    groups = nodes.compare_groups(data, results) if groups is None else groups
    page = write_report(
        data,
        results,
        nodes.compare_answers(data, results),
        groups,
        compare_with_article(data, results) if figures is None else figures,
        plots.plot_accuracies(results),
        learning_plots.plot_losses(results),
        learning_plots.plot_epoch_accuracies(nodes.trace_accuracies(data, results), results),
        coefficient_plots.plot_coefficients(nodes.name_coefficients(data, results), data, results),
        runs,
        summary,
        None if summary is None or runs is None else plots.plot_stability(runs, summary, results),
    )
    assert page.count("<script>") == 2
    return re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)


def test_page_contains_the_results(data: PreparedData, results: dict[str, Results]) -> None:
    page = write(data, results)
    assert "Your own file" in page
    assert "The article and this run" not in page
    assert """http-equiv="Content-Security-Policy" content="default-src 'none';""" in page
    assert "<td>2</td><td>25.0 %</td>" in page, "of eight ages two are missing"
    for words in (
        "4 training rows and 4 validation rows",
        "seed 42",
        "float32 with 1 thread",
        "smaller groups",
    ):
        assert words in page
    right = page.partition("How often each variant is right")[2]
    line = re.search(r"<tr><th>[^\n]*line</th>.*?</tr>", right)
    assert line is not None
    cells = re.findall(r"<td>(.*?)</td>", line[0])
    assert cells == ["0.7500", "0.301 to 0.954", "2", "0", "1", "1", "0.7500"]
    scores = page.partition("How good the scores are")[2]
    line = re.search(r"<tr><th>[^\n]*net</th>.*?</tr>", scores)
    assert line is not None
    cells = re.findall(r"<td>(.*?)</td>", line[0])
    assert cells[:1] + cells[2:] == ["0.6667", "0.9167", "0.6667", "0.6667", "0.6667", "0.9030", "0.3275"]


def test_page_leads_with_ranks_where_positives_are_rare(
    data: PreparedData, results: dict[str, Results]
) -> None:
    sections = re.findall(r"<h2>(.*?)</h2>", write(data, results))
    place = sections.index("How often each variant is right")
    assert sections[place + 1] == "How good the scores are"
    rare = {
        variant: replace(result, metrics=result.metrics | {"train_rows": 96, "majority_accuracy": 0.96})
        for variant, result in results.items()
    }
    page = write(data, rare)
    assert re.findall(r"<h2>(.*?)</h2>", page)[place : place + 2] == sections[place : place + 2][::-1]
    verdict, _, models = page.partition("The verdict")[2].partition("What changes from model to model")
    assert verdict.index("Accuracy is misleading here") < verdict.index("each ROC AUC is uncertain by")
    assert "sign test" not in verdict, "it compares answers, as accuracy does"
    cards = models.partition("</section>")[0]
    assert "ROC AUC and average precision on the validation rows" in re.sub(r"\s+", " ", cards)
    assert "average precision 0.9167" in cards
    assert page.index("<th>true positives</th>") < page.index('id="accuracies"'), "accuracy does not lead"


def test_page_counts_the_largest_categories(data: PreparedData, results: dict[str, Results]) -> None:
    def listed(data: PreparedData) -> list[tuple[str, str]]:
        table = write(data, results).partition("<caption>Categories</caption>")[2].partition("</table>")[0]
        return re.findall(r"<td>(\S+)</td><td>(\S+)</td><td>", table)

    assert listed(data) == [("&lt;i&gt;female&lt;/i&gt;", "5"), ("1", "6")], (
        "smaller categories could identify a person"
    )
    public = replace(data, source={**data.source, "source": "original"})
    assert len(listed(public)) == 4
    many = {"x": {f"c{i}": rows for i, rows in enumerate([7, 9, 8, 6, 30, 31, 32, 33, 34, 35])}}
    shown = [category for category, _ in listed(replace(data, category_counts=many))]
    assert shown == ["c1", "c2", "c4", "c5", "c6", "c7", "c8", "c9"]


def test_page_of_data_too_small_for_groups(data: PreparedData, results: dict[str, Results]) -> None:
    few = {
        variant: replace(result, predictions=firsts(result.predictions))
        for variant, result in results.items()
    }
    assert "Plotly.newPlot" in write(replace(data, train=firsts(data.train), valid=firsts(data.valid)), few)


def firsts(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the first row of each tensor."""
    return {name: tensor[:1] for name, tensor in tensors.items()}


def test_page_of_thousands_of_groups_shows_the_largest(
    data: PreparedData, results: dict[str, Results]
) -> None:
    groups = pd.DataFrame(
        {
            "group": [f"g{i} ·" for i in range(5000)],
            "rows": range(5000),
            "observed": 0.5,
            "line": 1.0,
            "net": 0.0,
        }
    )
    page = write(data, results, groups=groups)
    assert "Of 5000 groups, the 24 largest are shown." in " ".join(page.split())
    assert "g4999 ·" in page
    assert "g4975 ·" not in page


def test_figures_that_are_all_the_same_are_one_folded_line(
    data: PreparedData, results: dict[str, Results]
) -> None:
    columns = ["section", "title", "figure", "article", "ours", "same"]
    exact = ["5", "missing values", "Age", "177", "177", True]
    page = write(data, results, pd.DataFrame([exact], columns=columns))
    assert "This run reproduces all 1 figures that the article prints, to the last printed digit." in page
    assert "<details>\n<summary>Figure by figure" in page
    rounded = ["6.4", "matrix products", "1", "-0.5005", "-0.5006", True]
    page = write(data, results, pd.DataFrame([exact, rounded], columns=columns))
    assert "this run reproduces 1 to the last printed digit; 1 differs by one in that digit." in page


def test_only_columns_with_missing_values_are_listed(data: PreparedData, results: dict[str, Results]) -> None:
    table = write(data, results).partition("<caption>Missing values</caption>")[2].partition("</table>")[0]
    assert "<th>Age</th>" in table
    assert "Sex" not in table
    page = write(replace(data, missing_values={"Age": 0}), results)
    assert "No values are missing." in page


def test_a_card_shows_the_models_formula_and_its_number_of_coefficients(
    data: PreparedData, results: dict[str, Results]
) -> None:
    page = write(data, results)
    cards = page.partition("What changes from model to model")[2].partition("</section>")[0]
    assert "ŷ = Σ xⱼ wⱼ</span>" in cards
    assert "<span>5 coefficients, learning rate 0.1, 2 epochs</span>" in cards
    assert "<span>14 coefficients, learning rate 0.1, 2 epochs</span>" in cards


def test_every_section_has_an_anchor_that_the_contents_name(
    data: PreparedData, results: dict[str, Results]
) -> None:
    page = write(data, results)
    anchors = re.findall(r'<a href="#(\w+)">', page)
    assert len(anchors) == len(set(anchors)) > 8
    assert anchors == re.findall(r'<section id="(\w+)"', page)


def test_page_is_the_same_for_the_same_inputs(data: PreparedData, results: dict[str, Results]) -> None:
    assert write(data, results) == write(data, results)


def test_page_without_the_study_names_the_command(data: PreparedData, results: dict[str, Results]) -> None:
    page = write(data, results)
    assert "<code>kedro run --pipeline stability</code>" in page
    assert 'id="stability"' not in page


def test_page_with_the_study(data: PreparedData, results: dict[str, Results]) -> None:
    runs = make_runs(
        {"line": ("linear", [[0.7, 0.7], [0.7, 0.8]]), "net": ("deep", [[0.6, 0.6], [0.62, 0.9]])}
    )
    page = write(data, results, summary=summarise(runs, Stability()), runs=runs)
    assert "kedro run --pipeline stability" not in page
    assert (
        "Depth brings no measurable gain here. Over 2 seeds and 2 splits, the best net with hidden layers "
        "(net) "
        "does not differ measurably from the best model without (line): −4.5 points" in page
    )
    assert "net trains in 25.0 % of its 4 runs" in page
    section = page.partition("Is deep learning any better here?")[2].partition("</section>")[0]
    assert "the 4 runs of a variant: seeds 0 to 1 on 2 random splits" in section
    spread, majority, against = (
        [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr><th>.*?</tr>", table)[1:]]
        for table in section.split("<table>")[1:]
    )
    assert [row[0] for row in spread] == ["0.7250", "0.6800"]
    assert [row[0] for row in majority] == ["75.0 %"]
    assert "In every run, line is better than the baseline on the same split." in re.sub(r"\s+", " ", section)
    ((difference, _, *shares, trained, interval),) = against
    assert (difference, *shares) == ("−4.5", "25.0 %", "0 %", "75.0 %")
    assert (trained, interval) == ("+10.0", "–"), "one run trains: no interval"
    assert '"stability": {"data"' in page


def test_names_are_no_markup(data: PreparedData, results: dict[str, Results]) -> None:
    name = "</script><script>alert(1)</script>"
    target = data.columns.target.model_copy(update={"column": name})
    columns = data.columns.model_copy(update={"target": target})
    page = write(replace(data, columns=columns, categories={**data.categories, name: ["0", name]}), results)
    assert "<script>alert" not in page
    assert "&lt;b&gt;Sex&lt;/b&gt;" in page


@pytest.mark.parametrize("variants", [["line"], ["net"]])
def test_page_of_one_variant(data: PreparedData, results: dict[str, Results], variants: list[str]) -> None:
    assert variants[0] in write(data, {variant: results[variant] for variant in variants})


def test_article_is_green_where_it_is_the_same_and_red_elsewhere(
    data: PreparedData, results: dict[str, Results]
) -> None:
    figures = pd.DataFrame(
        [
            ["5", "missing values", "Age", "177", "177", True],
            ["6.2", "linear: loss", "1", "0.536", "0.536", True],
            ["6.2", "linear: loss", "2", "0.502", "0.503", False],
        ],
        columns=["section", "title", "figure", "article", "ours", "same"],
    )
    page = write(data, results, figures)
    assert (
        "Of 3 figures that the article prints, this run reproduces 2 to the last printed digit; 1 is "
        "different." in page
    )
    assert '<details class="same">' in page
    assert "<details open>\n<summary>Figure by figure" in page
    assert '<details class="different" open>' in page
    assert '<tr class="different"><th>2</th><td>0.502</td><td>0.503</td><td>✗</td></tr>' in page


def test_groups_of_the_articles_data_may_be_small(data: PreparedData, results: dict[str, Results]) -> None:
    page = write(replace(data, source=data.source | {"source": "original"}), results)
    table = page.partition("What they predict for whom")[2]
    row = re.search(r"<th>women, 1st class</th>.*?</tr>", table, re.DOTALL)
    assert row is not None
    assert re.findall(r">([^<>\n]+)</td>", row[0]) == ["3", "67 %", "yes", "yes"]
    assert "<summary>Groups of fewer than five rows</summary>" in table
