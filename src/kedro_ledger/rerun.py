"""Run a checked-out project with its own code. `kedro runs reproduce` starts this script.

Usage: python -P rerun.py PROJECT CONF ORDER. CONF is a new folder for the configuration. ORDER is a JSON file
with the catalog, the parameters, and the arguments of `KedroServiceSession.run`.
"""

import json
import logging
import os
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import yaml
from kedro.framework.project import settings
from kedro.framework.session import KedroServiceSession
from kedro.framework.startup import bootstrap_project


def write_yaml(value: Any) -> str:
    """Return YAML that OmegaConf reads unchanged: all text is quoted, and references are escaped."""

    class Quoting(yaml.SafeDumper):
        pass

    def quote(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text.replace("${", "\\${"), style='"')

    Quoting.add_representer(str, quote)
    return yaml.dump(value, Dumper=Quoting, sort_keys=False, allow_unicode=True)


def end_with(parent: int) -> None:
    """End this process when the process that started it has ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    project, conf = Path(sys.argv[1]), Path(sys.argv[2])
    order = json.loads(Path(sys.argv[3]).read_text("utf-8"))
    bootstrap_project(project)
    # Messages about the commits of a rerun would confuse the user.
    for name in ("kedro_ledger", "from_scratch.runs"):  # the ledger's earlier name in this project
        logging.getLogger(name).setLevel(logging.WARNING)
    # A rerun is not tracked by MLflow, and sends no telemetry.
    others = (*settings.DISABLE_HOOKS_FOR_PLUGINS, "kedro_mlflow", "kedro-telemetry")
    settings.set("DISABLE_HOOKS_FOR_PLUGINS", others)
    base = conf / settings.CONFIG_LOADER_ARGS.get("base_env", "base")
    base.mkdir(parents=True)
    (conf / settings.CONFIG_LOADER_ARGS.get("default_run_env", "local")).mkdir(exist_ok=True)
    for name in ("catalog", "parameters"):
        (base / f"{name}.yml").write_text(write_yaml(order[name]), encoding="utf-8")
    with KedroServiceSession.create(project_path=project, conf_source=str(conf)) as session:
        try:
            session.run(**order["run"])
        except Exception as error:  # a node may raise any error; show it in one line
            text = f"Error: {type(error).__name__}: {' '.join(str(error).split())}"
            # As in printable.py, which the checked-out code may not contain.
            sys.exit("".join(char if char.isprintable() else repr(char)[1:-1] for char in text))
