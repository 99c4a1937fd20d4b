from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import torch

from from_scratch.pipelines.reporting import nodes
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.reporting.console import render_comparison
from from_scratch.pipelines.reporting.sentences import describe_baseline, describe_undefined
from from_scratch.pipelines.reporting.statistics import sign_test
from from_scratch.schema.parameters import Variant
from kedro_ledger.errors import InputError


def metrics(source: str) -> dict[str, Any]:
    return {
        "source": source,
        "file": "bikes.csv",
        "target": "sold",
        "negative": "no",
        "positive": "yes",
        "baseline": "no",
        "model": "deep",
        "train_rows": 713,
        "train_positives": 270,
        "valid_rows": 178,
        "valid_positives": 72,
        "true_positives": 40,
        "false_positives": 20,
        "valid_accuracy": 0.75,
        "valid_accuracy_low": 0.7,
        "valid_accuracy_high": 0.8,
        "majority_accuracy": 0.5955,
        "valid_roc_auc": 0.85,
        "valid_roc_auc_low": 0.8,
        "valid_roc_auc_high": 0.9,
        "valid_average_precision": 0.6,
        "valid_precision": None,
        "valid_recall": 0.0,
        "valid_f1": 0.0,
        "valid_log_loss": 0.4,
        "valid_brier_score": 0.1,
        "leaks": {},
        "undefined": {"valid_precision": "no row is predicted positive"},
        "last_loss": 0.195,
        "epochs": 30,
    }


DEEP = Variant(model="deep", seed=1, learning_rate=4, epochs=30, hidden=[10, 10])
FELL = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.2]})


def compare(
    metrics_of: dict[str, dict[str, Any]], variant: Variant = DEEP, losses: pd.DataFrame = FELL
) -> tuple[pd.DataFrame, str]:
    """Return the comparison, and the text that the console prints about it."""
    variants = dict.fromkeys(metrics_of, variant)
    comparison = nodes.compare_metrics(metrics_of, variants)
    return comparison, render_comparison(comparison, dict.fromkeys(metrics_of, losses), variants)


def test_article_is_shown_for_the_original_passengers() -> None:
    comparison, table = compare({"deep": metrics("original"), "wide": metrics("original")})
    assert comparison["variant"].tolist() == ["deep", "wide"]
    assert comparison["article_accuracy"].fillna(0).tolist() == [0.8258, 0]
    assert "source: original" in table
    row = next(line for line in table.splitlines() if "deep" in line)
    assert row.split() == ["deep", "0.7500", "0.700", "to", "0.800", "0.8500", "0.8258", "0.195", "30"]
    last = table.splitlines()[-1].split()
    assert last == ["baseline", "(always", "'no')", "0.5955", "-", "0.5000", "-", "-", "-"]
    assert next(line for line in table.splitlines() if "wide" in line).split()[-3] == "-"
    assert table.isascii(), "a console may know no other letters"


def test_article_is_not_shown_for_other_passengers() -> None:
    comparison, table = compare({"deep": metrics("own")})
    assert comparison["article_accuracy"].isna().all()
    assert "source: own (bikes.csv: is sold 'yes'?)" in table
    assert "article" not in table


def test_variants_beyond_the_article_are_listed_apart() -> None:
    _, table = compare({"wide": metrics("original"), "deep": metrics("original")})
    lines = [line.strip() for line in table.splitlines()]
    heading = lines.index("beyond the article:")
    assert lines[heading - 1] == ""
    assert lines[heading - 2].startswith("deep")
    assert lines[heading + 1].startswith("wide")
    for alone in ("wide", "deep"):
        assert "beyond" not in compare({alone: metrics("original")})[1]
    assert lines[-2:] == ["", lines[-1]], "the baseline is not beyond the article"
    _, table = compare({"wide": metrics("own"), "deep": metrics("own")})
    names = [line.split()[0] for line in table.splitlines() if line.strip()]
    assert names == ["source:", "variant", "wide", "deep", "baseline"]


RARE = {"train_positives": 50, "valid_positives": 12, "majority_accuracy": 0.9326, "valid_accuracy_low": 0.88}


