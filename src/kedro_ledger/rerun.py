"""Runs a checked-out project once more, with the code that lies there: started by `kedro runs reproduce`.

python -P rerun.py PROJECT CONF ORDER, where CONF is a new folder for the configuration, and ORDER a file of
JSON with what stands in it and what `KedroServiceSession.run` takes.
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
    """Write YAML that OmegaConf reads as it was: all text is quoted, and nothing is taken for a reference."""

    class Quoting(yaml.SafeDumper):
        pass

    def quote(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text.replace("${", "\\${"), style='"')

    Quoting.add_representer(str, quote)
    return yaml.dump(value, Dumper=Quoting, sort_keys=False, allow_unicode=True)


def end_with(parent: int) -> None:
    """End this process as soon as the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    project, conf = Path(sys.argv[1]), Path(sys.argv[2])
    order = json.loads(Path(sys.argv[3]).read_text("utf-8"))
    bootstrap_project(project)
    # That something is committed there interests nobody.
    for name in ("kedro_ledger", "from_scratch.runs"):  # as the ledger was called within this project
        logging.getLogger(name).setLevel(logging.WARNING)
    # A rerun is not tracked, and sends nothing.
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
        except Exception as error:  # whatever a node may raise, in one line
            text = f"Error: {type(error).__name__}: {' '.join(str(error).split())}"
            # As runs/printable.py does, which the code that lies there may not have.
            sys.exit("".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text))
