from __future__ import annotations

import pytest

from from_scratch import pipeline_registry
from tests.test_parameters import COMMITTED, WIDE

VARIANTS = ["linear", "sigmoid", "matmul", "neural_net_slow", "neural_net", "deep"]


@pytest.fixture
def parameters(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    parameters = dict(COMMITTED)
    monkeypatch.setattr(pipeline_registry, "parameters_of_session", parameters)
    return parameters


def test_pipelines_stand_in_the_order_in_which_data_flows(parameters: dict[str, object]) -> None:
    pipelines = pipeline_registry.register_pipelines()
    assert list(pipelines) == ["__default__", "data_processing", *VARIANTS, "reporting", "inference"]


def test_a_variant_includes_data_processing(parameters: dict[str, object]) -> None:
    deep = pipeline_registry.register_pipelines()["deep"]
    assert {name for name in deep.inputs() if not name.startswith("params:")} == {"passengers"}
    assert [node.name for node in deep.nodes if node.namespace == "deep"] == [
        "deep.initialise",
        "deep.fit",
        "deep.predict",
        "deep.score",
    ]


def test_default_is_everything_but_inference(parameters: dict[str, object]) -> None:
    pipelines = pipeline_registry.register_pipelines()
    nodes = {
        node.name for name, pipeline in pipelines.items() if name != "inference" for node in pipeline.nodes
    }
    assert {node.name for node in pipelines["__default__"].nodes} == nodes
    assert pipelines["__default__"].outputs() == {"comparison", "report"}, "few leaves in Kedro-Viz"


def test_a_block_that_names_a_model_is_a_pipeline(parameters: dict[str, object]) -> None:
    parameters["wide"] = WIDE
    pipelines = pipeline_registry.register_pipelines()
    assert "wide.metrics" in pipelines["wide"].outputs()
    assert "wide.metrics" in pipelines["reporting"].inputs()
    collect = next(node for node in pipelines["reporting"].nodes if node.name == "reporting.collect")
    assert "wide.results" in collect.inputs


def test_one_box_for_each_concern(parameters: dict[str, object]) -> None:
    namespaces = {node.namespace for node in pipeline_registry.register_pipelines()["__default__"].nodes}
    assert namespaces == {"data_processing", *VARIANTS, "reporting"}
