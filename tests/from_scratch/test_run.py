"""Whole runs with `kedro run`, in copies of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from from_scratch.article import VARIANTS as ARTICLE
from kedro_ledger.ledger import Ledger
from tests.support.project import ROOT, MakeProject, Project

PRACTICE = ["logistic", "deep_he", "deep_practice"]
VARIANTS = [*ARTICLE, *PRACTICE]
BOXES = ["data_processing", *VARIANTS, "reporting"]


def test_every_node_output_is_versioned_and_nothing_is_pickled(article_run: Project) -> None:
    artefacts = article_run.artefacts()
    assert len(artefacts) == 12 + 6 * len(VARIANTS) + 11
    assert {name.rpartition(".")[2] for name in artefacts} == {
        "json",
        "csv",
        "parquet",
        "safetensors",
        "html",
    }
    record = Ledger(article_run.folder).records()[0]
    assert len(record.outputs) == len(artefacts)
    for name, artefact in record.outputs.items():
        assert artefact.version == record.run_id, "one run is one version"
        Ledger(article_run.folder).require_intact(name, artefact)


def test_your_own_file_is_read_as_it_is(project: Project) -> None:
    file = project.folder / "data" / "01_raw" / "train.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:101]))
    ran = project.run("--pipeline", "linear")
    assert "source: own (train.csv: is Survived '1'?)" in ran.stdout
    of_target = {"target": "Survived", "negative": "0", "positive": "1", "leaks": {}}
    assert project.load("source") == {"source": "own", "file": "train.csv", "rows": 100, **of_target}
    assert project.load("linear.metrics")["source"] == "own"


@pytest.mark.slow
def test_a_replaced_file_changes_the_data_but_not_the_code(project: Project) -> None:
    for name in (".gitignore", ".gitattributes"):
        shutil.copy(ROOT / name, project.folder)
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a commit -qm a"):
        subprocess.run(["git", *command.split()], cwd=project.folder, check=True)
    file = project.folder / "data" / "01_raw" / "train.csv"
    kaggles = file.read_text()
    project.run("--pipeline", "linear")
    file.write_text(kaggles.replace("Braund, Mr. Owen Harris", "Doe, Mr. John"))
    project.run("--pipeline", "linear")
    original, own = Ledger(project.folder).records()
    assert own.drift
    assert "raw_data" in own.drift.changed["data"]
    assert not {"code", "packages", "parameters"} & own.drift.changed.keys()
    assert own.code.is_committed
    assert "*" not in project.kedro("runs", "list").stdout
    record = own.model_dump_json()
    assert "John" not in record
    assert "Braund" not in record
    for run in (original, own):
        ran = project.kedro("runs", "reproduce", run.run_id)
        assert ran.returncode == 0, ran.stderr
    file.write_text(kaggles)
    ran = project.kedro("runs", "reproduce", "last")
    assert ran.returncode == 1
    assert "Error: raw_data: neither data/01_raw/train.csv nor another file in its folder is " in ran.stderr


def test_the_console_shows_a_line_for_each_box_and_a_table(project: Project) -> None:
    ran = project.run("--pipeline", "deep")
    *lines, commit = ran.stderr.splitlines()
    assert lines == [
        "data_processing · 10 nodes · 891 rows of train.csv",
        "deep · 4 nodes · loss 0.521 → 0.195 · accuracy 0.8258",
    ]
    assert commit.startswith("committed as run ")
    assert len(project.list_nodes()) == 10 + 4, "one line for each step"
    log = (project.folder / "kedro.log").read_text()
    assert "INFO from_scratch.nodes: deep.fit                             -> deep.coefficients, deep.l" in log
    (row,) = [line for line in ran.stdout.splitlines() if line.strip().startswith("deep")]
    assert f"{project.load('deep.metrics')['valid_accuracy']:.4f}" in row


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("runner", "environment"),
    [
        ("SequentialRunner", {"PYTHONHASHSEED": "1"}),
        ("ThreadRunner", {"PYTHONHASHSEED": "2"}),
        ("ParallelRunner", {"PYTHONHASHSEED": "3", "KEDRO_MP_CONTEXT": "fork"}),
        ("ParallelRunner", {"PYTHONHASHSEED": "4", "KEDRO_MP_CONTEXT": "spawn"}),
    ],
)
def test_same_inputs_give_the_same_bytes(
    make_project: MakeProject, article_run: Project, runner: str, environment: dict[str, str]
) -> None:
    other = make_project()
    ran = other.run("--runner", runner, **environment)
    lines = [line for line in ran.stderr.splitlines()[:-1] if not line.endswith(" nodes are done")]
    assert [line.partition(" ")[0] for line in lines] == BOXES, "in a fixed order"
    assert "\n".join(lines) in (ROOT / "docs/pipelines.md").read_text("utf-8")
    table = re.search(r"variant valid accuracy.*^baseline[^\n]*$", ran.stdout, re.DOTALL | re.MULTILINE)
    assert table
    assert table[0] in (ROOT / "README.md").read_text("utf-8")
    assert other.artefacts() == article_run.artefacts()
    ours, theirs = (Ledger(project.folder).records()[0] for project in (other, article_run))
    assert ours.recipe == theirs.recipe
    assert ours.runner == runner


def test_float64_is_another_recipe_with_nearly_the_same_results(
    make_project: MakeProject, article_run: Project
) -> None:
    wide = make_project()
    wide.run("--pipeline", "sigmoid", "--params", "precision=float64,threads=2")
    ours, theirs = (project.load("sigmoid.coefficients")["weights"] for project in (wide, article_run))
    assert not ours.equal(theirs)
    assert (ours - theirs).abs().max() < 1e-3


def test_a_variant_is_a_block_of_parameters(project: Project) -> None:
    project.configure(
        "parameters.yml",
        "variants:\n  wide: {model: deep, seed: 442, learning_rate: 1, epochs: 5, hidden: [64, 32]}\n"
        "  deep: {epochs: 7}\n",
    )
    assert "wide" in project.kedro("registry", "list").stdout
    project.run("--pipeline", "wide")
    assert project.load("wide.coefficients")["layer2"].shape == (64, 32)
    project.run("--pipeline", "deep", "--params", "variants.deep.learning_rate=2")
    assert len(project.load("deep.losses")) == 7, "conf/local changes one parameter and keeps the others"


@pytest.mark.slow
def test_names_that_look_like_something_else_are_names(project: Project) -> None:
    project.configure(
        "parameters.yml",
        "variants:\n  'NA': {model: linear, seed: 1, learning_rate: 0.1, epochs: 2}\n"
        "  'True': {model: linear, seed: 1, learning_rate: 0.1, epochs: 2}\n",
    )
    project.run()
    assert {"NA", "True"} <= set(project.load("comparison")["variant"])
    assert {"NA", "True"} <= set(project.load("disagreements")["other"])
    assert "NA, True" in project.load("report") or "NA and True" in project.load("report")


@pytest.mark.parametrize(
    ("parameter", "line"),
    [
        (
            "variants.deep.learning_rat=2",
            "Error: parameter variants.deep.learning_rat is unknown; "
            "did you mean variants.deep.learning_rate?",
        ),
        (
            "variants.dep.epochs=2",
            "Error: parameter variants has 'dep', which has no model; did you mean variants.deep?",
        ),
        (
            "variants.deep.hidden.0=5",
            "Error: the parameters could not be read from conf/base, conf/local and --params "
            "{'variants': {'deep': {'hidden': {'0': 5}}}}: Cannot merge incompatible container types",
        ),
        (
            "variants.deep.epochs=0",
            "Error: parameter variants.deep.epochs is 0; expected a number greater than or equal to 1",
        ),
    ],
)
def test_a_wrong_parameter_ends_the_run_before_it_begins(project: Project, parameter: str, line: str) -> None:
    ran = project.kedro("run", "--params", parameter)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", line + "\n")
    assert project.artefacts() == {}
    assert "Traceback" in (project.folder / "kedro.log").read_text()


PIPELINES = (
    "__default__, data_processing, linear, sigmoid, matmul, neural_net_slow, neural_net, deep, "
    "logistic, deep_he, deep_practice, reporting, stability, inference"
)


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("--pipeline dep", ["'dep' does not exist; expected one of {}; did you mean deep?"]),
        ("--pipeline nope", ["'nope' does not exist; expected one of {}"]),
        (
            "--pipelines lineer,dep,deep",
            [
                "'dep' does not exist; expected one of {}; did you mean deep?",
                "'lineer' does not exist; expected one of {}; did you mean linear?",
            ],
        ),
    ],
)
def test_an_unknown_pipeline_is_one_line(project: Project, options: str, lines: list[str]) -> None:
    ran = project.kedro("run", *options.split())
    output = "".join(f"Error: pipeline {line.format(PIPELINES)}\n" for line in lines)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", output)
    assert project.artefacts() == {}
    assert not (project.folder / "data" / "runs").exists()


def test_a_variant_that_is_left_out_has_no_pipeline(project: Project) -> None:
    (project.folder / "conf" / "shallow").mkdir()
    project.configure("parameters.yml", "{variants: {deep: null}, inference: {variant: linear}}", "shallow")
    ran = project.kedro("run", "--env", "shallow", "--pipeline", "deep")
    assert ran.returncode == 1
    assert ran.stderr == (
        f"Error: pipeline 'deep' does not exist; expected one of {PIPELINES.replace(' deep,', '')}. "
        "Parameter variants.deep is null, which leaves the variant out\n"
    )
    project.run("--pipeline", "linear", "--env", "shallow")


def test_only_boxes_with_completed_nodes_have_a_line(project: Project) -> None:
    project.run("--pipeline", "deep")
    ran = project.run("--pipeline", "deep", "--only-missing-outputs", "--params", "variants.deep.epochs=7")
    boxes = [line for line in ran.stderr.splitlines() if " · " in line]
    assert boxes == ["deep · 4 nodes · loss 0.521 → 0.379 · accuracy 0.5955"]


def test_runs_and_their_history_list_variants_as_parameters_do(article_run: Project) -> None:
    listed = article_run.kedro("runs", "list").stdout.splitlines()[1]
    assert [name for name in re.findall(r"(\w+) 0\.\d{4}", listed)] == VARIANTS
    assert article_run.kedro("runs", "history").stdout.split()[1 : 1 + len(VARIANTS)] == VARIANTS


def test_errors_of_kedro_commands_are_reported(project: Project) -> None:
    ran = project.kedro("registry", "describe", "dep")
    assert ran.returncode == 1
    assert "'dep' pipeline not found" in ran.stdout


def test_a_dataset_without_versions_is_reported(project: Project) -> None:
    ran = project.kedro("run", "--pipeline", "reporting")
    assert ran.returncode == 1
    assert re.match(
        r"Error: categories, category_counts and \d+ more: not made yet\. Run `kedro run` ", ran.stderr
    )
    assert len(ran.stderr.splitlines()) == 1
    assert project.artefacts() == {}


def test_commands_may_start_in_any_folder(project: Project) -> None:
    ran = project.kedro("run", "--pipeline", "dep", folder="src")
    assert len(ran.stderr.splitlines()) == 1
    assert "Traceback" in (project.folder / "kedro.log").read_text()


def test_a_missing_file_is_one_line_with_the_way_to_get_it(project: Project) -> None:
    file = project.folder / "data" / "01_raw" / "train.csv"
    file.unlink()
    ran = project.kedro("run")
    assert ran.returncode == 1
    (error,) = [line for line in ran.stderr.splitlines() if line.startswith("Error: ")]
    assert f"{file} does not exist; run `git checkout {file}` or " in error
    assert "`kaggle competitions download -c titanic` to get it" in error
    assert "Traceback" not in ran.stderr
    assert project.artefacts() == {}


@pytest.mark.parametrize("command", ["--version", "runs list", "run --params variants.deep.epochs=0"])
def test_commands_that_compute_nothing_do_not_load_pytorch(project: Project, command: str) -> None:
    ran = project.kedro(*command.split(), PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "kedro" in imported
    assert not {"torch", "pandas", "numpy", "plotly"} & imported


def test_a_run_ends_with_a_comparison_with_the_article(project: Project) -> None:
    ran = project.run("--pipeline", "deep")
    assert "source: original" in ran.stdout
    (row,) = [line for line in ran.stdout.splitlines() if line.strip().startswith("deep")]
    name, accuracy, low, _, high, area, *others = row.split()
    assert (name, accuracy, low, high) == ("deep", "0.8258", "0.763", "0.875")
    assert float(area) == pytest.approx(0.8508, abs=0.002), "scores near 0 and 1 are nearly equal"
    assert others == ["0.8258", "0.195", "30"]
    assert re.search(r"^baseline \(always 'died'\) +0\.5955 ", ran.stdout, re.MULTILINE)


@pytest.mark.slow
def test_the_readmes_example_is_what_the_report_shows_and_there_is_a_way_back(project: Project) -> None:
    """As typed by a user: a run of everything, the example with a high learning rate, `make report`."""
    shutil.copy(ROOT / "Makefile", project.folder)
    (project.folder / ".venv").symlink_to(sys.prefix)
    make = ["make", "--assume-old", ".venv/installed", "report"]

    def make_report() -> subprocess.CompletedProcess[str]:
        # `make test` passes its settings to inner makes in these variables.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        environment["BROWSER"] = "true"
        return subprocess.run(make, cwd=project.folder, env=environment, capture_output=True, text=True)

    first = make_report()
    assert first.returncode == 0, first.stderr
    assert "report: no run is committed yet; run `kedro run` to create one" in first.stderr
    everything = Ledger(project.folder).records()[-1]
    example = re.search(
        r"\$ (kedro run --pipeline deep --params \S+)", (ROOT / "README.md").read_text("utf-8")
    )
    assert example
    ran = project.kedro(*example[1].split()[1:])
    assert ran.stderr.splitlines()[-1] == f"to go back: kedro runs checkout {everything.run_id}"
    assert project.load("deep.metrics")["valid_accuracy"] == pytest.approx(0.5955, abs=5e-5)

    output = project.kedro("runs", "path", "report").stderr
    assert "outdated by run" in output
    assert "Run `kedro run --pipeline reporting` to make it again" in output
    assert f"the newest run with it is {everything.run_id}" in output
    made = make_report()
    assert made.returncode == 0, made.stderr
    assert "outdated by run" in made.stderr
    comparison = project.load("comparison").set_index("variant")["valid_accuracy"].round(4)
    assert comparison["deep"] == 0.5955
    assert comparison["sigmoid"] == 0.8258
    page = made.stdout.splitlines()[0]
    assert "0.5955" in Path(page).read_text("utf-8")
    assert project.kedro("runs", "checkout", everything.run_id).returncode == 0
    assert project.load("deep.metrics")["valid_accuracy"] == pytest.approx(0.8258, abs=5e-5)


def test_tags_choose_what_runs(project: Project) -> None:
    project.run("--pipeline", "deep")
    ran = project.run("--pipeline", "deep", "--tags", "training", "--params", "variants.deep.epochs=7")
    assert "deep · 2 nodes · loss 0.521 → 0.379\n" in ran.stderr
    assert Ledger(project.folder).records()[-1].nodes == ["deep.initialise", "deep.fit"]
    assert len(project.load("deep.losses")) == 7
    assert {*Ledger(project.folder).records()[-1].outputs} == {
        "deep.initial_coefficients",
        "deep.coefficients",
        "deep.coefficients_by_epoch",
        "deep.losses",
    }
