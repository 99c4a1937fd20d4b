"""What the numbers say, in plain sentences, for the report and the console.

The tables are those that nodes make: `comparison` is of `compare`, `disagreements` of `compare_answers`,
`groups` of `compare_groups`, and the study's `summary` of `summarise`. The target and its values go by the
names that they have in the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

import pandas as pd

from from_scratch.models import MODELS
from from_scratch.pipelines.reporting.drawings import Certainty
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Variant
from from_scratch.schema.validation import shorten
from from_scratch.scoring import MEASURES, Yardstick, choose_yardstick, roc_auc_interval, wilson_interval

ORIGINAL = "Kaggle's passengers, as in the article."
MIXED = "Not all variants saw the same data: run everything again."
LABELS = {"roc_auc": "ROC AUC", "f1": "F1", "brier_score": "Brier score"}
"""The names of measures that are not theirs in the code."""


def describe_source(comparison: pd.DataFrame) -> str:
    """Say where the data comes from, and what is predicted."""
    sources = comparison["source"].unique().tolist()
    if len(sources) > 1:
        return MIXED
    if sources == ["original"]:
        return ORIGINAL
    return f"Your own file, {ask(comparison)}"


def ask(comparison: pd.DataFrame) -> str:
    """Name the file, and ask what is to predict of each row."""
    first = comparison.iloc[0]
    return f"{shorten(first['file'])}: is {shorten(first['target'])} {_quote(first['positive'])}?"


def find_yardstick(comparison: pd.DataFrame) -> Yardstick:
    """Find what decides between these variants."""
    first: dict[Any, Any] = comparison.to_dict("records")[0]
    return choose_yardstick(first)


def name_baseline(comparison: pd.DataFrame) -> str:
    """Name the baseline by the answer that it always gives."""
    return f"baseline (always {_quote(comparison['baseline'].iloc[0])})"


def describe_rarity(comparison: pd.DataFrame) -> list[str]:
    """Say why accuracy decides nothing, if it doesn't.

    Returns:
        A sentence or two, where positive rows are rare; else nothing.
    """
    if find_yardstick(comparison).metric == "valid_accuracy":
        return []
    first = comparison.iloc[0]
    positives = first["train_positives"] + first["valid_positives"]
    share = positives / (first["train_rows"] + first["valid_rows"])
    rare, share = ("positive", share) if share < 0.5 else ("negative", 1 - share)
    return [
        f"Accuracy decides nothing here: {shorten(first['target'])} is {_quote(first[rare])} in only "
        f"{format_percent(share)} of the rows, so the {name_baseline(comparison)} is right in "
        f"{format_percent(first['majority_accuracy'])} of the validation rows. ROC AUC and average precision "
        f"compare the scores; the baseline has 0.5 and {first['valid_positives'] / first['valid_rows']:.3f}."
    ]


def describe_leaks(comparison: pd.DataFrame) -> list[str]:
    """Warn of the columns that give the answer away; a sentence for each."""
    leaks = {
        column: leak for leaks in comparison["leaks"].unique() for column, leak in json.loads(leaks).items()
    }
    return [
        f"{shorten(column)} gives the answer away: {leak}. Unless new rows have it, too, it belongs in "
        "features.ignore, and nothing here says how good the variants are without it."
        for column, leak in leaks.items()
    ]


def describe_study_of_rare(comparison: pd.DataFrame) -> list[str]:
    """Say that the study decides nothing where accuracy doesn't; else nothing."""
    if find_yardstick(comparison).metric == "valid_accuracy":
        return []
    return ["The study compares accuracies, which decide nothing here: too few rows have one of the answers."]


def describe_undefined(comparison: pd.DataFrame, measures: Iterable[str] = MEASURES) -> list[str]:
    """Say which of the measures are not defined for which variants, and why; a sentence for each reason."""
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
    """Name a measure as people do."""
    return LABELS.get(measure, measure.replace("_", " "))


def _quote(value: str) -> str:
    return shorten(repr(value))


def describe_reach(comparison: pd.DataFrame) -> str:
    """Say how sure a single run can be: half of the widest interval."""
    rows, yardstick = int(comparison["valid_rows"].iloc[0]), find_yardstick(comparison)
    widths = comparison[f"{yardstick.metric}_high"] - comparison[f"{yardstick.metric}_low"]
    return (
        f"With {rows:,} validation row{'s' if rows > 1 else ''}, {with_article(yardstick)} is known to about "
        f"±{100 * float(widths.max() / 2):.0f} points."
    )


def describe_differences(comparison: pd.DataFrame) -> list[str]:
    """Say which differences between the variants mean anything, by their intervals; nothing of one alone."""
    if len(comparison) == 1:
        return []
    yardstick = find_yardstick(comparison)
    low, high = f"{yardstick.metric}_low", f"{yardstick.metric}_high"
    ends = list(comparison[["variant", low, high]].itertuples(index=False))
    apart: dict[str, list[str]] = {}
    for (better, low, _), (worse, _, high) in permutations(ends, 2):
        if low > high:
            apart.setdefault(worse, []).append(better)
    if not apart:
        return ["All 95 % intervals overlap, so they alone tell no variant from another."]
    clauses = [
        f"{join(better)} {'is' if len(better) == 1 else 'are'} better than {worse}"
        for worse, better in apart.items()
    ]
    return [f"By their 95 % intervals, {'; '.join(clauses)}. All other intervals overlap."]


