"""The stability study, run with `kedro run`."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from from_scratch.article import VARIANTS as ARTICLE
from tests.support.project import MakeProject, Project

FEW = ("--pipeline", "stability", "--params", "stability.seeds=8,stability.splits=2")
PRACTICE = ["logistic", "deep_he", "deep_practice"]
VARIANTS = [*ARTICLE, *PRACTICE]
MADE = ["stability_runs", "stability_summary", "stability_plot"]


@pytest.fixture(scope="module")
def study(make_project: MakeProject) -> tuple[Project, subprocess.CompletedProcess[str]]:
    project = make_project()
    return project, project.run(*FEW)


Study = tuple[Project, subprocess.CompletedProcess[str]]


def test_every_variant_runs_from_every_seed_on_every_split(study: Study) -> None:
    runs = study[0].load("stability_runs")
    assert runs["variant"].unique().tolist() == VARIANTS
    for _, table in runs.groupby("variant"):
        found = set(zip(table["split"], table["seed"], strict=True))
        assert found == {(split, seed) for split in (42, 43) for seed in range(8)}
        assert len(table) == 16
    summary = study[0].load("stability_summary")
    assert summary["variant"].tolist() == VARIANTS
    assert set(summary["runs"]) == {16}
    assert summary.dtypes["difference"] == "float64"


def test_the_first_split_is_that_of_the_other_pipelines(make_project: MakeProject) -> None:
    """So a variant's own seed gives the same results in the study as alone."""
    project = make_project()
    seeds = "variants: {deep: {seed: 3}, linear: {seed: 5}, deep_practice: {seed: 6}}\n"
    project.configure("parameters.yml", f"{seeds}features: {{fit_on: train}}\n")
    project.run(*FEW)
    runs = project.load("stability_runs")
    for variant, seed in (("deep", 3), ("linear", 5), ("deep_practice", 6)):
        metrics = project.load(f"{variant}.metrics")
        chosen = (runs["variant"] == variant) & (runs["split"] == 42) & (runs["seed"] == seed)
        (row,) = runs[chosen].to_dict("records")
        for name in ("valid_accuracy", "train_accuracy", "majority_accuracy"):
            assert row[name] == pytest.approx(metrics[name], rel=1e-12)


def test_console_and_report_have_the_same_sentences(study: Study) -> None:
    project, ran = study
    assert "stability: 8 seeds on 2 splits" in ran.stdout
    page = project.load("report").replace("&#39;", "'")
    printed = ran.stdout.split("stability: ")[1].split("Open the report")[0].strip().splitlines()[-4:]
    depth, change, reference, trained = printed
    assert depth.startswith("Depth brings no measurable gain here. Over 8 seeds and 2 splits, the best net")
    assert change.startswith(
        "A single change, initialisation: he, makes deep train. With it (variant deep_he), 100 %"
    )
    assert reference.startswith("Compared with linear over 8 seeds and 2 splits, in points of accuracy")
    assert trained.startswith("Of 16 runs each, deep trains in")
    assert all(sentence in page for sentence in printed)
    assert "source: original" in ran.stdout
    assert "\nstability · 21 nodes · 144 trainings\nreporting · 23 nodes\n" in ran.stderr
    trainings = [step for step in project.list_nodes() if step.startswith("stability.train_")]
    assert len(trainings) == 18, "a line for each step"


def test_a_run_of_everything_else_leaves_the_study_out(article_run: Project) -> None:
    assert not [name for name in article_run.artefacts() if "stability" in name]
    assert "<code>kedro run --pipeline stability</code>" in article_run.load("report")


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("runner", "environment"),
    [("ThreadRunner", {}), ("ParallelRunner", {"KEDRO_MP_CONTEXT": "fork"})],
)
def test_runners_give_the_same_bytes(
    make_project: MakeProject, study: Study, runner: str, environment: dict[str, str]
) -> None:
    other = make_project()
    other.run(*FEW, "--runner", runner, **environment)
    assert other.artefacts() == study[0].artefacts()


@pytest.mark.slow
def test_chosen_variants_are_compared_with_another_reference(project: Project) -> None:
    project.configure(
        "parameters.yml",
        "variants: {wide: {model: deep, seed: 1, learning_rate: 0.5, epochs: 3, hidden: [8, 4]}}\n"
        "stability: {variants: [wide], seeds: 4, splits: 2, reference: matmul}\n",
    )
    ran = project.run("--pipeline", "stability")
    assert project.load("stability_summary")["variant"].tolist() == ["matmul", "wide"]
    assert "points against matmul" in ran.stdout
    assert "wide trains in" in ran.stdout


def test_a_learning_rate_that_is_too_large_is_reported_in_one_line(project: Project) -> None:
    ran = project.kedro("run", *FEW[:-1], f"{FEW[-1]},variants.linear.learning_rate=1e200")
    assert ran.returncode == 1
    (error,) = [line for line in ran.stderr.splitlines() if line.startswith("Error: ")]
    assert (
        "training with learning_rate 1e+200 overflows for 8 of 8 seeds, first for seed 0; expected" in error
    )
    assert "in stability.train_linear_on_split_" in error
    assert project.artefacts() == {}


@pytest.mark.slow
def test_a_terminal_shows_a_bar_with_the_time_left(project: Project) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    command = [sys.executable, "-m", "kedro", "run", *FEW]
    with subprocess.Popen(command, cwd=project.folder, stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b""
        try:
            while read := os.read(ours, 65536):
                shown += read
        except OSError:  # the other end is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    text = shown.decode()
    assert re.search(r"stability: +\d+%\|.*\| \d+/18 \[\d\d:\d\d<\d\d:\d\d", text)
    lines = re.findall(r"^(?:.*\r)?(\w+) · \d+ nodes · ", re.sub(r"\x1b\[\w", "", text), re.MULTILINE)
    assert lines[:2] == ["data_processing", "linear"]
    assert lines[-1] == "stability", "the bar is gone by then"
