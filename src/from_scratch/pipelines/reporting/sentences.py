"""Sentences about the results, for the report, the console and the notebook.

The tables are outputs of nodes: `comparison` of `compare`, `disagreements` of `compare_answers`, and `groups`
of `compare_groups`. Columns and values keep their names in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

import pandas as pd

from from_scratch.models import MODELS
from from_scratch.pipelines.reporting.drawings import Certainty
from from_scratch.pipelines.reporting.words import VALUES
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Variant
from from_scratch.schema.validation import shorten
from from_scratch.scoring import MEASURES, Yardstick, choose_yardstick, roc_auc_interval, wilson_interval

ORIGINAL = "Kaggle's passengers, as in the article."
MIXED = "The variants were trained on different data. Train all of them again before you compare them."
LABELS = {"roc_auc": "ROC AUC", "f1": "F1", "brier_score": "Brier score"}
"""Names of measures that differ from those in the code."""
LOSS_NAMES = {
    "absolute_error": "the absolute error",
    "squared_error": "the squared error",
    "cross_entropy": "cross-entropy",
}
"""Losses as they are named in a sentence."""
MANY_ROWS = 1000
"""Number of validation rows from which they are not called few."""


def describe_source(comparison: pd.DataFrame) -> str:
    """Describe where the data comes from, and what is predicted."""
    sources = comparison["source"].unique().tolist()
    if len(sources) > 1:
        return MIXED
    if sources == ["original"]:
        return ORIGINAL
    return f"Your own file, {describe_question(comparison)}"


def describe_question(comparison: pd.DataFrame) -> str:
    """Name the file, and the question that is asked of each row."""
    first = comparison.iloc[0]
    return f"{shorten(first['file'])}: is {shorten(first['target'])} {_quote(first['positive'])}?"


def find_yardstick(comparison: pd.DataFrame) -> Yardstick:
    """Return the measure that these variants are judged by."""
    first: dict[Any, Any] = comparison.to_dict("records")[0]
    return choose_yardstick(first)


def name_baseline(comparison: pd.DataFrame) -> str:
    """Name the baseline by the answer that it always gives."""
    first = comparison.iloc[0]
    words = VALUES.get(first["target"], {}) if _is_original(comparison) else {}
    return f"baseline (always {_quote(words.get(first['baseline'], first['baseline']))})"


def _is_original(comparison: pd.DataFrame) -> bool:
    return bool((comparison["source"] == "original").all())


def describe_rarity(comparison: pd.DataFrame) -> list[str]:
    """Explain why accuracy is misleading; an empty list if neither answer is rare."""
    if find_yardstick(comparison).metric == "valid_accuracy":
        return []
    first = comparison.iloc[0]
    positives = first["train_positives"] + first["valid_positives"]
    share = positives / (first["train_rows"] + first["valid_rows"])
    rare, share = ("positive", share) if share < 0.5 else ("negative", 1 - share)
    return [
        f"Accuracy is misleading here: {shorten(first['target'])} is {_quote(first[rare])} in only "
        f"{format_percent(share)} of the rows, so the {name_baseline(comparison)} is right on "
        f"{format_percent(first['majority_accuracy'])} of the validation rows. Compare ROC AUC and average "
        f"precision instead: the baseline has 0.5 and {first['valid_positives'] / first['valid_rows']:.3f}."
    ]


def describe_leaks(comparison: pd.DataFrame) -> list[str]:
    """Warn about each column that gives the answer away."""
    leaks = {
        column: leak for leaks in comparison["leaks"].unique() for column, leak in json.loads(leaks).items()
    }
    return [
        f"{shorten(column)} gives the answer away: {leak}. If new rows will not have this column, add it to "
        "features.ignore and run again: these results do not show how good the variants are without it."
        for column, leak in leaks.items()
    ]


def describe_study_of_rare(comparison: pd.DataFrame) -> list[str]:
    """Warn that the study compares accuracies; an empty list if neither answer is rare."""
    if find_yardstick(comparison).metric == "valid_accuracy":
        return []
    return ["The study compares accuracies, which are misleading here: one of the two answers is rare."]


def describe_undefined(comparison: pd.DataFrame, measures: Iterable[str] = MEASURES) -> list[str]:
    """Explain which measures are not defined for which variants: a sentence for each reason."""
    variants_of: dict[tuple[str, str], list[str]] = {}
    for variant, undefined in comparison[["variant", "undefined"]].itertuples(index=False):
        reasons = json.loads(undefined)
        missing: dict[str, list[str]] = {}
        for measure in measures:
            if reason := reasons.get(f"valid_{measure}"):
                missing.setdefault(reason, []).append(label_measure(measure))
        for reason, names in missing.items():
            verb = "is" if len(names) == 1 else "are"
            variants_of.setdefault((f"{join(names)} {verb}", reason), []).append(variant)
    return [
        f"For {join(variants)}, {names} not defined on the validation rows: {reason}."
        for (names, reason), variants in variants_of.items()
    ]


def label_measure(measure: str) -> str:
    """Return the usual name of a measure."""
    return LABELS.get(measure, measure.replace("_", " "))


def _quote(value: str) -> str:
    return shorten(repr(value))


def describe_uncertainty(comparison: pd.DataFrame) -> str:
    """Describe how precisely this run measures the variants: half of the widest interval."""
    rows, yardstick = int(comparison["valid_rows"].iloc[0]), find_yardstick(comparison)
    widths = comparison[f"{yardstick.metric}_high"] - comparison[f"{yardstick.metric}_low"]
    reach = round(100 * float(widths.max() / 2))
    points = "less than 1 point" if reach < 1 else f"about {reach} point{'s' if reach > 1 else ''}"
    many = f"{rows:,}" if rows >= MANY_ROWS else f"only {rows}"
    checked = (
        "passengers to check on" if _is_original(comparison) else f"validation row{'s' if rows > 1 else ''}"
    )
    sentence = f"With {many} {checked}, each {yardstick.name} is uncertain by {points}"
    if len(comparison) > 1 and not _find_separated(comparison):
        sentence += ", so these numbers alone cannot rank the models"
    return f"{sentence}."


def describe_differences(comparison: pd.DataFrame) -> list[str]:
    """List the variants whose intervals do not overlap; an empty list if there is only one variant."""
    if len(comparison) == 1:
        return []
    better_than = _find_separated(comparison)
    if not better_than:
        return ["All 95 % intervals overlap."]
    clauses = [
        f"{join(better)} {'is' if len(better) == 1 else 'are'} better than {worse}"
        for worse, better in better_than.items()
    ]
    return [f"By their 95 % intervals, {'; '.join(clauses)}. All other intervals overlap."]


def _find_separated(comparison: pd.DataFrame) -> dict[str, list[str]]:
    """Return for each variant the variants whose whole interval is above its own, if there are any."""
    yardstick = find_yardstick(comparison)
    low, high = f"{yardstick.metric}_low", f"{yardstick.metric}_high"
    ends = list(comparison[["variant", low, high]].itertuples(index=False))
    better_than: dict[str, list[str]] = {}
    for (better, low, _), (worse, _, high) in permutations(ends, 2):
        if low > high:
            better_than.setdefault(worse, []).append(better)
    return better_than


def describe_baseline(comparison: pd.DataFrame) -> str:
    """Describe which variants are better than the baseline, by their intervals."""
    yardstick = find_yardstick(comparison)
    answer = name_baseline(comparison).removesuffix(")")
    baseline = f"the {answer}, {yardstick.name} {yardstick.baseline:.4f})"
    unsure = comparison["variant"][yardstick.is_no_better(comparison[f"{yardstick.metric}_low"])].tolist()
    if unsure:
        are, intervals = (
            ("is", "its 95 % interval does") if len(unsure) == 1 else ("are", "their 95 % intervals do")
        )
        return f"{join(unsure)} {are} not clearly better than {baseline}: {intervals} not lie above it."
    learnt = "may have read the answer" if describe_leaks(comparison) else "learnt something"
    if len(comparison) == 1:
        return f"{comparison['variant'].iloc[0]} {learnt}: its 95 % interval lies above {baseline}."
    return f"All variants {learnt}: their 95 % intervals lie above {baseline}."


def with_indefinite_article(yardstick: Yardstick) -> str:
    """Return the name of the measure with `a` or `an`."""
    return f"{'an' if yardstick.name == 'accuracy' else 'a'} {yardstick.name}"


def describe_disagreements(disagreements: pd.DataFrame, rows: int) -> list[str]:
    """Compare the answers of the first variant with those of all others.

    Args:
        disagreements: A row for each pair of variants.
        rows: The number of validation rows.

    Returns:
        A sentence for each set of variants with the same answers; an empty list if there is only one variant.
    """
    sentences = []
    for others, pair in _group_by_answers(disagreements):
        first, count, right = pair["variant"], pair["disagreements"], pair["variant_right"]
        if count == 0:
            sentences.append(describe_same_answers([first, *others], rows))
            continue
        verb, subject = ("disagrees", others[0]) if len(others) == 1 else ("disagree", "the others")
        sentences.append(
            f"{join(others)} {verb} with {first} on {count:,} of {rows:,} rows: {first} gets {right:,} of "
            f"these right, {subject} {count - right:,} (sign test, p {format_chance(pair['chance'])})."
        )
    return sentences


def describe_same_answers(variants: Sequence[str], rows: int) -> str:
    """Name variants that give the same answers for all validation rows, of which there are `rows`."""
    count = f"all {rows:,} validation rows" if rows > 1 else "the only validation row"
    return f"{join(variants)} give the same answers for {count}."


def _group_by_answers(disagreements: pd.DataFrame) -> list[tuple[list[str], dict[Any, Any]]]:
    """Group variants with the same answers, each group with how it disagrees with the first variant."""
    pairs = {(pair["variant"], pair["other"]): pair for pair in disagreements.to_dict("records")}
    groups: list[tuple[list[str], dict[Any, Any]]] = []
    for (variant, other), pair in pairs.items():
        if variant != disagreements["variant"].iloc[0]:
            break
        same = (variants for variants, _ in groups if not pairs[variants[0], other]["disagreements"])
        if variants := next(same, None):
            variants.append(other)
        else:
            groups.append(([other], pair))
    return groups


def describe_certainty(certainties: Mapping[str, Certainty], variants: Mapping[str, Variant]) -> list[str]:
    """Describe how often the worst variant is certain and wrong, and how often the best one is."""
    worst = max(certainties, key=lambda variant: certainties[variant].certain_and_wrong)
    best = min(certainties, key=lambda variant: certainties[variant].certain_and_wrong)
    sentences = [_describe_certain(worst, certainties[worst], variants[worst])]
    if certainties[best].certain_and_wrong < certainties[worst].certain_and_wrong:
        sentences.append(_describe_certain(best, certainties[best], variants[best]))
    if any(
        variant.loss == "absolute_error" and MODELS[variant.model].ends_in_sigmoid
        for variant in variants.values()
    ):
        sentences.append(
            "The absolute error pushes the scores of a sigmoid towards 0 and 1, however uncertain the answer "
            "is: a score of 0.99 does not mean a probability of 99 %."
        )
    return sentences


def _describe_certain(variant: str, counted: Certainty, parameters: Variant) -> str:
    loss = LOSS_NAMES[parameters.loss]
    of_all = f"{counted.wrong:,} of {counted.rows:,} validation rows"
    wrong = f"{variant}, trained with {loss}, is wrong on {of_all}"
    if not counted.wrong:
        return f"{wrong}."
    both = counted.certain_and_wrong
    share = "all" if both == counted.wrong > 1 else f"{both:,}" if both else "none"
    return f"{wrong}; its score is below 0.1 or above 0.9 on {share} of these."


def find_best(values: pd.Series, variants: Mapping[str, Variant]) -> tuple[str | None, str | None]:
    """Return the best variant with hidden layers and the best without; the first one if several are equal."""
    known = values.dropna()
    deep = [name for name in known.index if variants[name].hidden]
    shallow = [name for name in known.index if not variants[name].hidden]
    best = (str(known[names].idxmax()) if names else None for names in (deep, shallow))
    return next(best), next(best)


def describe_filling(features: Features) -> dict[str, str]:
    """Return for each column that the models see how its missing values are filled."""
    return {
        column.column: "never missing"
        if column.required
        else column.fill
        if column.constant is None
        else "a constant"
        for column in features.columns
    }


def describe_practice(variant: Variant) -> str:
    """List the parameters that the article does not have, unless they have their default value."""
    article = {"model", "seed", "learning_rate", "epochs", "hidden"}
    changed = variant.model_dump(exclude_defaults=True, exclude=article)
    return ", ".join(f"{name}: {value}" for name, value in changed.items())


def describe_same_groups(groups: pd.DataFrame, variants: Sequence[str]) -> list[str]:
    """Name the variants that predict the same for every group; an empty list if there is only one group."""
    same: dict[tuple[float, ...], list[str]] = {}
    for variant in variants:
        same.setdefault(tuple(groups[variant]), []).append(variant)
    return [
        f"{join(names)} predict the same for every group."
        for names in same.values()
        if len(names) > 1 < len(groups)
    ]


def describe_preparation(features: Features) -> str:
    """Describe how numbers were scaled, and which rows fill values and scales come from."""
    scaled = {
        "maximum": "divided by the column's largest magnitude",
        "deviation": "standardised: minus the column's mean, divided by its standard deviation",
    }[features.normalisation]
    rows = {"all": "all rows", "train": "the training rows only"}[features.fit_on]
    if not features.number_names:
        return f"Fill values for missing cells are computed from {rows}."
    return f"Numbers are {scaled}. Fill values and scales are computed from {rows}."


def describe_untrained(
    comparison: pd.DataFrame,
    losses: Mapping[str, pd.DataFrame],
    variants: Mapping[str, Variant],
    name_unsure: bool = True,
) -> list[str]:
    """Name the variants that may have learnt nothing, the symptoms, and parameters that usually help.

    Args:
        comparison: A row for each variant.
        losses: The losses of each variant, a row for each epoch.
        variants: The parameters of each variant.
        name_unsure: Whether to name variants without a symptom whose interval does not lie above the
            baseline.

    Returns:
        A line for each of these variants.
    """
    lines = []
    yardstick = find_yardstick(comparison)
    rows, positives = (int(comparison[name].iloc[0]) for name in ("valid_rows", "valid_positives"))
    is_accuracy = yardstick.metric == "valid_accuracy"
    best = wilson_interval(1.0, rows) if is_accuracy else roc_auc_interval(1.0, positives, rows - positives)
    are_too_few = yardstick.is_no_better(best[0])
    if are_too_few:
        few = "1 validation row is" if rows == 1 else f"{rows:,} validation rows are"
        lines.append(f"{few} too few to show that any variant is better than the baseline.")
    for row in comparison.to_dict("records"):
        loss = losses[row["variant"]]["loss"]
        first, last = float(loss.iloc[0]), float(loss.iloc[-1])
        symptoms = []
        if last > first:
            symptoms.append(f"its loss rose from {first:.3f} to {last:.3f}")
        elif len(loss) > 1 and last > 0.99 * first:
            symptoms.append(f"its loss stayed at {last:.3f}")
        predicted_positives = row["true_positives"] + row["false_positives"]
        if not are_too_few and yardstick.is_no_better(row[f"{yardstick.metric}_low"]):
            if is_accuracy and predicted_positives in (0, row["valid_rows"]):
                symptoms.append("it gives every validation row the same answer")
            elif not symptoms and name_unsure:
                lines.append(f"{row['variant']} is not clearly better than the baseline.")
        if symptoms:
            remedies = _list_remedies(variants[row["variant"]], rose=last > first)
            lines.append(
                f"{row['variant']} may have learnt nothing: {', and '.join(symptoms)}. "
                f"Try {', or '.join(remedies)}."
            )
    return lines


def _list_remedies(variant: Variant, rose: bool) -> list[str]:
    """List the two settings that help most often, of those that the variant does not have yet."""
    model = MODELS[variant.model]
    remedies = ["a smaller learning_rate"] if rose else []
    if model.is_standard and variant.hidden and variant.initialisation != "he":
        remedies.append("initialisation: he")
    if model.is_standard and variant.constants != "unit":
        remedies.append("constants: unit")
    if variant.loss == "absolute_error":
        remedies.append("loss: cross_entropy" if model.ends_in_sigmoid else "loss: squared_error")
    if variant.optimiser == "gradient_descent":
        remedies.append("optimiser: adam with learning_rate: 0.01")
    remedies += [] if rose else ["another learning_rate"]
    return remedies[:2]


def format_chance(chance: float) -> str:
    """Format the p-value of a test."""
    return "< 0.01" if chance < 0.01 else f"= {chance:.2f}"


def format_points(share: float) -> str:
    """Format a difference of shares in percentage points, with its sign."""
    return f"{100 * share:+z.1f}".replace("-", "−")


def format_percent(share: float) -> str:
    """Format a share in percent; only shares of exactly 0 and 1 become 0 % and 100 %."""
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    if 0.9995 <= share < 1:
        return "more than 99.9 %"
    return f"{100 * share:.1f} %" if 0 < share < 1 else f"{100 * share:.0f} %"


def join(words: Sequence[str]) -> str:
    """Join words with commas, and the last one with `and`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
