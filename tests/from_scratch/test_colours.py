"""A variant has the same colour everywhere, in the report and in the ledger's history."""

from __future__ import annotations

import yaml

from from_scratch.article import VARIANTS
from from_scratch.pipelines.reporting import plots
from kedro_ledger.looks import look_of, order_names
from tests.support.project import ROOT


def test_the_history_has_the_colours_of_the_report() -> None:
    parameters = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    variants = list(parameters["variants"])
    assert order_names(sorted(variants), parameters) == variants
    assert variants[: len(VARIANTS)] == list(VARIANTS)
    assert look_of(variants) == plots.look_of(variants)
