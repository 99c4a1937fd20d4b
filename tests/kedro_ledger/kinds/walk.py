"""Run a project with every kind of dataset in each of its roles, and record what its user sees.

This script runs in the project's folder, in a separate process, and writes `walked.json` there.
"""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kedro.framework.project import pipelines
from kedro.framework.session import KedroServiceSession
from kedro.framework.startup import bootstrap_project

from kedro_ledger.errors import IrreproducibleError
from kedro_ledger.ledger import Ledger

HERE = Path.cwd()
BY_HAND = {"pandas_sql_query", "api"}
"""Kinds of raw data that their own dataset can't save."""
GROUPS = ("raw", "plain", "versioned")
"""Tags of nodes that run together: one run of many takes little longer than a run of one."""


class Server(BaseHTTPRequestHandler):
    """A server with the same response to all requests."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"one": 1}')

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class Notes(logging.Handler):
    """A handler that keeps a run's messages in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[str] = []
        self.after: list[str] = []
        self.has_begun = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the ledger's messages, before and after the start of the first node."""
        if record.name.startswith("kedro_ledger"):
            (self.after if self.has_begun else self.before).append(record.getMessage())
        elif record.getMessage().startswith(("Loading", "Running", "Saving")):
            self.has_begun = True


@contextmanager
def listening() -> Iterator[Notes]:
    notes = Notes()
    for name in ("kedro", "kedro_ledger"):
        logging.getLogger(name).addHandler(notes)
    try:
        yield notes
    finally:
        for name in ("kedro", "kedro_ledger"):
            logging.getLogger(name).removeHandler(notes)


def run(tag: str, nodes: Iterable[str] = ()) -> dict[str, Any]:
    """Run the nodes with a tag, or some of them, and return the results."""
    ledger = Ledger(HERE)
    last = ledger.last()
    error = None
    with listening() as notes:
        try:
            with KedroServiceSession.create(project_path=HERE) as session:
                assert isinstance(session, KedroServiceSession)
                session.run(tags=[tag], node_names=[*nodes])
        except IrreproducibleError as fault:
            notes.after.append(str(fault))
        except Exception as fault:
            error = "".join(traceback.format_exception_only(fault)).strip()
    record = ledger.last()
    if record and last and record.run_id == last.run_id:
        record = None
    damaged = []
    for dataset, artefact in (record.outputs if record else {}).items():
        try:
            ledger.require_intact(dataset, artefact)
        except Exception as fault:
            damaged.append(str(fault))
    return {
        "error": error,
        "has_begun": notes.has_begun,
        "before": notes.before,
        "after": notes.after,
        "run_id": record.run_id if record else None,
        "inputs": record.inputs if record else {},
        "outputs": sorted(record.outputs) if record else [],
        "raw": {raw: read.sha256 for raw, read in record.raw.items()} if record else {},
        "damaged": damaged,
        "seen": {
            output: json.loads((HERE / artefact.path).read_text())
            for output, artefact in (record.outputs if record else {}).items()
            if output.endswith("_seen")
        },
    }


def prepare_raw() -> dict[str, str]:
    """Save raw data with its own datasets, outside a run."""
    from kinds.pipelines.every_kind.nodes import MAKERS, NOT_LOADED

    faults = {}
    with KedroServiceSession.create(project_path=HERE) as session:
        assert isinstance(session, KedroServiceSession)
        catalog = session.load_context().catalog
    for kind, make in MAKERS.items():
        for folder in ("raw", "confirmed") if kind == "partitions_incremental" else ("raw",):
            if kind not in NOT_LOADED | BY_HAND:
                try:
                    catalog[f"{folder}.{kind}"].save(make())
                except Exception as fault:
                    faults[kind] = str(fault)
    return faults


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    where = HERE / "conf" / "local" / "globals.yml"
    where.write_text(f"server: http://127.0.0.1:{server.server_port}\n")
    bootstrap_project(HERE)
    logging.root.handlers.clear()  # printing the messages takes longer than the run
    results: dict[str, Any] = {"raw data": prepare_raw()}
    tags = {node.name: node.tags for node in pipelines["__default__"].nodes}
    names = dict.fromkeys(name.partition("_")[2] for name in tags)
    for group in GROUPS:
        nodes = [name for name in tags if group in tags[name]]
        seen = run(group), run(group, [name for name in nodes if name.startswith("see_")])
        if not any(
            runs["error"] for runs in seen
        ):  # otherwise, run each by itself to find the one that fails
            results |= {name.partition("_")[2]: {"run": seen[0], "again": seen[1]} for name in nodes}
    for name in sorted(names.keys() - results.keys(), key=lambda name: (name.startswith("other"), name)):
        see = f"see_{name}"
        results[name] = {"run": run(name), "again": run(name, [see]) if see in tags else None}
    (HERE / "walked.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
