"""A run refuses inputs made with other parameters, code or data than its own, and accepts all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from kedro.framework.session import KedroServiceSession

from tests.support.tiny import ALLOW_MIXED, Tiny, enter, in_process

NODES = """
def split(raw, share):
    return raw[:share], raw[share:]


def train(train_set):
    return sum(train_set) / len(train_set)


def evaluate(model, test_set):
    return {"error": sum(test_set) - model * len(test_set)}
"""
REGISTRY = """
from kedro.pipeline import Pipeline, node

from tiny.evaluation import evaluate
from tiny.splitting import split
from tiny.training import train


def register_pipelines():
    splitting = Pipeline([node(split, ["raw", "params:share"], ["train_set", "test_set"], name="split")])
    training = Pipeline([node(train, "train_set", "model", name="train")])
    evaluation = Pipeline([node(evaluate, ["model", "test_set"], "total.metrics", name="evaluate")])
    return {
        "__default__": splitting + training + evaluation,
        "splitting": splitting, "training": training, "evaluation": evaluation,
    }
"""
CATALOG = """
raw: {type: json.JSONDataset, filepath: data/01_raw/raw.json}
train_set: {type: json.JSONDataset, filepath: data/02/train_set.json}
test_set: {type: json.JSONDataset, filepath: data/02/test_set.json}
model: {type: json.JSONDataset, filepath: data/03/model.json, versioned: true}
total.metrics: {type: json.JSONDataset, filepath: data/04/metrics.json, versioned: true}
"""


@pytest.fixture
def tiny(tiny: Tiny) -> Tiny:
    """A project like Kedro's starter: two sets that are not versioned, and a model and metrics that are."""
    package = tiny.folder / "src/tiny"
    splitting, training, evaluation = NODES.split("\n\n\n")
    (package / "splitting.py").write_text(splitting)
    (package / "training.py").write_text(training)
    (package / "evaluation.py").write_text(evaluation)
    (package / "pipeline_registry.py").write_text(REGISTRY)
    (tiny.folder / "conf/base/catalog.yml").write_text(CATALOG)
    (tiny.folder / "conf/base/parameters.yml").write_text("share: 2\n")
    tiny.feed([1, 2, 3])
    return tiny


def run(tiny: Tiny, *pipelines: str, **parameters: object) -> tuple[int, str]:
    options = {"pipeline_names": list(pipelines)} if pipelines else {}
    return tiny.try_to_run(**options, runtime_params=parameters or None)


def fail(tiny: Tiny, **parameters: object) -> None:
    """Run everything and fail in the last node, so that the sets are overwritten."""
    evaluation = tiny.folder / "src/tiny/evaluation.py"
    text = evaluation.read_text()
    evaluation.write_text(text.replace("    return", "    1 / 0\n    return"))
    assert run(tiny, **parameters)[0] == 2
    evaluation.write_text(text)


def test_partial_runs_with_the_same_sources_are_allowed(tiny: Tiny) -> None:
    tiny.run()
    for pipeline in ("splitting", "training", "evaluation", "training", "evaluation"):
        assert run(tiny, pipeline) == (0, "")


@pytest.mark.parametrize("trained", ["with the split", "apart"])
@pytest.mark.parametrize("change", ["parameter", "data"])
def test_resuming_after_a_failure_does_not_score_an_old_model(tiny: Tiny, change: str, trained: str) -> None:
    tiny.run()
    if trained == "apart":
        assert run(tiny, "training")[0] == 0
    parameters = {"share": 1} if change == "parameter" else {}
    if change == "data":
        tiny.feed([1, 22, 3, 99])
    fail(tiny, **parameters)
    last = tiny.ledger.last()
    code, message = tiny.try_to_run(from_nodes=["evaluate"], runtime_params=parameters or None)
    assert code == 1
    assert (
        ". Run `kedro run` to make everything again, "
        "or set parameter runs.allow_mixed to read the inputs as they are" in message
    )
    assert "model" in message
    assert tiny.ledger.last() == last
    assert run(tiny, **parameters)[0] == 0


def test_a_new_split_does_not_match_an_old_model(tiny: Tiny) -> None:
    for pipeline in ("splitting", "training", "evaluation"):
        assert run(tiny, pipeline)[0] == 0
    assert run(tiny, "splitting", share=1)[0] == 0
    code, message = run(tiny, "evaluation", share=1)
    assert (code, message.partition(". ")[0]) == (1, "model: made with other data in train_set")


