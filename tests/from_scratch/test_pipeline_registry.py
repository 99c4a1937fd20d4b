from __future__ import annotations

import pytest

from from_scratch import hooks, pipeline_registry
from from_scratch.article import VARIANTS as ARTICLE
from from_scratch.schema.parameters import check
from tests.from_scratch.schema.test_parameters import COMMITTED, WIDE, changed

PRACTICE = ["logistic", "deep_he", "deep_practice"]
VARIANTS = [*ARTICLE, *PRACTICE]


@pytest.fixture(autouse=True)
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks.session, "parameters", check(COMMITTED))


def test_pipelines_are_in_the_order_of_the_data_flow() -> None:
    pipelines = pipeline_registry.register_pipelines()
    assert list(pipelines) == [
        "__default__",
        "data_processing",
        *VARIANTS,
        "reporting",
        "stability",
        "inference",
    ]


def test_a_variant_includes_data_processing() -> None:
    deep = pipeline_registry.register_pipelines()["deep"]
    assert {name for name in deep.inputs() if not name.startswith("params:")} == {"raw_data"}
    assert [node.name for node in deep.nodes if node.namespace == "deep"] == [
        "deep.initialise",
        "deep.fit",
        "deep.predict",
        "deep.score",
    ]


def test_default_is_everything_except_inference_and_the_study() -> None:
    pipelines = pipeline_registry.register_pipelines()
    others = [pipelines[name] for name in pipelines if name not in ("inference", "stability")]
    nodes = {node.name for pipeline in others for node in pipeline.nodes}
    assert {node.name for node in pipelines["__default__"].nodes} == nodes
    assert pipelines["__default__"].outputs() == {"comparison", "report"}, "few leaves in Kedro-Viz"


def test_a_variant_is_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks.session, "parameters", check(changed("variants.wide", WIDE)))
    pipelines = pipeline_registry.register_pipelines()
    assert "wide.metrics" in pipelines["wide"].outputs()
    assert "wide.metrics" in pipelines["reporting"].inputs()
    collect = next(node for node in pipelines["reporting"].nodes if node.name == "reporting.collect")
    assert "wide.results" in collect.inputs


def test_counts_are_learnt_and_read_only_where_a_column_is_derived_by_counting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipelines = pipeline_registry.register_pipelines()
    assert not any("value_counts" in pipeline.datasets() for pipeline in pipelines.values())
    mates = [{"column": "Mates", "count": {"of": "Ticket"}}]
    monkeypatch.setattr(hooks.session, "parameters", check(changed("features.derived", mates)))
    pipelines = pipeline_registry.register_pipelines()
    assert pipelines["__default__"].outputs() == {"comparison", "report", "value_counts"}
    assert pipelines["inference"].inputs() >= {"value_counts"}


def test_one_box_for_each_concern() -> None:
    namespaces = {node.namespace for node in pipeline_registry.register_pipelines()["__default__"].nodes}
    assert namespaces == {
        "data_processing",
        *ARTICLE,
        *(f"practice.{variant}" for variant in PRACTICE),
        "reporting",
    }


def test_stability_is_default_and_the_study_with_a_step_for_each_variant_and_split(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = {"variants": ["deep"], "splits": 3, "reference": "matmul"}
    monkeypatch.setattr(hooks.session, "parameters", check(changed("stability", study)))
    pipelines = pipeline_registry.register_pipelines()
    stability = pipelines["stability"]
    assert stability.outputs() == {"comparison", "report"}
    added = {node.name for node in stability.nodes} - {node.name for node in pipelines["__default__"].nodes}
    trainings = {f"stability.train_{name}_on_split_{i}" for name in ("matmul", "deep") for i in (1, 2, 3)}
    others = {f"stability.{name}" for name in ("prepare_splits", "collect_runs", "summarise")}
    assert added == trainings | others | {"reporting.plot_stability"}
    raw = {name for name in stability.inputs() if not name.startswith("params:")}
    assert raw == {"raw_data"}


def test_the_study_reads_no_box_that_reads_it() -> None:
    nodes = pipeline_registry.register_pipelines()["stability"].nodes
    makers = {output: node.namespace for node in nodes for output in node.outputs}
    read = {
        makers[name]
        for node in nodes
        if node.namespace == "stability"
        for name in node.inputs
        if name in makers
    }
    assert read == {"data_processing", "stability"}