def test_where_positives_are_rare_the_ranks_come_first() -> None:
    flat = {"valid_roc_auc": 0.52, "valid_roc_auc_low": 0.4, "true_positives": 0, "false_positives": 0}
    comparison, table = compare({"wide": metrics("own") | RARE, "flat": metrics("own") | RARE | flat})
    heads = next(line for line in table.splitlines() if "variant" in line)
    ranks = ["ROC", "AUC", "95", "%", "interval", "average", "precision"]
    assert heads.split() == ["variant", *ranks, "valid", "accuracy", "last", "loss", "epochs"]
    row = next(line for line in table.splitlines() if "wide" in line).split()
    assert row == ["wide", "0.8500", "0.800", "to", "0.900", "0.6000", "0.7500", "0.195", "30"]
    baseline = next(line for line in table.splitlines() if line.startswith("baseline")).split()
    assert baseline[3:] == ["0.5000", "-", "0.0674", "0.9326", "-", "-"]
    assert (
        "\nAccuracy is misleading here: sold is 'yes' in only 7.0 % of the rows, so the baseline (always "
        "'no') is right on 93.3 % of the validation rows. Compare ROC AUC and average precision instead: "
        "the baseline has 0.5 and 0.067.\nflat is not clearly better than the baseline.\n"
    ) in table
    assert "wide is not" not in table, "whatever its accuracy"
    assert describe_baseline(comparison) == (
        "flat is not clearly better than the baseline (always 'no', ROC AUC 0.5000): its 95 % interval does "
        "not lie above it."
    )
    frequent = {"train_positives": 110, "valid_positives": 70}
    assert "misleading" not in compare({"wide": metrics("own") | RARE | frequent})[1], "20.2 %"


def test_a_measure_without_a_value_has_a_reason() -> None:
    missing = dict.fromkeys(["valid_roc_auc", "valid_roc_auc_low", "valid_roc_auc_high"])
    because = {"undefined": {"valid_roc_auc": "no row is positive", "valid_recall": "no row is positive"}}
    none = metrics("own") | RARE | {"valid_positives": 0} | missing | because
    comparison, table = compare({"wide": none, "deep": none})
    assert (
        "\nFor wide and deep, ROC AUC is not defined on the validation rows: no row is positive.\n" in table
    )
    assert next(line for line in table.splitlines() if "wide" in line).split()[5] == "-"
    assert describe_undefined(comparison) == [
        "For wide and deep, ROC AUC and recall are not defined on the validation rows: no row is positive."
    ]
    both = pd.concat([comparison, nodes.compare_metrics({"net": metrics("own")}, {"net": DEEP})])
    assert describe_undefined(both)[1:] == [
        "For net, precision is not defined on the validation rows: no row is predicted positive."
    ]


def test_the_names_of_a_file_are_one_line() -> None:
    """A line break in a name would break the table."""
    odd = {"baseline": "a\nb\u2028c" * 20, "positive": "x\ny", "file": "f.csv", "target": "t"}
    _, table = compare({"deep": metrics("own") | odd})
    assert len(table.splitlines()) == 6


def test_losses_of_two_kinds_are_named() -> None:
    assert "absolute" not in compare({"deep": metrics("original")})[1]
    variants = {"deep": DEEP, "wide": DEEP.model_copy(update={"loss": "cross_entropy"})}
    comparison = nodes.compare_metrics(dict.fromkeys(variants, metrics("original")), variants)
    rows = render_comparison(comparison, dict.fromkeys(variants, FELL), variants).splitlines()
    assert next(row for row in rows if "deep" in row).endswith("absolute error")
    assert next(row for row in rows if "wide" in row).endswith("cross entropy")


UNLUCKY = {"valid_accuracy": 0.5955, "valid_accuracy_low": 0.52, "true_positives": 0, "false_positives": 0}
SAME = "it gives every validation row the same answer"


