from __future__ import annotations

import re

import torch

from from_scratch.pipelines.reporting import drawings


def test_calibration_has_a_disc_for_each_bin_with_rows() -> None:
    scores = torch.tensor([0.02, 0.04, 0.95, 0.97, 1.2])
    truth = torch.tensor([0.0, 1, 1, 1, 1])
    drawn = drawings.draw_calibration(scores, truth, "#123456", "<words>")
    discs = re.findall(r'cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', drawn)
    (x_low, y_low, r_low), (x_high, y_high, r_high) = ([float(end) for end in disc] for disc in discs)
    assert (x_low, y_low) == (12.4, 50), "a mean score of 0.03, half of them true"
    assert (x_high, y_high) == (87.9, 10), "beyond 1 counts as 1: 0.973, all true"
    assert r_high > r_low
    assert "&lt;words&gt;" in drawn
    assert drawings.draw_calibration(scores, truth, "#123456", "words", min_rows=3).count("<circle") == 1


def test_certain_and_wrong_scores_are_counted() -> None:
    scores = torch.tensor([0.05, 0.4, 0.95, 0.99, 0.6])
    truth = torch.tensor([1.0, 1, 1, 0, 0])
    assert drawings.count_errors(scores, truth, 0.5) == drawings.Certainty(5, 4, 2)


def test_a_unit_is_dead_if_no_row_moves_it() -> None:
    x = torch.tensor([[1.0, 0], [0, 1]])
    weights = torch.tensor([[-1.0, 1, -1], [-1.0, -1, 1]])
    assert drawings.find_dead_units(weights, torch.zeros(3), x) == [True, False, False]
    assert drawings.find_dead_units(weights, torch.tensor(-1.0), x) == [True, True, True]
    assert drawings.find_dead_units(weights, torch.tensor([2.0, -2, 0]), x) == [False, True, False]


def test_units_are_columns_of_cells() -> None:
    drawn = drawings.draw_units(torch.tensor([[1.0, -0.5], [0, 0]]), [False, True], ["<a>", "b"], "words")
    cells = re.findall(r'class="(\w+)" fill-opacity="([\d.]+)"', drawn)
    assert cells == [("yes", "1.00"), ("yes", "0.00"), ("dead", "1.00"), ("dead", "1.00")]
    assert "&lt;a&gt;" in drawn


def test_a_sparkline_reaches_from_its_first_value_to_its_last() -> None:
    drawn = drawings.draw_sparkline([0.5, 0.25, 0.0], "#123456")
    assert 'points="0.0,2.0 50.0,15.0 100.0,28.0"' in drawn
    assert "100.0" not in drawings.draw_sparkline([0.5], "#123456")