def describe_baseline(comparison: pd.DataFrame) -> str:
    """Say which variants are better than the baseline, the answer that is more frequent in training."""
    yardstick = find_yardstick(comparison)
    reached = f"{with_article(yardstick)} of {yardstick.baseline:.4f}"
    always = f"the {name_baseline(comparison)} has {reached}"
    unsure = comparison["variant"][yardstick.is_no_better(comparison[f"{yardstick.metric}_low"])].tolist()
    if not unsure:
        what = "may have read the answer" if describe_leaks(comparison) else "learnt something"
        return f"All of them {what}: {always}, and every interval lies above that."
    intervals = "the interval of" if len(unsure) == 1 else "the intervals of"
    lie = "does not lie" if len(unsure) == 1 else "do not lie"
    return f"Not all surely learnt something: {always}, and {intervals} {join(unsure)} {lie} above that."


def with_article(yardstick: Yardstick) -> str:
    """Name what decides, with an article."""
    return f"{'an' if yardstick.name == 'accuracy' else 'a'} {yardstick.name}"


def describe_disagreements(disagreements: pd.DataFrame, rows: int) -> list[str]:
    """Say who decides differently from the first variant, and whether that is for better or worse.

    `rows` is the number of validation rows.

    Returns:
        A sentence for all others that give the same answers; none if there is only one variant.
    """
    sentences = []
    for others, pair in _find_answers(disagreements):
        first, count, right = pair["variant"], pair["disagreements"], pair["variant_right"]
        if count == 0:
            sentences.append(f"{join([first, *others])} give the same {rows:,} answers.")
            continue
        differ, they = ("differs", "it") if len(others) == 1 else ("differ", "they")
        sentences.append(
            f"{join(others)} {differ} from {first} in {count:,} of {rows:,} answers: {first} is right in "
            f"{right:,} of these, {they} in {count - right:,} "
            f"(sign test: p {format_chance(pair['chance'])})."
        )
    return sentences


def _find_answers(disagreements: pd.DataFrame) -> list[tuple[list[str], dict[Any, Any]]]:
    """Put variants of the same answers together, each set with how it disagrees with the first variant."""
    pairs = {(pair["variant"], pair["other"]): pair for pair in disagreements.to_dict("records")}
    sets: list[tuple[list[str], dict[Any, Any]]] = []
    for (variant, other), pair in pairs.items():
        if variant != disagreements["variant"].iloc[0]:
            break
        alike = (variants for variants, _ in sets if not pairs[variants[0], other]["disagreements"])
        if variants := next(alike, None):
            variants.append(other)
        else:
            sets.append(([other], pair))
    return sets


def describe_certainty(certainties: Mapping[str, Certainty], variants: Mapping[str, Variant]) -> list[str]:
    """Say how often variants are certain and wrong: the worst of them, and the best."""
    worst = max(certainties, key=lambda variant: certainties[variant].certain_and_wrong)
    best = min(certainties, key=lambda variant: certainties[variant].certain_and_wrong)
    said = [_count_certain(worst, certainties[worst], variants[worst])]
    if certainties[best].certain_and_wrong < certainties[worst].certain_and_wrong:
        said.append(_count_certain(best, certainties[best], variants[best]))
    if any(
        variant.loss == "absolute_error" and MODELS[variant.model].ends_in_sigmoid
        for variant in variants.values()
    ):
        said.append(
            "The absolute error drives the scores of a sigmoid to 0 and 1, whether the rows tell so much or "
            "not: a score of 0.99 is no probability."
        )
    return said


def _count_certain(variant: str, counted: Certainty, parameters: Variant) -> str:
    loss = parameters.loss.replace("_", " ")
    of_all = f"{counted.wrong:,} of {counted.rows:,} validation rows"
    wrong = f"{variant}, trained with the {loss}, is wrong on {of_all}"
    if not counted.wrong:
        return f"{wrong}."
    both = counted.certain_and_wrong
    share = "all" if both == counted.wrong > 1 else f"{both:,}" if both else "none"
    return f"{wrong}, with a score below 0.1 or above 0.9 on {share} of these."


def find_best(values: pd.Series, variants: Mapping[str, Variant]) -> tuple[str | None, str | None]:
    """Find the best variant with hidden layers and the best without; of equals, the first."""
    known = values.dropna()
    deep = [name for name in known.index if variants[name].hidden]
    shallow = [name for name in known.index if not variants[name].hidden]
    best = (str(known[names].idxmax()) if names else None for names in (deep, shallow))
    return next(best), next(best)


