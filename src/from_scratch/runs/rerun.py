"""Runs a checked-out project once more, with the code that lies there: started by `kedro runs reproduce`.

python -P rerun.py PROJECT ORDER, where ORDER is a file of JSON with what `KedroServiceSession.run` takes.
"""

import json
import logging
import sys
from pathlib import Path

from kedro.framework.session import KedroServiceSession
from kedro.framework.startup import bootstrap_project

if __name__ == "__main__":
    project = Path(sys.argv[1])
    order = json.loads(Path(sys.argv[2]).read_text("utf-8"))
    bootstrap_project(project)
    logging.getLogger("from_scratch.runs").setLevel(
        logging.WARNING
    )  # that it is committed there interests nobody
    with KedroServiceSession.create(project_path=project, env=order.pop("env")) as session:
        session.run(**order)
