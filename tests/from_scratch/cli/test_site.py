import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

from from_scratch.cli import site
from kedro_ledger.errors import InputError
from tests.support.project import Project

FONTS = """<link rel="preconnect" href="https://fonts.googleapis.com" />
<link rel="preconnect" href="https://fonts.gstatic.com" crossorigin />
<link
href="https://fonts.googleapis.com/css2?family=Inter:wght@400;600&display=swap"
rel="stylesheet"
/>"""
NOTHING_RAN = (
    "Run events file .viz/kedro_pipeline_events.json not found. It may be due to missing `kedro run`"
)
FAILED = {"status": "failed", "error": {"message": "Age of Jane is 'x'", "traceback": 'File "/opt/x.py"'}}


def build(folder: Path, **nodes: Any) -> Path:
    """Write a small site like that of Kedro-Viz."""
    (folder / "build" / "api" / "nodes").mkdir(parents=True)
    (folder / "build" / "assets").mkdir()
    files: dict[str, Any] = {f"api/nodes/{node}": content for node, content in nodes.items()}
    files["api/main"] = {"nodes": [{"id": node, "name": f"name of {node}"} for node in nodes]}
    files["api/run-status"] = {"nodes": {"a": {"status": "success", "error": None}, "b": dict(FAILED)}}
    files["api/run-status"] |= {"datasets": {"c": dict(FAILED)}, "pipeline": dict(FAILED)}
    files["api/deploy-viz-metadata"] = {"timestamp": "now"}
    for name, content in files.items():
        (folder / "build" / name).write_text(json.dumps(content))
    (folder / "build" / "404.html").write_text(f"<head>{FONTS}<link href='./assets/index-1.css'/></head>")
    (folder / "build" / "index.html").write_text("<script>telemetry</script>")
    (folder / "build" / "telemetry.html").touch()
    (folder / "build" / "assets" / "index-1.js").write_text('await fetch("/api/run-status")')
    return folder / "build"


@pytest.mark.parametrize(
    ("node", "filepath"),
    [
        ({"filepath": "{project}/data/01_raw/train.csv"}, "data/01_raw/train.csv"),
        ({"filepath": "{project}-private/train.csv"}, "train.csv"),
        ({"filepath": "{project}/../jane/train.csv"}, "train.csv"),
        ({"filepath": "/home/jane/train.csv"}, "train.csv"),
        ({"filepath": "s3://bucket/train.csv"}, "s3://bucket/train.csv"),
        ({"filepath": None}, None),
        ({"filepath": "{name}/src/from_scratch/a.py", "code": ""}, "src/from_scratch/a.py"),
        ({"filepath": "/opt/from_scratch/a.py", "code": ""}, "a.py"),
    ],
)
def test_files_are_named_by_their_path_in_the_project(
    tmp_path: Path, node: dict[str, Any], filepath: str | None
) -> None:
    if node["filepath"]:
        node = node | {"filepath": node["filepath"].format(project=tmp_path, name=tmp_path.name)}
    folder = build(tmp_path, node=node)
    site.clean(folder, tmp_path)
    assert json.loads((folder / "api/nodes/node").read_text())["filepath"] == filepath


def test_a_failed_run_stays_failed_but_its_errors_are_hidden(tmp_path: Path) -> None:
    folder = build(tmp_path)
    site.clean(folder, tmp_path)
    status = json.loads((folder / "api/run-status").read_text())
    assert "Jane" not in str(status)
    assert "x.py" not in str(status)
    for step in (status["nodes"]["b"], status["datasets"]["c"], status["pipeline"]):
        assert step == {"status": "failed", "error": {"message": site.ERROR, "traceback": ""}}
    assert status["nodes"]["a"]["error"] is None


def test_the_page_asks_no_other_host_and_works_in_a_subfolder(tmp_path: Path) -> None:
    folder = build(tmp_path)
    site.clean(folder, tmp_path)
    assert (folder / "index.html").read_text() == "<head><link href='./assets/index-1.css'/></head>"
    assert (folder / "404.html").read_text() == (folder / "index.html").read_text()
    assert not (folder / "telemetry.html").exists()
    assert (folder / "assets" / "index-1.js").read_text() == 'await fetch("api/run-status")'


