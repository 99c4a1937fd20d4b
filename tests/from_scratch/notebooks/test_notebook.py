"""The notebook runs from top to bottom, and its outputs in git are those of a new run."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from itertools import zip_longest
from typing import Any

import pytest
import torch
from matplotlib.image import imread

from from_scratch import models, training
from from_scratch.article import read_figures
from tests.support.project import ROOT, Project

NOTEBOOK = ROOT / "notebooks" / "from_machine_learning_to_deep_learning.ipynb"
WHOSE_CODE = "import from_scratch\nprint(from_scratch.__file__)"
RENEW = "run `make notebook` to renew the notebook's outputs"
CURVES = {"linear-curve", "sigmoid-losses", "net-losses", "deep-losses", "ten-seeds", "he-seeds"}
LARGEST = 1.5e6
"""Maximum size of the notebook in bytes."""
ROUNDING = 0.0015
"""Largest difference of a number from that in git: processors round the last digit differently."""
PIXELS = 0.0005
"""Largest share of a picture's pixels that may differ from git; one moved point of a curve changes more."""


def read_notebook() -> Any:
    # Jupyter's libraries are slow to import, so only these tests import them.
    import nbformat

    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def run_notebook(project: Project, kernel: str) -> Any:
    """Run the notebook in a project, and return it with its outputs."""
    import nbformat
    from nbclient import NotebookClient

    folder = project.folder / "notebooks"
    folder.mkdir(exist_ok=True)
    for module in NOTEBOOK.parent.glob("*.py"):
        shutil.copy(module, folder)
    notebook = read_notebook()
    notebook.cells.append(nbformat.v4.new_code_cell(WHOSE_CODE, id="whose-code"))  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=60,
        startup_timeout=60,
        kernel_name=kernel,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return notebook


def execute(project: Project, kernel: str) -> dict[str, Any]:
    """Run the notebook in a project, and return the outputs of each cell that has any."""
    outputs = find_outputs(run_notebook(project, kernel))
    assert not any(output.get("name") == "stderr" for shown in outputs.values() for output in shown)
    (whose_code,) = outputs.pop("whose-code")
    assert whose_code.text == f"{project.folder / 'src' / 'from_scratch' / '__init__.py'}\n"
    return outputs


def find_outputs(notebook: Any) -> dict[str, Any]:
    """Return the outputs of each cell that has any."""
    return {cell.id: cell.outputs for cell in notebook.cells if cell.get("outputs")}


def printed(outputs: dict[str, Any], cell: str) -> str:
    """Return everything that a cell printed."""
    return "".join(output.text for output in outputs[cell] if output.output_type == "stream")


def numbers(text: str) -> list[str]:
    """Return the numbers with decimals in a text."""
    return re.findall(r"-?\d+\.\d+", text)


def pictures(outputs: dict[str, Any]) -> set[str]:
    """Return the ids of the cells that show a picture."""
    return {
        cell
        for cell, shown in outputs.items()
        if any("image/png" in output.get("data", {}) for output in shown)
    }


def texts(output: Any) -> dict[str, str]:
    """Return the texts of an output by media type."""
    if output.output_type == "stream":
        return {"stdout": output.text}
    return {kind: text for kind, text in output.data.items() if kind != "image/png"}


def is_same_text(text: str, other: str) -> bool:
    """Return whether two texts have the same words, and numbers that are equal except for rounding."""
    pattern = r"(-?\d+\.\d+)"
    parts = zip_longest(re.split(pattern, text), re.split(pattern, other), fillvalue="")
    return all(
        abs(float(a) - float(b)) <= ROUNDING if i % 2 else a.split() == b.split()
        for i, (a, b) in enumerate(parts)
    )


def share_of_other_pixels(picture: str, other: str) -> float:
    """Return the share of pixels in which two pictures are visibly different."""
    a, b = (imread(BytesIO(b64decode(encoded))) for encoded in (picture, other))
    return float((abs(a - b) > 0.1).any(axis=-1).mean()) if a.shape == b.shape else 1.0


@pytest.mark.slow
def test_a_new_run_has_the_outputs_in_git(article_run: Project, kernel: str) -> None:
    new, committed = execute(article_run, kernel), find_outputs(read_notebook())
    assert new.keys() == committed.keys(), RENEW
    for cell, shown in committed.items():
        assert len(new[cell]) == len(shown), f"{cell}: {RENEW}"
        for output, again in zip(shown, new[cell], strict=True):
            assert texts(output).keys() == texts(again).keys(), f"{cell}: {RENEW}"
            for kind, text in texts(output).items():
                assert is_same_text(text, texts(again)[kind]), f"{cell}: {RENEW}"
            if cell in pictures(committed) and "image/png" in output.get("data", {}):
                changed = share_of_other_pixels(output.data["image/png"], again.data["image/png"])
                assert changed <= PIXELS, f"{cell}: {RENEW}"


@pytest.mark.slow
def test_it_runs_on_other_data(project: Project, kernel: str) -> None:
    file = project.folder / "data" / "01_raw" / "train.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:501]))
    project.run()
    outputs = execute(project, kernel)
    assert "Your own file" in printed(outputs, "source")
    assert "0 of 0 figures" in printed(outputs, "source")
    assert pictures(outputs) >= CURVES


@pytest.mark.slow
def test_without_a_run_it_names_the_command(project: Project, kernel: str) -> None:
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError) as raised:
        execute(project, kernel)
    assert raised.value.evalue == "comparison: no run is committed yet; run `kedro run` to create one"


