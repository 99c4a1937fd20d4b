"""Changes since the last run in a record, and values that moved further than allowed."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml

from kedro_ledger.drift import find_violations
from kedro_ledger.record import Drift, Record
from tests.support.tiny import TOTALS, Tiny


def configure(tiny: Tiny, **runs: Any) -> None:
    file = tiny.folder / "conf/base/parameters.yml"
    file.write_text(yaml.safe_dump({"factor": 2, "runs": {"keep": 20, "data": ["numbers*"], **runs}}))


def changed(record: Record) -> dict[str, dict[str, tuple[Any, Any]]]:
    assert record.drift
    return record.drift.changed


def test_the_first_run_has_nothing_to_drift_from(tiny: Tiny) -> None:
    record = tiny.run()
    assert record.drift is None


def test_what_changed_is_recorded_by_section(tiny: Tiny) -> None:
    first = tiny.run()
    second = tiny.run()
    assert second.drift
    assert second.drift.since == first.run_id
    assert changed(second) == {}
    tiny.feed([1, 5])
    (tiny.folder / "src/tiny/extra.py").write_text("")
    (tiny.folder / "conf/base/parameters.yml").write_text("factor: 3\n")
    third = tiny.run()
    assert changed(third).keys() == {"data", "parameters", "code", "metrics"}
    assert changed(third)["data"] == {"raw": (second.raw["raw"].sha256, third.raw["raw"].sha256)}
    assert changed(third)["parameters"]["factor"] == (2, 3)
    assert changed(third)["code"].keys() == {"src/tiny/extra.py"}
    assert changed(third)["metrics"] == {"total.metrics.total": (6, 18)}
    assert tiny.ledger.find("last") == third, "the record can be read again"


def test_packages_and_the_data_of_a_runs_own_datasets_drift_too(tiny: Tiny) -> None:
    configure(tiny, data=["total.*"])
    before = tiny.run()
    assert before.data == {"total.metrics": {"total": 6, "rest": 0}}
    file = tiny.ledger.folder / f"000001_{before.run_id}.json"
    record = json.loads(file.read_text())
    record["environment"]["packages"]["kedro"] = "1.6.0"
    file.write_text(json.dumps(record))
    tiny.feed([1, 3])
    after = tiny.run()
    assert changed(after)["packages"] == {"kedro": ("1.6.0", "1.7.0")}
    assert changed(after)["data"]["total.metrics.total"] == (6, 8)


def test_data_and_metrics_are_compared_with_the_last_run_that_had_them(tiny: Tiny) -> None:
    tiny.run()
    partial = tiny.run(pipeline_names=["scaling"])
    assert partial.metrics == {}
    tiny.feed([1, 5])
    last = tiny.run()
    assert last.drift
    assert last.drift.since == partial.run_id
    assert changed(last)["metrics"] == {"total.metrics.total": (6, 12)}
    assert changed(last)["data"].keys() == {"raw"}


def test_values_of_pruned_runs_are_compared_too(tiny: Tiny) -> None:
    configure(tiny, keep=1, drift={"allowed": {"metrics.*.total": 0}})
    tiny.run()
    for _ in range(2):
        ran = tiny.kedro("run", "--pipeline", "scaling")
        assert ran.returncode == 0
        assert "no recorded value matches" not in ran.stderr
    (scaling,) = tiny.ledger.records()
    assert scaling.last_known.metrics == {"total.metrics": {"total": 6, "rest": 0}}
    assert scaling.last_known.raw.keys() == {"raw"}
    tiny.feed([1, 5])
    assert tiny.kedro("run").returncode == 77
    (last,) = tiny.ledger.records()
    assert changed(last)["metrics"] == {"total.metrics.total": (6, 12)}
    assert changed(last)["data"].keys() == {"raw"}
    assert last.last_known.metrics == {}, "the run had them itself"


def test_values_in_records_of_format_1_are_compared_too(tiny: Tiny) -> None:
    configure(tiny)
    tiny.run()
    tiny.run(pipeline_names=["scaling"])
    for record in tiny.ledger.records():
        file = tiny.ledger.folder / f"{record.seq:06d}_{record.run_id}.json"
        file.write_text(record.model_copy(update={"format": 1}).to_json())
    partial = tiny.run(pipeline_names=["scaling"])
    assert partial.last_known.metrics == {"total.metrics": {"total": 6, "rest": 0}}
    tiny.feed([1, 5])
    assert changed(tiny.run())["metrics"] == {"total.metrics.total": (6, 12)}


def test_the_parameters_of_the_ledger_do_not_count_as_drift(tiny: Tiny) -> None:
    tiny.run()
    for limit in (0, 1):
        configure(tiny, drift={"allowed": {"parameters.*": limit}, "commit": False})
        assert changed(tiny.run()) == {}


def test_line_breaks_in_the_data_do_not_break_messages(tiny: Tiny) -> None:
    limits = {"data.total.metrics.a b": 0, "data.total.metrics.[x]": 0, "data.total.metrics.a\nc": 0}
    configure(tiny, data=["total.metrics"], drift={"allowed": limits})
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    told = '"rest": sum(up) + sum(down)'
    registry.write_text(
        registry.read_text().replace(told, told + ', "a\\nb": "c\\nd" * len(up), "[x]": len(up)')
    )
    tiny.run()
    tiny.feed([1, 2, 3])
    ran = tiny.kedro("run")
    assert ran.returncode == 77
    assert "Error: data.total.metrics.a b went from c dc d to c dc dc d (allowed: 0)\n" in ran.stderr
    assert "Error: data.total.metrics.[x] went from 2 to 3 (allowed: 0)\n" in ran.stderr
    assert "no recorded value matches data.total.metrics.a c; did you mean " in ran.stderr
    assert all(line.startswith("Error: ") for line in ran.stderr.partition("Error: ")[2].splitlines()[1:])
    assert "a b" in tiny.kedro("runs", "show", "last").stdout


def test_changes_are_logged(tiny: Tiny) -> None:
    first = tiny.run()
    assert f"inputs and results are the same as in run {first.run_id}\n" in tiny.kedro("run").stderr
    same = f"data, parameters, code, packages and metrics are the same as in run {first.run_id}\n"
    assert same in tiny.kedro("runs", "show", "last").stdout
    tiny.feed([1, 5])
    ran = tiny.kedro("run")
    assert ": data (raw), metrics (total.metrics.total)\n" in ran.stderr
    shown = tiny.kedro("runs", "show", "last").stdout
    assert ["metrics", "total.metrics.total", "6", "12"] in [line.split() for line in shown.splitlines()]


def test_an_output_that_is_made_for_the_first_time_is_new(tiny: Tiny) -> None:
    first = tiny.run(to_nodes=["keep"])
    message = tiny.kedro("run").stderr
    assert (
        f"inputs and results are the same as in run {first.run_id}; new: scaled.down, total.metrics\n"
        in message
    )
    tiny.feed([1, 5])
    assert "new" not in tiny.kedro("run").stderr
    assert tiny.kedro("run", "--pipeline", "totals").stderr.count("inputs and results are the same") == 1


def test_a_new_parameter_and_its_effects_are_reported_together(tiny: Tiny) -> None:
    tiny.run(to_nodes=["keep"])
    (tiny.folder / "conf/base/parameters.yml").write_text("factor: 3\n")
    assert ": parameters (factor); new: scaled.down, total.metrics\n" in tiny.kedro("run").stderr


def test_results_that_differ_from_the_same_inputs_are_reported(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    other = '"other": Pipeline([node(list, "scaled.up", "scaled.down", name="copy")])'
    registry.write_text(
        registry.read_text().replace('return {"__default__"', f'return {{{other}, "__default__"')
    )
    first = tiny.run()
    message = tiny.kedro("run", "--pipeline", "other").stderr
    assert f"inputs are the same as in run {first.run_id}; changed: scaled.down\n" in message


@pytest.mark.parametrize("commit", [True, False])
def test_beyond_a_limit_the_exit_code_is_77(tiny: Tiny, commit: bool) -> None:
    limits = {"metrics.*.total": "50%", "data.raw": 1}
    configure(tiny, drift={"allowed": limits, "commit": commit})
    first = tiny.run()
    tiny.feed([1, 3])
    ran = tiny.kedro("run")
    assert ran.returncode == 77
    sums = [first.raw["raw"].sha256, ""]
    assert f"Error: data.raw went from {sums[0]} to " in ran.stderr, (
        "any change of a value that is not a number exceeds its limit"
    )
    assert "total" not in ran.stderr.partition("Error: ")[2], "8 is less than 50 % from 6"
    assert [line for line in ran.stderr.splitlines() if line.startswith("Error: ")][-1] == (
        "Error: the run is committed, but 1 value moved further than parameter runs.drift.allowed permits"
        if commit
        else "Error: the run is not committed: 1 value moved further than parameter runs.drift.allowed "
        "permits"
    )
    last = tiny.ledger.find("last")
    assert (last.run_id != first.run_id) == commit
    assert len(last.alarms) == commit
    tiny.expect_one_whole_run()
    assert len(tiny.versions()) == 4 * len(tiny.ledger.records()), "outputs of uncommitted runs are removed"
    assert tiny.read()["total.metrics"]["total"] == (8 if commit else 6)


def test_irreproducible_artefacts_are_reported_before_limits(tiny: Tiny) -> None:
    configure(tiny, drift={"allowed": {"metrics.*": 0}})
    assert tiny.kedro("run", TINY_VARIES="1").returncode == 0
    ran = tiny.kedro("run", TINY_VARIES="1")
    assert ran.returncode == 76
    lines = ran.stderr.splitlines()[-2:]
    assert lines[0].startswith("Error: metrics.total.metrics.noise went from ")
    assert lines[1].startswith("Error: total.metrics: different from run ")
    assert "!" in tiny.kedro("runs", "list").stdout
    assert "alarm     total.metrics: different from run " in tiny.kedro("runs", "show", "last").stdout


def test_a_limit_that_matches_nothing_is_reported(tiny: Tiny) -> None:
    configure(tiny, drift={"allowed": {"metrics.*.totl": 1, "metrics.*.total": 1, "packages.kedro": 0}})
    ran = tiny.kedro("run")
    assert ran.returncode == 0
    assert ran.stderr.count("no recorded value matches") == 1
    message = "no recorded value matches metrics.*.totl; did you mean metrics.total.metrics.total?"
    assert message in ran.stderr
    assert "no recorded value matches" in tiny.kedro("run", "--pipeline", "scaling").stderr, (
        "the earlier runs had no such metric either"
    )


@pytest.mark.parametrize(
    ("then", "now", "limit", "is_beyond"),
    [
        (0.80, 0.82, 0.02, False),
        (0.82, 0.80, 0.02, False),
        (0.80, 0.8201, 0.02, True),
        (100, 110, "10%", False),
        (100, 111, "10 %", True),
        (-100, -111, "10%", True),
        (0, 1, "10%", True),
        (0, 0.0, "10%", False),
        (1, 2, 1, False),
        (1, None, 10, True),
        (None, 1, 10, True),
        (1, math.nan, 10, True),
        (math.inf, 1, "10%", True),
        (10**400, 1, "10%", True),
        ("a", "b", 10, True),
        (True, False, 10, True),
    ],
)
def test_limits(then: Any, now: Any, limit: float | str, is_beyond: bool) -> None:
    drift = Drift(since="x", changed={"metrics": {"m": (then, now)}})
    assert bool(find_violations(drift, {"metrics.*": limit})) == is_beyond
    assert not find_violations(drift, {"data.*": 0})
    if is_beyond:
        (phrase,) = find_violations(drift, {"metrics.m": 10**9, "metrics.*": limit})[-1:]
        assert phrase.startswith("metrics.m went from ")


@pytest.mark.slow
def test_a_rerun_checks_no_limits_and_no_raw_data(tiny: Tiny) -> None:
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a commit -qm a"):
        import subprocess

        subprocess.run(["git", *command.split()], cwd=tiny.folder, check=True)
    configure(
        tiny,
        raw_data="pinned",
        changing=["*"],
        drift={"allowed": {"metrics.*": 0, "data.*": 0}, "commit": False},
    )
    tiny.run()
    partial = tiny.run(**TOTALS)
    assert partial.inputs
    for run in ("last~1", "last"):
        ran = tiny.kedro("runs", "reproduce", run)
        assert ran.returncode == 0, ran.stderr


def test_pinned_needs_datasets_that_can_check_their_data_against_a_hash(tiny: Tiny) -> None:
    tiny.run()
    configure(tiny, raw_data="pinned")
    ran = tiny.kedro("run")
    assert ran.returncode == 1
    assert ran.stderr == (
        "Error: raw: parameter runs.raw_data is pinned, but a JSONDataset can't check a "
        "hash; expected a dataset that can, or its name in runs.changing\n"
    )
    assert tiny.run(**TOTALS).inputs, "a run without raw data needs no hash"
