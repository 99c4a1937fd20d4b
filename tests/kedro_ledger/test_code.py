"""The recorded code: the commit and the differences from it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from kedro_ledger import code
from kedro_ledger.code import read_code

NO_GIT = "git is not installed; install git to record or check out code"


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git with a user name."""
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    ran = subprocess.run(["git", *who, *arguments], cwd=folder, input=stdin, capture_output=True, check=True)
    return ran.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a project in the folder `sub`, with everything committed."""
    project = tmp_path / "repository" / "sub"
    (project / "src" / "__pycache__").mkdir(parents=True)
    (project / "src" / "a.py").write_text("one\n")
    (project / "src" / "__pycache__" / "a.pyc").write_bytes(b"\0")
    (tmp_path / "repository" / ".gitignore").write_text("__pycache__/\n/sub/data/\n")
    git(tmp_path / "repository", "init", "--quiet")
    git(tmp_path / "repository", "add", "--all")
    git(tmp_path / "repository", "commit", "--quiet", "--message", "one")
    return project


def test_a_clean_tree_is_its_commit(repository: Path) -> None:
    found = read_code(repository)
    assert found.commit == git(repository, "rev-parse", "HEAD")
    assert found.folder == "sub/"
    assert found.patch is None
    assert found.files.keys() == {"src/a.py"}


def test_leftovers_of_pip_are_not_code(repository: Path) -> None:
    for place, name in (("package", "pyproject.toml"), ("package/build", "b.py"), ("module/build", "c.py")):
        (repository / "src" / place).mkdir(parents=True, exist_ok=True)
        (repository / "src" / place / name).write_text("\n")
    assert {*read_code(repository).files} == {
        "src/a.py",
        "src/package/pyproject.toml",
        "src/module/build/c.py",
    }


def test_the_patch_rebuilds_the_tree_and_touches_nothing(repository: Path, tmp_path: Path) -> None:
    (repository / "src" / "a.py").write_bytes("zwei ä\n".encode("latin-1"))
    (repository / "src" / "new é.py").write_text("new\n")
    (repository / "picture.bin").write_bytes(bytes(range(256)))
    (repository / "data").mkdir()
    (repository / "data" / "ignored.csv").write_text("x\n")
    git(repository, "add", "src/a.py")
    before = [file.read_bytes() for file in sorted((repository.parent / ".git").rglob("*")) if file.is_file()]
    found = read_code(repository)
    after = [file.read_bytes() for file in sorted((repository.parent / ".git").rglob("*")) if file.is_file()]
    assert before == after
    assert found.patch
    git(tmp_path, "clone", "--quiet", "repository", "clone")
    git(tmp_path / "clone", "apply", "-", stdin=found.patch.encode(found.patch_encoding))
    for name in ("src/a.py", "src/new é.py", "picture.bin"):
        assert (tmp_path / "clone" / "sub" / name).read_bytes() == (repository / name).read_bytes()
    assert not (tmp_path / "clone" / "sub" / "data").exists()
    assert read_code(tmp_path / "clone" / "sub").files == found.files


@pytest.mark.parametrize(
    "name", ["credentials.yml", "credentials_of_mine.yaml", "credentials/deep/export.json"]
)
@pytest.mark.parametrize("is_staged", [True, False])
def test_credentials_are_not_in_the_patch(repository: Path, name: str, is_staged: bool) -> None:
    file = repository / "conf" / "base" / name
    file.parent.mkdir(parents=True)
    file.write_text("export: {password: xyzzy}\n")
    if is_staged:
        git(repository, "add", str(file))
    assert read_code(repository).patch is None
    (repository / "src" / "credentials.py").write_text("new = 1\n")
    found = read_code(repository).patch
    assert found
    assert "new = 1" in found
    assert "xyzzy" not in found


@pytest.mark.parametrize("state", ["changed", "staged", "removed", "new"])
def test_data_is_not_in_the_patch(repository: Path, state: str) -> None:
    files = [repository / name for name in ("data/01_raw/rows.csv", "docs/[rows]*.csv", "docs/parts/1.csv")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("first\n")
    if state != "new":
        git(repository, "add", "--force", *map(str, files))
        git(repository, "commit", "--quiet", "--message", "two")
    for file in files:
        file.write_text("xyzzy\n") if state != "removed" else file.unlink()
    if state == "staged":
        git(repository, "add", "--update")
    data = ["docs/[rows]*.csv", "docs/parts", "docs/not there"]
    assert read_code(repository, data=data).is_committed
    (repository / "docs" / "[rows]x.csv").write_text("no data\n")
    (repository / "src" / "a.py").write_text("two\n")
    found = read_code(repository, data=data).patch or ""
    assert "+two" in found
    assert "+no data" in found
    assert not re.search(r"xyzzy|first|01_raw|parts", found)
    assert len(re.findall("^diff ", found, re.MULTILINE)) == 2


def test_a_removed_file_is_in_the_patch(repository: Path) -> None:
    (repository / "src" / "a.py").unlink()
    assert "deleted file" in (read_code(repository).patch or "")


def test_data_that_git_does_not_ignore_is_not_in_the_patch(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "MAX_PATCH_BYTES", 1_000_000)
    for name in ("one.csv", "two.csv", "three.csv"):
        (repository / name).write_bytes(bytes(700_000))
    found = read_code(repository)
    assert (found.patch, found.not_copied) == (None, [])
    expected = "expected at most 1 MB. Add files that are not code to .gitignore"
    assert found.patch_left_out == f"2 MB differ from the commit; {expected}"


def test_without_git_there_are_only_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("one\n")
    for path in (None, ""):
        if path is not None:
            monkeypatch.setenv("PATH", path)
        found = read_code(tmp_path)
        assert (found.commit, found.patch, list(found.files)) == (None, None, ["src/a.py"])
        assert found.patch_left_out == (None if path is None else NO_GIT)


@pytest.mark.parametrize(
    "setting",
    [
        "diff.noprefix=true",
        "color.ui=always",
        "diff.relative=true",
        "diff.context=0",
        "diff.orderFile=missing",
    ],
)
def test_the_patch_is_the_same_whatever_the_configuration(repository: Path, setting: str) -> None:
    (repository / "src" / "a.py").write_text("two\n")
    plain = read_code(repository).patch
    git(repository, "config", *setting.split("="))
    assert read_code(repository).patch == plain


def test_what_git_cannot_record_is_reported(repository: Path) -> None:
    (repository / "scratch").mkdir()
    git(repository / "scratch", "init", "--quiet")
    (repository / "scratch" / "file").touch()
    found = read_code(repository)
    assert found.patch is None
    assert (found.patch_left_out or "").startswith("git update-index: ")


def test_a_change_of_content_only_is_detected(repository: Path) -> None:
    # Within one clock tick: same size, same time, and an index that is not newer than the file.
    git(repository, "config", "core.trustctime", "false")
    file = repository / "src" / "a.py"
    index = Path(git(repository, "rev-parse", "--path-format=absolute", "--git-path", "index"))
    a_minute_ago = (file.stat().st_mtime - 60,) * 2
    os.utime(file, a_minute_ago)
    git(repository, "update-index", "--refresh")
    file.write_text("two\n")
    os.utime(file, a_minute_ago)
    os.utime(index, a_minute_ago)
    assert "+two" in (read_code(repository).patch or "")


@pytest.mark.parametrize(
    "cause", ["core.autocrlf", "ignored", "excludesFile", "attributes", "info/attributes", "filter", "ident"]
)
def test_sources_that_git_cannot_restore_are_reported_at_once(
    repository: Path, tmp_path: Path, cause: str
) -> None:
    top, source = repository.parent, repository / "src" / "a.py"
    if cause == "core.autocrlf":
        git(top, "config", "core.autocrlf", "true")
    elif cause == "ignored":
        (top / ".gitignore").write_text("b.py\n")
        (repository / "src" / "b.py").write_text("two\n")
    elif cause == "excludesFile":
        (tmp_path / "excludes").write_text("*.py\n")
        git(top, "config", "core.excludesFile", str(tmp_path / "excludes"))
        (repository / "src" / "b.py").write_text("two\n")
    elif cause == "attributes":
        (top / ".gitattributes").write_text("*.py text eol=crlf\n")
    elif cause == "info/attributes":
        (top / ".git" / "info" / "attributes").write_text("*.py text eol=crlf\n")
    elif cause == "filter":
        (top / ".gitattributes").write_text("*.py filter=upper\n")
        git(top, "config", "filter.upper.smudge", "tr a-z A-Z")
    else:
        source.write_text("# $Id: mine$\n")
        (top / ".gitattributes").write_text("*.py ident\n")
    name = "src/b.py" if cause in ("ignored", "excludesFile") else "src/a.py"
    found = read_code(repository)
    assert found.commit
    assert (found.patch_left_out or "").startswith(f"git ignores {name}, or changes its bytes on checkout")


def test_line_ends_that_git_restores_are_allowed(repository: Path) -> None:
    git(repository, "config", "core.autocrlf", "true")
    (repository / "src" / "a.py").write_bytes(b"one\r\n")
    assert read_code(repository).patch_left_out is None


def test_links_in_the_sources_are_allowed(repository: Path) -> None:
    (repository / "conf.yml").write_text("x: 1\n")
    (repository / "src" / "conf.yml").symlink_to("../conf.yml")
    found = read_code(repository)
    assert (found.patch_left_out, "src/conf.yml" in found.files) == (None, True)


def test_a_repository_of_another_user_is_reported(repository: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can give a repository to another user")
    for file in [repository.parent, *repository.parent.rglob("*")]:
        os.chown(file, 12345, -1)
    found = read_code(repository)
    assert found.commit is None
    assert "detected dubious ownership in repository" in (found.patch_left_out or "")


def test_a_repository_without_a_commit_is_reported(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert read_code(tmp_path).patch_left_out == "the repository has no commit yet"


def test_git_in_another_language_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    assert read_code(tmp_path).patch_left_out is None


@pytest.mark.parametrize(
    ("name", "content", "is_left_out"),
    [
        ("conf/prod/catalog.yml", "x: {url: 'http://ada:s3cret@example.org/x.csv'}\n", True),
        ("conf/prod/catalog.yml", "# x: {con: 'postgresql://ada:pa/ss@example.org/x'}\n", True),
        ("conf/prod/catalog.yml", "x: {url: 'ftp://token@example.org/x.csv'}\n", True),
        ("conf/prod/catalog.yml", "x: {filepath: 'abfs://container@account/x.csv'}\n", False),
        ("notes.md", "see http://localhost:8080/x and a@example.org\n", False),
    ],
)
def test_a_patch_contains_no_address_with_credentials(
    repository: Path, name: str, content: str, is_left_out: bool
) -> None:
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text(content)
    found = read_code(repository)
    if is_left_out:
        message = f"the changes in sub/{name} contain an address with a user name or a password"
        assert (found.patch, found.patch_left_out) == (None, message)
    else:
        assert content in (found.patch or "")


@pytest.mark.parametrize(
    "name",
    [
        "credentials.yml",
        ".credentials.yml.swp",
        "credentials.yml~",
        "credentials.yml.bak",
        "credentials/a.json",
    ],
)
def test_no_file_of_credentials_is_in_a_patch(repository: Path, name: str) -> None:
    file = repository / "conf" / "prod" / name
    file.parent.mkdir(parents=True)
    file.write_text("s3cret\n")
    assert read_code(repository).patch is None


def test_a_name_that_is_not_utf_8_is_recorded(repository: Path) -> None:
    (repository / "src" / os.fsdecode(b"l\xe9.py")).write_text("")
    found = read_code(repository)
    assert r"src/l\xe9.py" in found.files
    assert found.patch_left_out is None
    found.model_dump_json()
