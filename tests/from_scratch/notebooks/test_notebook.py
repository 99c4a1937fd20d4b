"""The notebook runs from top to bottom, on the article's data and on other data."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

from from_scratch.article import read_figures
from tests.support.project import ROOT, Project

NOTEBOOK = ROOT / "notebooks" / "from_machine_learning_to_deep_learning.ipynb"
WHOSE_CODE = "import from_scratch\nprint(from_scratch.__file__)"


def run_notebook(project: Project, kernel: str) -> Any:
    """Run the notebook in a project, and give it back with its outputs."""
    # Jupyter's libraries take their time: only who runs these tests waits for them.
    import nbformat
    from nbclient import NotebookClient

    folder = project.folder / "notebooks"
    folder.mkdir(exist_ok=True)
    notebook = read_notebook()
    notebook.cells.append(nbformat.v4.new_code_cell(WHOSE_CODE, id="whose-code"))  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=60,
        startup_timeout=60,
        kernel_name=kernel,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return notebook


def execute(project: Project, kernel: str) -> dict[str, Any]:
    """Run the notebook in a project, and give back the outputs of each cell that has any."""
    notebook = run_notebook(project, kernel)
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.get("outputs")}
    assert not any(output.get("name") == "stderr" for shown in outputs.values() for output in shown)
    assert printed(outputs, "whose-code") == f"{project.folder / 'src' / 'from_scratch' / '__init__.py'}\n"
    return outputs


def printed(outputs: dict[str, Any], cell: str) -> str:
    """All that a cell printed."""
    assert {output.get("name", "stdout") for output in outputs[cell]} == {"stdout"}
    return "".join(output.text for output in outputs[cell] if output.output_type == "stream")


def read_notebook() -> Any:
    import nbformat

    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def numbers(text: str) -> list[str]:
    """The numbers with decimals in a text."""
    return re.findall(r"-?\d+\.\d+", text)


def plots(outputs: dict[str, Any]) -> list[str]:
    """The cells that plot."""
    return [
        cell
        for cell, shown in outputs.items()
        if any("application/vnd.plotly.v1+json" in output.get("data", {}) for output in shown)
    ]


@pytest.mark.slow
def test_it_runs_on_other_data(project: Project, kernel: str) -> None:
    file = project.folder / "data" / "01_raw" / "train.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:501]))
    project.run()
    outputs = execute(project, kernel)
    assert "Your own file" in printed(outputs, "source")
    curves = {"linear-curve", "sigmoid-losses", "matmul-losses", "net-losses", "deep-losses"}
    assert curves <= set(plots(outputs))


@pytest.mark.slow
def test_on_the_articles_data_it_shows_the_articles_figures(article_run: Project, kernel: str) -> None:
    outputs, figures = execute(article_run, kernel), read_figures()
    assert "Kaggle's" in printed(outputs, "source")
    assert numbers(printed(outputs, "first-loss")) == ["0.5382", "0.5382"]
    assert numbers(printed(outputs, "one-step"))[:3] == ["0.5382", "0.4945", "0.4945"]
    assert numbers(printed(outputs, "clean-steps"))[-1] == "0.4945"
    for variant, cell in {"linear": "train-linear", "deep": "deep-accuracy"}.items():
        ours, theirs = printed(outputs, cell).split("ours:")[1].split("the article:")
        published = [f"{loss:.3f}" for loss in figures[f"{variant}.losses"].figures]
        assert numbers(ours) == published
        assert numbers(theirs)[: len(published)] == published
    for variant, cell in {
        "linear": "linear-accuracy",
        "sigmoid": "sigmoid-accuracy",
        "neural_net": "net-accuracies",
        "deep": "deep-accuracy",
    }.items():
        accuracy = f"{figures[f'{variant}.accuracy'].figures[0]:.4f}"
        assert numbers(printed(outputs, cell))[-2:] == [accuracy, accuracy]


@pytest.mark.slow
def test_without_a_run_it_says_what_to_do(project: Project, kernel: str) -> None:
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError) as raised:
        execute(project, kernel)
    assert raised.value.evalue == "comparison: no run is committed yet; `kedro run` makes one"


def test_no_outputs_are_in_git() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    faults = [
        cell["id"]
        for cell in notebook["cells"]
        if cell.get("outputs") or cell.get("execution_count") or cell["metadata"]
    ]
    said = "docs/notebook.md says how to strip the notebook"
    assert not faults, said
    assert set(notebook["metadata"]) == {"kernelspec"}, said
    assert notebook["metadata"]["kernelspec"]["name"] == "python3", said


def test_it_defines_no_model_again() -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    notebook = read_notebook()
    plain = TransformerManager()  # type: ignore[no-untyped-call]
    nodes = [
        node
        for cell in notebook.cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(plain.transform_cell(cell.source)))
    ]
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert not [node for node in nodes if isinstance(node, definitions)]
    # A step by hand would need one of these.
    by_hand = {"sub_", "zero_", "no_grad", "optim"}
    assert not by_hand & {node.attr for node in nodes if isinstance(node, ast.Attribute)}