def test_datasets_rebuilt_one_after_the_other_match(tiny: Tiny) -> None:
    tiny.run()
    assert run(tiny, "evaluation")[0] == 0
    before = tiny.ledger.last()
    for pipeline in ("splitting", "training", "evaluation"):
        assert run(tiny, pipeline, share=1) == (0, "")
    last, training = tiny.ledger.find("last"), tiny.ledger.find("last~1")
    assert before
    assert last.metrics == {"total.metrics": {"error": 3}}
    assert training.drift
    assert training.drift.changed["data"].keys() == {"train_set"}
    again = tiny.run(pipeline_names=["training"], runtime_params={"share": 1})
    assert again.drift
    assert "data" not in again.drift.changed, "it is what the training before has read"


def test_mixed_inputs_of_a_pruned_run_are_found(tiny: Tiny) -> None:
    (tiny.folder / "conf/base/parameters.yml").write_text("share: 2\nruns: {keep: 2}\n")
    first = tiny.run()
    for _ in range(3):
        assert run(tiny, "evaluation")[0] == 0
    assert first.run_id not in tiny.ledger.list_ids()
    tiny.feed([5, 6, 7])
    assert run(tiny, "evaluation")[1].partition(". ")[0].endswith(": made with other data in raw")


def test_unrelated_code_does_not_count(tiny: Tiny) -> None:
    tiny.run()
    package = tiny.folder / "src/tiny"
    for module in ("evaluation", "unused"):
        with (package / f"{module}.py").open("a") as file:
            file.write("\n# another state\n")
    assert run(tiny, "evaluation") == (0, "")
    assert run(tiny, "training") == (0, ""), "and nothing is known against the set that is not versioned"
    (package / "helpers.py").write_text("TEN = 10\n")
    (package / "training.py").write_text("from .helpers import TEN\n" + (package / "training.py").read_text())
    assert run(tiny, "training") == (0, "")
    (package / "helpers.py").write_text("TEN = 11\n")
    code, message = run(tiny, "evaluation")
    assert (code, message.partition(". ")[0]) == (1, "model: made with other code (src/tiny/helpers.py)")
    tiny.run(pipeline_names=["evaluation"], **ALLOW_MIXED)


def test_unversioned_datasets_count_as_a_committed_run_left_them(tiny: Tiny) -> None:
    tiny.run()
    splitting = tiny.folder / "src/tiny/splitting.py"
    splitting.write_text(splitting.read_text().replace("raw[share:]", "raw[share:] * 2"))
    code, message = run(tiny, "training")
    assert (code, message.partition(". ")[0]) == (
        1,
        "train_set: made with other code (src/tiny/splitting.py)",
    )
    code, message = run(tiny, "training", share=1)
    assert message.startswith(
        "train_set: made with other code (src/tiny/splitting.py); train_set: made with another value of share"
    )


def test_how_the_catalog_loads_raw_data_counts(tiny: Tiny) -> None:
    tiny.run()
    catalog = tiny.folder / "conf/base/catalog.yml"
    catalog.write_text(
        CATALOG.replace("raw.json}", "raw.json, fs_args: {open_args_load: {encoding: ascii}}}")
    )
    assert run(tiny, "evaluation")[1].startswith("model, test_set: made with other data in raw. ")


def test_a_checkout_is_intentional(tiny: Tiny) -> None:
    first = tiny.run()
    tiny.feed([4, 5, 6])
    tiny.run()
    with tiny.ledger.lock():
        tiny.ledger.checkout(first)
    code, message = run(tiny, "evaluation")
    phrase = message.partition(". ")[0]
    assert phrase == "train_set: changed since a committed run wrote it" or code == 0, "the second run's set"


def test_the_pipeline_is_named_if_the_default_does_not_make_a_dataset(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(REGISTRY.replace('"__default__": splitting + training', '"__default__": splitting'))
    assert run(tiny, "splitting", "training")[0] == 0
    tiny.feed([7, 8, 9])
    message = run(tiny, "evaluation")[1]
    assert (
        ". Run `kedro run --pipeline training` to make model again, or set parameter runs.allow_mixed"
        in message
    )


def test_notebooks_load_what_is_not_versioned(tiny: Tiny) -> None:
    tiny.run()
    assert in_process(load_a_set, tiny.folder) == 0
    ran = tiny.kedro("runs", "path", "train_set")
    assert ran.returncode == 1
    assert "train_set is not versioned; it is at data/02/train_set.json" in ran.stderr
    assert (
        "raw is raw data, which no run makes; it is at data/01_raw/raw.json"
        in tiny.kedro("runs", "path", "raw").stderr
    )


def load_a_set(folder: Path) -> None:
    enter(folder)
    session = KedroServiceSession.create(project_path=folder)
    assert isinstance(session, KedroServiceSession)
    assert session.load_context().catalog.load("train_set") == [1, 2]