@pytest.mark.parametrize(
    ("changes", "losses", "of_variant", "expected"),
    [
        (
            UNLUCKY,
            [0.5, 0.39],
            {},
            f"{SAME}. Try initialisation: he, or constants: unit.",
        ),
        (
            UNLUCKY,
            [0.5, 0.6],
            {},
            f"its loss rose from 0.500 to 0.600, and {SAME}. "
            "Try a smaller learning_rate, or initialisation: he.",
        ),
        (
            {},
            [0.3, 0.299],
            {"initialisation": "he", "constants": "unit"},
            "its loss stayed at 0.299. Try loss: cross_entropy, or optimiser: adam with learning_rate: 0.01.",
        ),
        (
            UNLUCKY,
            [0.5, 0.4],
            {"model": "linear", "hidden": [], "constants": "unit", "optimiser": "adam"},
            f"{SAME}. Try loss: squared_error, or another learning_rate.",
        ),
        (
            UNLUCKY,
            [0.5, 0.4],
            {"initialisation": "he", "constants": "unit", "optimiser": "adam", "loss": "cross_entropy"},
            f"{SAME}. Try another learning_rate.",
        ),
    ],
)
def test_a_variant_that_learnt_nothing_gets_advice(
    changes: dict[str, float], losses: list[float], of_variant: dict[str, Any], expected: str
) -> None:
    variant = DEEP.model_copy(update=of_variant)
    table = pd.DataFrame({"epoch": [1, 2], "loss": losses})
    _, text = compare({"net": metrics("original") | changes}, variant, table)
    assert f"\nnet may have learnt nothing: {expected}\n" in text


def test_the_console_and_the_report_have_one_rule() -> None:
    barely = metrics("original") | {
        "valid_accuracy": 0.7645,
        "valid_accuracy_low": 0.7,
        "majority_accuracy": 0.7644,
    }
    comparison, text = compare({"linear": barely | {"valid_accuracy_low": 0.7645}, "deep": barely})
    assert "\ndeep is not clearly better than the baseline.\n" in text
    assert "linear is not" not in text
    assert "learnt nothing" not in text, "its answers differ"
    assert describe_baseline(comparison).startswith("deep is not clearly better than the baseline (")


def test_rows_too_few_for_any_verdict_are_no_variants_fault() -> None:
    both_right = {
        "valid_rows": 2,
        "valid_accuracy": 1.0,
        "valid_accuracy_low": 0.342,
        "majority_accuracy": 0.5,
    }
    _, text = compare({"net": metrics("own") | both_right | {"majority_accuracy": 0.5}})
    too_few = "2 validation rows are too few to show that any variant is better than the baseline."
    assert text.endswith(f"\n{too_few}\n")
    assert "learnt nothing" not in text


def test_mixed_sources_are_reported() -> None:
    _, table = compare({"linear": metrics("original"), "deep": metrics("own")})
    assert "source: MIXED" in table
    assert next(line for line in table.splitlines() if "deep" in line).split()[-1] == "own"


def test_compare_takes_the_metrics_of_all(results: dict[str, Results]) -> None:
    comparison = nodes.compare(results).set_index("variant")
    assert comparison["valid_accuracy"].to_dict() == {"line": 0.75, "net": 0.5}
    assert comparison.loc["net", "false_positives"] == 1


def test_only_variants_without_a_hidden_layer_have_named_coefficients(
    data: PreparedData, results: dict[str, Results]
) -> None:
    named = nodes.name_coefficients(data, results)
    assert named.to_dict("list") == {
        "feature": ["Age", "Sex_male", "Sex_female", "Pclass_1", "Pclass_2"],
        "line": [-1.0, 0.5, 1.5, 0.0, 2.0],
    }


def test_the_accuracy_after_each_epoch_is_that_of_its_coefficients(
    data: PreparedData, results: dict[str, Results]
) -> None:
    line = results["line"]
    history = torch.tensor([[0.0, 0, 0, 0, 0], [0.0, 0, 1, 0, 0]])  # no to all, then yes to women
    learning = replace(
        line,
        initial_coefficients={"weights": torch.tensor([0.0, 1, 1, 0, 0])},  # yes to all
        coefficients_by_epoch={"weights": history},
    )
    table = nodes.trace_accuracies(data, {"line": learning, "net": replace(line, coefficients_by_epoch={})})
    assert table.to_dict("list") == {
        "variant": ["line"] * 3,
        "epoch": [0, 1, 2],
        "valid_accuracy": [0.75, 0.25, 0.75],
    }


