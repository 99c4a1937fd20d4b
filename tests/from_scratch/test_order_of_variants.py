"""The ledger's history orders variants like the parameters, so that their colours match the report's."""

from __future__ import annotations

import yaml

from from_scratch.article import VARIANTS
from kedro_ledger.styles import order_names
from tests.support.project import ROOT


def test_the_history_has_the_order_of_the_report() -> None:
    parameters = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    variants = list(parameters["variants"])
    assert order_names(sorted(variants), parameters) == variants
    assert variants[: len(VARIANTS)] == list(VARIANTS)
