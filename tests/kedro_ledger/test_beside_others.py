"""The ledger in other projects, with their own logging, contexts and plugins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tiny import Tiny

LOGGINGS = {
    "Kedro's default": None,
    "Kedro's starter": """
version: 1
disable_existing_loggers: False
handlers: {rich: {class: kedro.logging.RichHandler, rich_tracebacks: True}}
loggers: {kedro: {level: INFO}, tiny: {level: INFO}}
root: {handlers: [rich]}
""",
    "one that disables existing loggers": """
version: 1
formatters: {plain: {format: "%(message)s"}}
handlers: {console: {class: logging.StreamHandler, formatter: plain}}
root: {level: WARNING, handlers: [console]}
""",
    "one without handlers": "version: 1\nloggers: {kedro: {level: INFO}}\n",
}
QUIET = """
version: 1
disable_existing_loggers: False
handlers: {console: {class: logging.StreamHandler}}
root: {level: WARNING, handlers: [console]}
loggers: {kedro_ledger: {level: ERROR}}
"""


def kedro(tiny: Tiny, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `kedro` in a new process, in which no logging is configured yet."""
    command = [sys.executable, "-m", "kedro", *arguments]
    wide = {"COLUMNS": "200", **environment}
    return subprocess.run(command, cwd=tiny.folder, env=os.environ | wide, capture_output=True, text=True)


@pytest.mark.parametrize("logging", LOGGINGS)
def test_messages_of_the_ledger_are_shown(tiny: Tiny, logging: str) -> None:
    file = tiny.folder / "conf/logging.yml"
    file.unlink()
    if text := LOGGINGS[logging]:
        file.write_text(text)
    ran = kedro(tiny, "run")
    assert ran.returncode == 0, ran.stderr
    message = ran.stdout + ran.stderr
    assert message.count("committed as run") == 1, message
    ran = kedro(tiny, "run", "--params", "factor=text")
    assert ran.returncode == 1
    message = ran.stdout + ran.stderr
    assert message.count("not committed; nothing of this run is kept") == 1, message


def test_a_project_can_silence_the_ledger(tiny: Tiny) -> None:
    (tiny.folder / "conf/logging.yml").write_text(QUIET)
    ran = kedro(tiny, "run")
    assert ran.returncode == 0
    assert "committed" not in ran.stdout + ran.stderr
    assert tiny.ledger.last()


def test_a_context_of_the_project_is_combined(tiny: Tiny) -> None:
    settings = tiny.folder / "src/tiny/settings.py"
    text = settings.read_text()
    own = "from kedro.framework.context import KedroContext\nclass OwnContext(KedroContext): pass\n"
    settings.write_text(f"{text}{own}CONTEXT_CLASS = OwnContext\n")
    ran = tiny.kedro("run")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        "Error: settings.py: CONTEXT_CLASS is OwnContext; expected RunContext, which the ledger's "
        "RunHooks need, or a subclass of both: `class Context(RunContext, OwnContext)`"
    )
    both = "class Context(RunContext, OwnContext): pass\nCONTEXT_CLASS = Context\n"
    settings.write_text(f"{text}{own}{both}")
    assert tiny.kedro("run").returncode == 0
    assert tiny.read()["numbers"] == [1, 2]


PLUGIN = '''
"""Run a project as kedro-dagster 0.8 does: hooks, nodes and datasets one by one, without a runner."""

import sys
from pathlib import Path

from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

bootstrap_project(Path.cwd())
session = KedroSession.create()
context = session.load_context()
catalog, hooks, pipeline = context.catalog, context._hook_manager.hook, pipelines["__default__"]
keys = ("load_versions runtime_params runner node_names from_nodes to_nodes from_inputs to_outputs "
        "node_namespaces tags")
run_params = dict.fromkeys(keys.split()) | {
    "run_id": session.store["session_id"], "project_path": str(Path.cwd()), "env": "base",
    "kedro_version": "1.7.0", "pipeline_name": "__default__",
}
if "begin" in sys.argv:
    hooks.before_pipeline_run(run_params=run_params, pipeline=pipeline, catalog=catalog)
if "nodes" in sys.argv:
    for node in pipeline.nodes:
        inputs = {}
        for name in node.inputs:
            hooks.before_dataset_loaded(dataset_name=name, node=node)
            inputs[name] = catalog.load(name)
        hooks.before_node_run(node=node, catalog=catalog, inputs=inputs, is_async=False, run_id=None)
        for name, data in node.run(inputs).items():
            hooks.before_dataset_saved(dataset_name=name, data=data, node=node)
            if name not in catalog:
                from kedro.io import MemoryDataset
                catalog[name] = MemoryDataset()
            catalog.save(name, data)
if "end" in sys.argv:
    hooks.after_pipeline_run(run_params=run_params, run_result=None, pipeline=pipeline, catalog=catalog)
'''


@pytest.fixture
def plugin(tiny: Tiny) -> Path:
    file = tiny.folder / "plugin.py"
    file.write_text(PLUGIN)
    return file


def call(plugin: Path, *parts: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(plugin), *parts]
    return subprocess.run(command, cwd=plugin.parent, capture_output=True, text=True)


def test_a_plugin_that_runs_nodes_itself_commits(tiny: Tiny, plugin: Path) -> None:
    for numbers in ([1, 2], [3, 4]):
        tiny.feed(numbers)
        ran = call(plugin, "begin", "nodes", "end")
        assert ran.returncode == 0, ran.stderr
        assert tiny.read()["numbers"] == numbers
    record = tiny.ledger.find("last")
    assert (record.seq, record.pipelines, record.runner) == (2, ["__default__"], "not one of Kedro's")
    assert record.outputs.keys() == {"numbers", "scaled.up", "scaled.down", "total.metrics"}
    tiny.expect_whole()


def test_a_plugin_with_a_process_for_each_node_is_refused(tiny: Tiny, plugin: Path) -> None:
    tiny.run()
    before = tiny.versions()
    assert call(plugin, "begin").returncode == 0, "the process ends, and its run is undone"
    ran = call(plugin, "nodes")
    assert ran.returncode == 1
    message = "LedgerError: this node's run began in another process, "
    assert message in ran.stderr.splitlines()[-1]
    assert tiny.versions() == before


def test_a_session_without_a_runner_uses_the_default_runner(tiny: Tiny) -> None:
    code = (
        "from pathlib import Path\n"
        "from kedro.framework.session import KedroSession\n"
        "from kedro.framework.startup import bootstrap_project\n"
        "bootstrap_project(Path.cwd())\n"
        "with KedroSession.create() as session: session.run()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tiny.folder, check=True)
    assert tiny.ledger.find("last").runner == "SequentialRunner"


def test_another_project_gets_only_the_ledgers_commands(tiny: Tiny) -> None:
    commands = kedro(tiny, "--help").stdout.partition("Project specific commands")[2]
    assert "runs" in commands
    for command in ("features", "schedule", "describe-datasets"):
        assert command not in commands