def test_disagreements_are_counted_in_validation_and_training_rows(
    data: PreparedData, results: dict[str, Results]
) -> None:
    three = {**results, "twin": results["net"]}
    rows = nodes.compare_answers(data, three).to_dict("records")
    assert [(row["variant"], row["other"]) for row in rows] == [
        ("line", "net"),
        ("line", "twin"),
        ("net", "twin"),
    ]
    assert rows[0] == {
        "variant": "line",
        "other": "net",
        "disagreements": 1,
        "variant_right": 1,
        "other_right": 0,
        "chance": sign_test(1, 0),
        "training_disagreements": 1,
    }
    assert rows[2]["disagreements"] == rows[2]["training_disagreements"] == 0
    wrong = replace(results["net"], predictions=results["net"].predictions | {"valid": torch.zeros(4)})
    (row,) = nodes.compare_answers(data, {"line": results["line"], "wrong": wrong}).to_dict("records")
    assert (row["disagreements"], row["training_disagreements"]) == (2, 1)


def test_one_variant_has_no_disagreements(data: PreparedData, results: dict[str, Results]) -> None:
    alone = nodes.compare_answers(data, {"net": results["net"]})
    assert alone.empty
    assert "disagreements" in alone.columns


def test_groups_contain_shares_of_all_rows(data: PreparedData, results: dict[str, Results]) -> None:
    public = replace(data, source=data.source | {"source": "original"})
    assert nodes.compare_groups(public, results).to_dict("records") == [
        {"group": "men, 1st class", "rows": 2, "observed": 0.5, "line": 0, "net": 0},
        {"group": "men, 2nd class", "rows": 2, "observed": 0, "line": 0, "net": 1},
        {"group": "women, 1st class", "rows": 3, "observed": 2 / 3, "line": 1, "net": 1},
        {"group": "women, 2nd class", "rows": 1, "observed": 1, "line": 1, "net": 1},
    ]


def repeated(data: PreparedData, results: dict[str, Results], rows: list[int]) -> Any:
    """Return data and results with these rows, some of them repeated; of the eight, the first four train."""
    part = {"train": [row for row in rows if row < 4], "valid": [row - 4 for row in rows if row >= 4]}
    many = replace(
        data,
        train={name: tensor[part["train"]] for name, tensor in data.train.items()},
        valid={name: tensor[part["valid"]] for name, tensor in data.valid.items()},
    )
    answers = {
        variant: replace(
            result, predictions={name: result.predictions[name][part[name]] for name in ("train", "valid")}
        )
        for variant, result in results.items()
    }
    return many, answers


def test_small_groups_of_private_data_are_merged(data: PreparedData, results: dict[str, Results]) -> None:
    # male 1: rows 0 and 4; male 2: 1 and 5; female 1: 2, 3, 6; female 2: 7
    many, answers = repeated(data, results, [0, 4, 4, 4, 4, 1, 5, 2, 3, 6, 7])
    assert nodes.compare_groups(many, answers).to_dict("records") == [
        {"group": "male, 1", "rows": 5, "observed": 0.8, "line": 0, "net": 0},
        {"group": "smaller groups", "rows": 6, "observed": 0.5, "line": 4 / 6, "net": 1},
    ]


def test_groups_of_private_data_are_too_large_to_identify_a_person(
    data: PreparedData, results: dict[str, Results]
) -> None:
    many, answers = repeated(data, results, [0, 4, 4, 4, 4, 1, 5, 5, 5])
    assert nodes.compare_groups(many, answers)["group"].tolist() == ["male, 1"], "four are too few"
    many, answers = repeated(data, results, [0, 4, 4, 4, 4, 7])
    assert nodes.compare_groups(many, answers)["group"].tolist() == ["male, 1"]
    few, answers = repeated(data, results, [0, 7])
    assert nodes.compare_groups(few, answers).empty


def test_without_categories_there_is_one_group(data: PreparedData, results: dict[str, Results]) -> None:
    columns = data.columns.model_copy(update={"categorical": []})
    numbers = replace(data, columns=columns, features=data.features[["Age"]])
    groups = nodes.compare_groups(numbers, results)
    assert groups.to_dict("records") == [
        {"group": "all", "rows": 8, "observed": 0.5, "line": 0.5, "net": 0.75}
    ]


def test_data_of_other_columns_is_refused(data: PreparedData) -> None:
    with pytest.raises(InputError, match="Sex_female"):
        replace(data, categories=data.categories | {"Sex": ["male"]})


def test_a_bundle_is_handed_on_without_a_copy(data: PreparedData, results: dict[str, Results]) -> None:
    for bundle in (data, results["line"]):
        assert deepcopy(bundle) is bundle
