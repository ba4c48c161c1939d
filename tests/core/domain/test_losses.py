"""The rows of the losses: complete, and true to what they name."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from core.domain.loss_mix import without_effect
from core.domain.losses import LOSS_ROWS, LOSSES, TIE_LOSSES
from core.domain.run_config import RunConfig

SETTINGS = {f.name for f in fields(RunConfig)}


@pytest.mark.parametrize("name", LOSSES)
def test_that_every_loss_says_what_it_is_in_one_line(name: str) -> None:
    row = LOSS_ROWS[name]
    assert row.title
    assert row.formula
    assert "arXiv" in row.source
    assert "\n" not in row.help


@pytest.mark.parametrize("name", LOSSES)
def test_that_every_setting_that_a_loss_names_exists(name: str) -> None:
    row = LOSS_ROWS[name]
    unknown = {*row.parameters, row.margin_scale} - SETTINGS
    assert unknown == set(), f"The loss {name!r} names the settings {unknown}, which RunConfig does not have."


@pytest.mark.parametrize("name", LOSSES)
def test_that_every_loss_can_be_chosen(name: str) -> None:
    assert RunConfig(loss=name).loss == name


def test_that_the_tie_models_alone_learn_from_ties() -> None:
    assert TIE_LOSSES == ("davidson", "rao_kupper")


def test_that_settings_that_no_loss_of_the_run_reads_are_named() -> None:
    changed = RunConfig(simpo_gamma=2.0, tie_nu=0.5, beta=0.3)
    assert without_effect(changed) == ["simpo_gamma", "tie_nu"]
    assert without_effect(replace(changed, loss="simpo")) == ["tie_nu"]
    assert without_effect(replace(changed, loss_mix="simpo=0.5, rao_kupper=0.1")) == []
    assert without_effect(RunConfig()) == []