def test_it_is_in_git_as_it_ran_from_top_to_bottom() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1)), RENEW
    assert not [cell["id"] for cell in notebook["cells"] if cell["metadata"]], RENEW
    assert set(notebook["metadata"]) == {"kernelspec"}, RENEW
    assert notebook["metadata"]["kernelspec"]["name"] == "python3", RENEW
    assert NOTEBOOK.stat().st_size < LARGEST


def test_outputs_contain_no_path_and_no_date() -> None:
    outputs = find_outputs(read_notebook())
    kinds = {output.output_type for shown in outputs.values() for output in shown}
    assert kinds == {"stream", "execute_result"}  # no error, and nothing but each cell's result and prints
    shown = [text for cell in outputs.values() for output in cell for text in texts(output).values()]
    for forbidden in (
        str(ROOT),
        "file://",
        "/home/",
        "/root/",
        "site-packages",
        r"\x1b",
        r"\d{4}-\d\d-\d\d",
        "0x",
    ):
        assert not [text for text in shown if re.search(forbidden, text)], forbidden


def test_it_shows_the_articles_figures() -> None:
    outputs, figures = find_outputs(read_notebook()), read_figures()
    assert "Kaggle's" in printed(outputs, "source")
    assert "1,159 of 1,159 figures" in printed(outputs, "source")
    assert numbers(printed(outputs, "one-step"))[:3] == ["0.1", "0.5382", "0.4945"]
    assert numbers(printed(outputs, "train-linear")) == [
        f"{loss:.3f}" for loss in figures["linear.losses"].figures
    ]
    for variant, cell in {
        "linear": "linear-accuracy",
        "sigmoid": "sigmoid-losses",
        "neural_net": "net-losses",
        "deep": "deep-losses",
    }.items():
        assert f"{figures[f'{variant}.accuracy'].figures[0]:.4f}" in numbers(printed(outputs, cell))


def test_it_shows_the_code_of_the_package_and_what_changes() -> None:
    outputs = find_outputs(read_notebook())
    shown = {
        cell: "".join(texts(output).get("text/markdown", "") for output in outputs[cell]) for cell in outputs
    }
    sources: dict[Callable[..., Any], str] = {
        models.init_linear: "linear-source",
        models.linear: "linear-source",
        models.sigmoid: "sigmoid-source",
        models.matmul: "matmul-source",
        models.neural_net: "net-source",
        models.deep: "deep-source",
        models.draw_he: "he-source",
        training.mean_absolute_error: "first-loss",
        training.gradient_step: "step-source",
        training.train: "train-source",
    }
    for function, cell in sources.items():
        assert inspect.getsource(function) in shown[cell], RENEW
    for cell, taken, added in (
        ("sigmoid-source", 2, 1),
        ("matmul-source", 1, 2),
        ("net-source", 1, 2),
        ("deep-source", 3, 5),
    ):
        change = shown[cell].split("```diff\n")[1].splitlines()
        counts = [sum(line.startswith(sign) for line in change) for sign in "-+"]
        assert counts == [taken, added], cell


def test_each_picture_has_a_text_and_no_background() -> None:
    outputs = find_outputs(read_notebook())
    assert pictures(outputs) > CURVES | {"step-plot", "sigmoid-steps", "coefficients-move", "net-units"}
    for cell in pictures(outputs):
        (output,) = [output for output in outputs[cell] if "image/png" in output.get("data", {})]
        assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
        assert imread(BytesIO(b64decode(output.data["image/png"])))[0, 0, 3] == 0


WRONG = "return x.sum(dim=-1)"
FLAT = "return torch.sigmoid(x.sum(dim=-1))"


@pytest.mark.parametrize(
    ("cell", "right", "wrong"),
    [
        (
            "my-linear",
            ["return (x * coefficients['weights']).sum(dim=1)", "return x @ coefficients['weights']"],
            WRONG,
        ),
        (
            "my-net",
            [
                "bent = torch.relu(x @ coefficients['layer1']); "
                "return torch.sigmoid(bent @ coefficients['layer2'] + coefficients['constant']).squeeze(-1)"
            ],
            FLAT,
        ),
    ],
)
def test_the_readers_own_model_is_compared_with_the_packages(cell: str, right: list[str], wrong: str) -> None:
    source = next(found.source for found in read_notebook().cells if found.id == cell)
    (line,) = re.findall(r"return .*", source)
    generator = torch.Generator().manual_seed(442)
    names = {
        "torch": torch,
        "independent": torch.rand(9, 12, generator=generator),
        "initial": models.init_linear(12, [], generator),
        "net": models.init_neural_net(12, [20], generator),
        "linear": models.linear,
        "neural_net": models.neural_net,
    }
    for answer in (line, *right):
        exec(source.replace(line, answer), dict(names))
    with pytest.raises(AssertionError):
        exec(source.replace(line, wrong), dict(names))


def test_its_shares_are_those_in_the_docs() -> None:
    (cell,) = [cell for cell in read_notebook().cells if cell.id == "practice"]
    page = (ROOT / "docs" / "what-practice-adds.md").read_text(encoding="utf-8")
    shares = re.findall(r"\d+(?:\.\d)? %", cell.source)
    assert len(shares) == 6
    assert not [share for share in shares if share not in page]


def test_it_defines_no_model_except_the_readers() -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    notebook = read_notebook()
    plain = TransformerManager()  # type: ignore[no-untyped-call]
    nodes = [
        node
        for cell in notebook.cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(plain.transform_cell(cell.source)))
    ]
    assert not [node for node in nodes if isinstance(node, ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)]
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    assert functions == {"my_linear", "my_net", "loss_at"}
    # A step by hand would need one of these.
    by_hand = {"sub_", "zero_", "no_grad", "optim"}
    assert not by_hand & {node.attr for node in nodes if isinstance(node, ast.Attribute)}
