"""The steps of docs/your-own-data.md, as written there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.from_scratch.pipelines.inference.test_inference import ONE
from tests.support.project import ROOT, Project

PAGE = (ROOT / "docs" / "your-own-data.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.slow
def test_the_walk_through_a_csv_of_another_kind(project: Project) -> None:
    example, suggest, suggested, features, run, new_rows, infer = (text for _, text in BLOCKS[:7])
    (project.folder / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "bikes.csv", project.folder / "docs")
    assert (project.folder / "docs" / "bikes.csv").read_text().startswith(example)
    copy, command = suggest.removeprefix("$ ").split("\n$ ")
    subprocess.run(copy, shell=True, cwd=project.folder, check=True)
    result = project.kedro(*shlex.split(command.removeprefix("kedro ")))
    assert result.returncode == 0, result.stderr
    parameters = project.folder / "conf" / "bikes" / "parameters.yml"
    assert parameters.read_text() == suggested

    others = suggested[suggested.index("split:") :]
    for block in (suggested, f"{features}{others}"):
        parameters.write_text(block)
        ran = project.run(*shlex.split(run.removeprefix("$ kedro run ")))
        assert "source: own" in ran.stdout
    columns = project.load("features", "bikes")
    assert [name for name in columns if name not in ("gears", "age", "Logprice")] == [
        *("kind_cargo", "kind_city", "kind_road"),
        *("repairs_brakes", "repairs_chain", "repairs_none", "repairs_unknown"),
    ]
    for variant in ("logistic", "deep_practice"):
        metrics = project.load(f"{variant}.metrics", "bikes")
        assert metrics["valid_accuracy"] > metrics["majority_accuracy"]
        assert f"{metrics['valid_accuracy']:.4f}" in PAGE, variant
    assert "the true answer is “sold = yes”" in project.load("report", "bikes")

    (project.folder / "data" / "01_raw" / "new_bikes.csv").write_text(new_rows)
    ran = project.run(*shlex.split(infer.removeprefix("$ kedro run ")))
    answers = project.load("submission", "bikes")
    assert answers["ad"].tolist() == ["N1", "N2", "N3"]
    assert answers["sold"].tolist()[:2] == ["yes", "no"], "a cheap one, and a dear one that needs repairs"

    assert {folder.name for folder in (project.folder / "data").iterdir()} == {"01_raw", "bikes"}
    assert "no run is committed yet" in project.kedro("runs", "list").stdout
    listed = project.kedro("runs", "list", "--env", "bikes").stdout
    assert listed.count("--env bikes") == 3
    for command in re.findall("`kedro (.*?)`", ran.stdout):
        assert project.kedro(*shlex.split(command)).returncode == 0, command


def test_a_column_that_gives_the_answer_away_is_ignored_or_reported(project: Project) -> None:
    text = (ROOT / "docs" / "bikes.csv").read_text()
    header, *rows = text.splitlines()
    leaking = [f"{header};state", *(f"{row};{'gone' if row.endswith('yes') else 'here'}" for row in rows)]
    (project.folder / "data" / "01_raw" / "bikes.csv").write_text("\n".join(leaking) + "\n")
    command = "features suggest data/01_raw/bikes.csv --target sold --separator ; --decimal , --env bikes"
    assert project.kedro(*command.split()).returncode == 0
    parameters = project.folder / "conf" / "bikes" / "parameters.yml"
    suggested = parameters.read_text()
    result = project.run("--env", "bikes", "--pipeline", "logistic")
    assert "gives the answer away" not in result.stdout + result.stderr
    ignored = "  ignore:\n    - state  # gives the answer away: each of its values has one answer\n"
    assert ignored in suggested
    parameters.write_text(
        suggested.replace(ignored, "  ignore: []\n").replace(
            "  categorical:\n", "  categorical:\n    - state\n"
        )
    )
    result = project.run("--env", "bikes")
    assert "logistic         1.0000" in result.stdout
    warning = "state gives the answer away: each of its values has one answer"
    assert f"bikes.csv: column {warning}" in " ".join(result.stderr.split())
    assert f"\n{warning}. If new rows will not have this column, add it to features.ignore" in result.stdout
    report = project.load("report", "bikes")
    assert warning in report
    assert "learnt something" not in report


def test_environments_that_share_a_folder_do_not_mix_their_models(project: Project) -> None:
    shutil.copy(ROOT / "docs" / "bikes.csv", project.folder / "data" / "01_raw")
    command = "features suggest data/01_raw/bikes.csv --target sold --separator ; --decimal , --env bikes"
    assert project.kedro(*command.split()).returncode == 0
    (project.folder / "conf" / "bikes" / "globals.yml").unlink()
    project.run("--env", "bikes")
    before = project.artefacts()
    (project.folder / "data" / "01_raw" / "test.csv").write_text(ONE)
    command = "run --pipeline inference --params inference.variant=logistic"
    assert "made with another value of features" in project.kedro(*command.split()).stderr
    ran = project.kedro(*command.split(), "--allow-mixed")
    assert ran.returncode == 1
    assert "the training run has no categories of Sex, Pclass, Embarked" in ran.stderr
    assert project.artefacts() == before


def test_the_page_names_every_parameter() -> None:
    block = yaml.safe_load((ROOT / "conf" / "base" / "parameters.yml").read_text())["features"]
    assert all(f"| `{name}` |" in PAGE for name in block)


def test_the_page_shows_what_the_environment_knowledge_derives() -> None:
    section = PAGE.partition("## Derive columns")[2].partition("```yaml\n")[2]
    shown = yaml.safe_load(section.partition("```")[0])["derived"]
    knowledge = yaml.safe_load((ROOT / "conf" / "knowledge" / "parameters.yml").read_text())
    assert shown == knowledge["features"]["derived"]


NASTY = '''\
"no ""1""";zeros;negatives;always;nothing;mixed;größe in cm;class;won't be seen;Ergebnis
a;0;-5;7;;1;170,5;1;01;gut
b;0;-3,5;7;;x;168;2;02;schlecht
c;0;-1;7;;;181;3;;gut
d;0;-9;7;;2020-01-01;;1;01;gut
e;0;-2;7;;1e5;190;2;'x';schlecht
f;0;;7;;TRUE;175;;"a;b";gut
g;0;-4;7;;;160;3;02;schlecht
h;0;-8;7;;é 🙂;172,25;1;01;schlecht
i;0;-1;7;;nan;177;2;03;gut
j;0;-6;7;;-;169;1;99999999999999999999999999999;schlecht
'''
BLOCK = """\
features:
  identifier: 'no "1"'
  target: {column: Ergebnis, positive: gut}
  continuous: [zeros, negatives, always, {column: nothing, constant: 0}]
  log: [{column: größe in cm, fill: mean, required: false, minimum: 100}]
  categorical: [{column: class, fill: mode}, {column: mixed, constant: none of these}]
  ignore: ["won't be seen"]
  normalisation: NORMALISATION
  fit_on: FIT_ON
"""
CATALOG = """\
ROWS:
  type: from_scratch.datasets.RawCSVDataset
  filepath: data/01_raw/nasty.csv
  load_args: {sep: ";", decimal: ","}
"""


@pytest.mark.matrix
@pytest.mark.parametrize(("normalisation", "fit_on"), [("maximum", "all"), ("deviation", "train")])
def test_ten_nasty_rows(project: Project, normalisation: str, fit_on: str) -> None:
    file = project.folder / "data" / "01_raw" / "nasty.csv"
    file.write_bytes(b"\xef\xbb\xbf" + NASTY.replace("\n", "\r\n").encode())
    environment = project.folder / "conf" / "nasty"
    environment.mkdir()
    block = BLOCK.replace("NORMALISATION", normalisation).replace("FIT_ON", fit_on)
    (environment / "parameters.yml").write_text(block)
    both = CATALOG.replace("ROWS", "raw_data") + CATALOG.replace("ROWS", "new_data")
    (environment / "catalog.yml").write_text(both)
    project.run("--env", "nasty")
    model_input = project.load("model_input")
    assert model_input["independent"].isfinite().all()
    assert model_input["dependent"].tolist() == [1, 0, 1, 1, 0, 1, 0, 0, 1, 0]
    names = project.load("scales")["feature"].tolist()
    assert names[:5] == ["zeros", "negatives", "always", "nothing", "Loggröße in cm"]
    assert "mixed_none of these" in names
    # Validation rows, used as new rows, may have categories that the training rows lack.
    unseen = () if fit_on == "all" else ("--params", "inference.unseen_categories=none_of_them")
    project.run("--env", "nasty", "--pipeline", "inference", *unseen)
    answers = project.load("submission")
    assert answers['no "1"'].tolist() == list("abcdefghij")
    assert set(answers["Ergebnis"]) <= {"gut", "schlecht"}


RARE_PARAMETERS = """\
features:
  identifier: customer
  target: {column: churned, positive: "yes"}
  continuous: [age]
  log: [income]
  categorical: [region, plan]
  ignore: []
  normalisation: deviation
  fit_on: train
split: {stratify: true}
variants: {neural_net_slow: null, neural_net: null, deep_he: null}
stability: {seeds: 2, splits: 2}
"""
RARE_CATALOG = """\
ROWS:
  type: from_scratch.datasets.RawCSVDataset
  filepath: data/01_raw/churn.csv
"""


def configure_rare(project: Project) -> None:
    """Write an environment `churn`: 600 customers, of whom 8 % leave, mostly those with one plan."""
    rng = np.random.default_rng(7)
    plan = rng.choice(["basic", "plus"], 600, p=[0.7, 0.3])
    churned = np.zeros(600, dtype=bool)
    churned[rng.choice(np.flatnonzero(plan == "plus"), 36, replace=False)] = True
    churned[rng.choice(np.flatnonzero(plan == "basic"), 12, replace=False)] = True
    columns = {
        "customer": [f"C{i}" for i in range(600)],
        "age": rng.integers(18, 80, 600),
        "income": rng.lognormal(10, 0.6, 600).round(),
        "region": rng.choice(["north", "south"], 600),
        "plan": plan,
        "churned": np.where(churned, "yes", "no"),
    }
    pd.DataFrame(columns).to_csv(project.folder / "data" / "01_raw" / "churn.csv", index=False)
    environment = project.folder / "conf" / "churn"
    environment.mkdir()
    (environment / "parameters.yml").write_text(RARE_PARAMETERS)
    both = RARE_CATALOG.replace("ROWS", "raw_data") + RARE_CATALOG.replace("ROWS", "new_data")
    (environment / "catalog.yml").write_text(both)


def test_rare_positives_without_words_from_other_data(project: Project) -> None:
    configure_rare(project)
    few = ("--params", "stability.seeds=4,stability.splits=2")
    ran = project.run("--env", "churn", "--pipeline", "stability", *few)
    answered = project.run(
        "--env", "churn", "--pipeline", "inference", "--params", "inference.variant=logistic"
    )

    targets = {name: project.load(name)["dependent"] for name in ("train", "valid")}
    assert {name: (len(rows), int(rows.sum())) for name, rows in targets.items()} == {
        "train": (480, 38),
        "valid": (120, 10),
    }
    metrics = json.loads(read_output(project, "linear.metrics"), parse_constant=pytest.fail)
    assert metrics["valid_log_loss"] is metrics["valid_brier_score"] is None
    assert metrics["undefined"]["valid_log_loss"].endswith("so they are not probabilities")
    assert metrics["baseline"] == "no"
    comparison = project.load("comparison").set_index("variant")
    assert comparison["valid_log_loss"].notna().to_dict() == {
        variant: variant != "linear" for variant in comparison.index
    }
    assert comparison.loc["logistic", "valid_roc_auc"] > 0.6
    assert comparison.loc["logistic", "valid_average_precision"] > 2 * 10 / 120
    assert "Accuracy is misleading here: churned is 'yes' in only 8.0 % of the rows" in ran.stdout
    assert "\nThe study compares accuracies, which are misleading here" in ran.stdout
    assert "is not clearly above the baseline" not in answered.stderr

    scripts = r"<script>.*?</script>|<style>.*?</style>"
    page = re.sub(scripts, "", project.load("report"), flags=re.DOTALL)
    assert "<h1>Predicting churned = yes from churn.csv</h1>" in page
    assert "For linear, log loss and Brier score are not defined" in page
    assert "<p>The study compares accuracies, which are misleading here" in page
    assert "with the same share of churned = yes in both" in page
    plots = {
        name: project.load(f"{name}_plot") for name in ("accuracy", "epoch_accuracy", "coefficient", "loss")
    }
    assert plots["accuracy"].layout.xaxis.title.text == "accuracy on the 120 validation rows<br>of churn.csv"
    assert "the observed share of “churned = yes”" in page

    texts = {"console": ran.stdout + answered.stdout, "page": page, "plots": str([*map(str, plots.values())])}
    for name, text in texts.items():
        assert not re.search("passenger|surviv|kaggle|titanic|article", text, re.IGNORECASE), name
    logs = ran.stderr + answered.stderr
    assert not re.search("passenger|surviv|kaggle|titanic", logs, re.IGNORECASE)
    written = [file for file in (project.folder / "data").rglob("*") if file.is_file()]
    others = ("01_raw", "runs", "report.html", "article_figures.csv")
    contents = {file: file.read_bytes() for file in written if not {*others} & {*file.parts}}
    assert len(contents) > 50
    for file, content in contents.items():
        assert not re.search(b"passenger|surviv|kaggle|titanic", content, re.IGNORECASE), file


def read_output(project: Project, name: str) -> str:
    """Read the file of a dataset as text."""
    file = Path(project.kedro("runs", "path", name).stdout.strip())
    return (project.folder / file).read_text("utf-8", errors="replace")


def test_the_ledger_takes_metrics_that_are_not_defined(project: Project) -> None:
    """The linear model has no log loss, and precision only if it predicts some row positive."""
    configure_rare(project)
    parameters = project.folder / "conf" / "churn" / "parameters.yml"
    parameters.write_text(RARE_PARAMETERS.replace('positive: "yes"', 'positive: "no"'))
    project.run("--env", "churn", "--pipeline", "linear")
    parameters.write_text(RARE_PARAMETERS)
    some = project.load("linear.metrics")["valid_precision"]
    changes = "runs.headline=valid_log_loss"
    project.run("--env", "churn", "--pipeline", "linear", "--params", changes)
    assert some is not None
    assert project.load("linear.metrics")["valid_precision"] is None
    result = {}
    for command in ("list", "diff last~1 last", "history --metric valid_recall", "show last"):
        ran = project.kedro("runs", *command.split())
        assert ran.returncode == 0, ran.stderr
        result[command] = ran.stdout
    assert re.search(r"linear.metrics.valid_precision +0\.\d+ +-\n", result["diff last~1 last"])
    assert re.search(r"undefined.valid_precision +no row is predicted positive", result["show last"])
    page = project.folder / "history.html"
    ran = project.kedro("runs", "history", "--metric", "valid_roc_auc", "--html", str(page))
    assert ran.returncode == 0, ran.stderr
    assert "valid_roc_auc_low" in page.read_text()
