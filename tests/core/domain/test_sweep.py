"""Plans of sweeps: the grid, its names, and what is no sweep."""

from __future__ import annotations

import pytest

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.sweep import read_sweep


def test_that_several_settings_and_seeds_form_a_grid_in_which_seeds_vary_fastest() -> None:
    plan = read_sweep(["beta=0.05, 0.1", "lr=1e-5"], "0,1")
    assert plan.title == "beta, lr, seed"
    assert [point.label for point in plan.points] == [
        "0.05, 1e-5, seed 0", "0.05, 1e-5, seed 1", "0.1, 1e-5, seed 0", "0.1, 1e-5, seed 1",
    ]  # fmt: skip
    assert plan.points[1].words == ["beta=0.05", "lr=1e-5", "seed=1"]
    assert plan.points[1].suffix == "beta-0.05-lr-1e-5-seed-1"
    configs = plan.configs(RunConfig(lr=1.0))
    assert [(c.beta, c.lr, c.seed) for c in configs] == [
        (0.05, 1e-5, 0),
        (0.05, 1e-5, 1),
        (0.1, 1e-5, 0),
        (0.1, 1e-5, 1),
    ]
    assert read_sweep(["seed=3,4", "beta=0.1"]).title == "beta, seed", "seeds vary fastest wherever they are named"
    with pytest.raises(UsageError, match="beta"):
        read_sweep(["beta=0.1,-1"]).configs(RunConfig())


def test_that_every_run_folder_has_a_name_of_its_own_whatever_the_values_are() -> None:
    assert read_sweep(["beta=0.1,3e-1"]).folder_names() == ("beta-0.1", "beta-3e-1")
    names = read_sweep(["init_adapter=/a/b,/a-b,../c"]).folder_names()
    assert names == ("init_adapter-a-b-1", "init_adapter-a-b-2", "init_adapter-c-3")


@pytest.mark.parametrize(
    "words", [[], ["beta"], ["beta="], ["beta=0.1,0.1"], ["beta=0.1,1e-1"], ["beta=0.1", "beta=0.2"], ["seed=0,x"]]
)
def test_that_what_is_no_sweep_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        read_sweep(words)
    assert read_sweep(["beta=0.1, 0.3"]).over == {"beta": ("0.1", "0.3")}