@pytest.mark.parametrize(
    "text",
    [
        "see {project}/notes",
        f"{sys.prefix}/bin/python",
        "/home/jane/x",
        "/Users/jane",
        r"C:\Users\jane\x",
        "in /root/x",
        str(Path.home()),
    ],
)
def test_a_path_on_this_machine_is_not_published(tmp_path: Path, text: str) -> None:
    folder = build(tmp_path, node={"parameters": {"a": [text.format(project=tmp_path)]}})
    with pytest.raises(InputError, match=r"name of node contains .*, a path on this machine"):
        site.clean(folder, tmp_path)


@pytest.mark.parametrize("text", ["https://x.org/home/jane", "a/root/b", "/homes", "__root__", "/rooting"])
def test_a_text_that_only_looks_like_a_path_on_this_machine_is_published(tmp_path: Path, text: str) -> None:
    folder = build(tmp_path, node={"parameters": {"a": text}})
    site.clean(folder, tmp_path)
    assert text in (folder / "api/nodes/node").read_text()


Deployed = Callable[[], dict[str, bytes]]


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """Return a function that reads the files in the bucket `site` of a local S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    access = {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "us-east-1"}
    for name, value in (access | {"ENDPOINT_URL": f"http://{host}:{port}"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()  # data of other tests
    client = boto3.client("s3")
    client.create_bucket(Bucket="site")

    def read() -> dict[str, bytes]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="site")
        names = [file["Key"] for page in pages for file in page.get("Contents", [])]
        return {name: client.get_object(Bucket="site", Key=name)["Body"].read() for name in names}

    yield read
    server.stop()


DEPLOY = ("viz", "deploy", "--platform", "aws", "--endpoint", "http://x.org", "--bucket-name")


@pytest.mark.slow
def test_a_deployed_site_is_clean(project: Project, deployed: Deployed) -> None:
    ran = project.kedro(*DEPLOY, "site")
    assert ran.returncode == 0, ran.stderr
    assert not (project.folder / "build").exists()
    files = deployed()
    assert {"index.html", "api/main", "api/deploy-viz-metadata"} <= files.keys()
    data = b"".join(content for name, content in files.items() if name.startswith("api/"))
    assert b"data/01_raw/train.csv" in data
    assert str(project.folder).encode() not in data
    assert b"googleapis" not in files["index.html"]


@pytest.mark.slow
def test_nothing_is_deployed_with_a_path_on_this_machine(project: Project, deployed: Deployed) -> None:
    project.configure("parameters.yml", "features: {ignore: [Name, Ticket, Cabin, /home/jane/x]}")
    ran = project.kedro(*DEPLOY, "site")
    assert ran.returncode == 1
    (error,) = [line for line in ran.stderr.splitlines() if line.startswith("Error: ")]
    assert "contains /home/jane" in error
    assert "Nothing was published" in error
    assert deployed() == {}


@pytest.mark.slow
def test_a_failed_upload_is_one_line_and_no_success(project: Project, deployed: Deployed) -> None:
    ran = project.kedro(*DEPLOY, "no-such-bucket")
    assert ran.returncode == 1
    assert "Success" not in ran.stdout
    assert len([line for line in ran.stderr.splitlines() if line.startswith("Error: ")]) == 1


@pytest.mark.slow
def test_a_site_can_be_built_before_any_run_and_a_failure_is_reported(project: Project) -> None:
    assert project.kedro("viz", "build", "--help").returncode == 0
    ran = project.kedro("viz", "build", "--include-previews")
    assert ran.returncode == 0
    assert ran.stderr.splitlines() == [NOTHING_RAN]
    assert (project.folder / "build" / "api" / "main").exists()

    project.configure(
        "parameters.yml", "variants: {linear: {model: linear, seed: 442, learning_rat: 1, epochs: 1}}"
    )
    ran = project.kedro("viz", "build", "--include-previews")
    assert ran.returncode == 1
    assert "parameter variants.linear.learning_rat is unknown; did you mean" in ran.stderr.splitlines()[-1]
    assert not (project.folder / "build" / "api").exists()


def test_a_folder_that_kedro_viz_did_not_write_is_kept(tmp_path: Path) -> None:
    mine = tmp_path / "build" / "api" / "mine.c"
    mine.parent.mkdir(parents=True)
    mine.write_text("int main() {}")
    with pytest.raises(InputError, match="build/api was not written by Kedro-Viz"):
        site.remove_earlier_build(tmp_path / "build")
    assert mine.exists()
    site.remove_earlier_build(build(tmp_path / "other"))
    assert not (tmp_path / "other" / "build" / "api").exists()