def describe_filling(features: Features) -> dict[str, str]:
    """Say for each column that the models see how missing values are filled, in a word or two."""
    return {
        column.column: "never missing"
        if column.required
        else column.fill
        if column.constant is None
        else "a constant"
        for column in features.columns
    }


def describe_practice(variant: Variant) -> str:
    """List the parameters that the article does not have, where they are not as in the article."""
    article = {"model", "seed", "learning_rate", "epochs", "hidden"}
    changed = variant.model_dump(exclude_defaults=True, exclude=article)
    return ", ".join(f"{name}: {value}" for name, value in changed.items())


def describe_alike(groups: pd.DataFrame, variants: Sequence[str]) -> list[str]:
    """Name the variants that say the same of every group; nothing if there are none, or one group alone."""
    alike: dict[tuple[float, ...], list[str]] = {}
    for variant in variants:
        alike.setdefault(tuple(groups[variant]), []).append(variant)
    return [
        f"{join(names)} say the same of every group."
        for names in alike.values()
        if len(names) > 1 < len(groups)
    ]


def describe_preparation(features: Features) -> str:
    """Say how numbers were brought to one scale, and what was learnt from which rows."""
    scaled = {
        "maximum": "divided by their greatest magnitude",
        "deviation": "reduced by their mean and divided by their standard deviation",
    }[features.normalisation]
    rows = {"all": "all rows", "train": "the training rows alone"}[features.fit_on]
    if not features.number_names:
        return f"What fills missing values comes from {rows}."
    return f"Numbers are {scaled}. What fills missing values and what scales numbers comes from {rows}."


def describe_untrained(
    comparison: pd.DataFrame,
    losses: Mapping[str, pd.DataFrame],
    variants: Mapping[str, Variant],
    name_unsure: bool = True,
) -> list[str]:
    """Say which variants may have learnt nothing, how that shows, and which parameters usually help.

    Args:
        comparison: A row for each variant.
        losses: Those of each variant's epochs.
        variants: Their parameters.
        name_unsure: Whether to name those, too, that are only not surely better than the baseline.

    Returns:
        A line for each of these variants.
    """
    lines = []
    yardstick = find_yardstick(comparison)
    rows, positives = (int(comparison[name].iloc[0]) for name in ("valid_rows", "valid_positives"))
    is_of_answers = yardstick.metric == "valid_accuracy"
    best = wilson_interval(1.0, rows) if is_of_answers else roc_auc_interval(1.0, positives, rows - positives)
    are_too_few = yardstick.is_no_better(best[0])
    if are_too_few:
        lines.append(f"{rows:,} validation rows are too few to tell any variant from the baseline.")
    for row in comparison.to_dict("records"):
        loss = losses[row["variant"]]["loss"]
        first, last = float(loss.iloc[0]), float(loss.iloc[-1])
        signs = []
        if last > first:
            signs.append(f"its loss rose from {first:.3f} to {last:.3f}")
        elif len(loss) > 1 and last > 0.99 * first:
            signs.append(f"its loss stayed at {last:.3f}")
        said = row["true_positives"] + row["false_positives"]
        if not are_too_few and yardstick.is_no_better(row[f"{yardstick.metric}_low"]):
            if is_of_answers and said in (0, row["valid_rows"]):
                signs.append("it gives every validation row the same answer")
            elif not signs and name_unsure:
                lines.append(f"{row['variant']} is not surely better than the baseline.")
        if signs:
            remedies = _list_remedies(variants[row["variant"]], rose=last > first)
            lines.append(
                f"{row['variant']} may have learnt nothing: {', and '.join(signs)}. "
                f"What usually helps: {'; '.join(remedies)}."
            )
    return lines


def _list_remedies(variant: Variant, rose: bool) -> list[str]:
    """List the two parameters that help most often, of those that the variant does not have yet."""
    model = MODELS[variant.model]
    remedies = ["a smaller learning_rate"] if rose else []
    if model.is_standard and variant.hidden and variant.initialisation != "he":
        remedies.append("initialisation: he")
    if model.is_standard and variant.constants != "unit":
        remedies.append("constants: unit")
    if variant.loss == "absolute_error":
        remedies.append("loss: cross_entropy" if model.ends_in_sigmoid else "loss: squared_error")
    if variant.optimiser == "gradient_descent":
        remedies.append("optimiser: adam, with learning_rate: 0.01")
    remedies += [] if rose else ["another learning_rate"]
    return remedies[:2]


def format_chance(chance: float) -> str:
    """Write what the probability of a test is."""
    return "< 0.01" if chance < 0.01 else f"= {chance:.2f}"


def format_points(share: float) -> str:
    """Write a difference of shares in points, with its sign."""
    return f"{100 * share:+z.1f}".replace("-", "−")


def format_percent(share: float) -> str:
    """Write a share in percent; one that is neither none nor all doesn't look like it."""
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    if 0.9995 <= share < 1:
        return "more than 99.9 %"
    return f"{100 * share:.1f} %" if 0 < share < 1 else f"{100 * share:.0f} %"


def join(words: Sequence[str]) -> str:
    """List words with commas and an `and`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
