"""The settings of a run: read from words and old files, and hashed so that old fingerprints stay."""

from __future__ import annotations

import pytest

from core.domain import run_config
from core.domain.errors import UsageError
from core.domain.other_names import OTHER_NAMES
from core.domain.run_config import SETTINGS, RunConfig
from core.domain.run_settings import ALWAYS
from tests.e2e.old_files import facts


def test_that_no_setting_joined_every_fingerprint_after_the_first_version() -> None:
    first = facts()["fingerprints"]["defaults"].keys()
    late = [name for name, setting in SETTINGS.items() if setting.fingerprint == ALWAYS and name not in first]
    assert late == [], f"{late} would change the fingerprint of every old run: declare them WHEN_CHANGED"


def test_that_words_of_the_command_line_are_read() -> None:
    config = RunConfig().with_values({"steps": "7", "beta": "0.2", "wpo": "yes"})
    assert (config.steps, config.beta, config.wpo) == (7, 0.2, True)


def test_that_an_unknown_setting_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(UsageError, match="Unknown run setting 'betta'") as error:
        RunConfig().with_values({"betta": 1})
    assert "beta" in error.value.hint


def test_that_a_setting_under_the_name_of_another_program_is_told_by_ours() -> None:
    for other, ours in OTHER_NAMES.items():
        assert other not in RunConfig().to_plain()
        with pytest.raises(UsageError) as error:
            RunConfig().with_values({other.replace("_", "-").upper(): 1})
        assert (error.value.hint, ours in RunConfig().to_plain()) == (f"Did you mean {ours}?", True)


def test_that_a_renamed_setting_is_read_from_old_configs_and_command_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_config, "RENAMED", {"max_len": "max_length"})
    assert RunConfig().with_values({"max_len": "64"}).max_length == 64
    assert RunConfig.from_plain({"max_len": 64}).max_length == 64
    assert RunConfig.as_stored({"max_len": 64, "of_a_newer_program": 1}).max_length == 64


def test_that_a_plain_config_reads_back_equal() -> None:
    config = RunConfig(loss="ipo", ref_refresh_every=3, shuffle=False)
    assert RunConfig.from_plain(config.to_plain()) == config


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"quantize": "4bit", "lora_r": 0}, "Set lora_r above 0."),
        ({"ref_refresh_every": 2, "lora_r": 0}, "Set lora_r above 0."),
        ({"ref_refresh_every": 2, "reference": "base"}, "Set reference to auto."),
        ({"kl_budget": 5, "kl_every": 0}, "Set kl_every above 0 and kl_prompts above 1, or kl_budget to 0."),
        ({"kl_budget": 5, "kl_prompts": 0}, "Set kl_every above 0 and kl_prompts above 1, or kl_budget to 0."),
        ({"kl_budget": 5, "kl_prompts": 1}, "Set kl_every above 0 and kl_prompts above 1, or kl_budget to 0."),
    ],
)
def test_that_settings_that_contradict_each_other_are_refused(values: dict[str, object], hint: str) -> None:
    with pytest.raises(UsageError) as error:
        RunConfig().with_values(values)
    assert error.value.hint == hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("adam_beta1", 1.0),
        ("adam_beta2", 1.0),
        ("adam_beta2", -0.1),
        ("adam_eps", -1e-8),
        ("adam_eps", 0.0),
        ("orpo_lambda", -0.1),
        ("dpop_lambda", -1.0),
        ("r_dpo_alpha", -0.01),
        ("simpo_gamma", -0.5),
        ("discopop_tau", 2.0),
        ("kl_budget", -1.0),
        ("eval_every", -1),
        ("checkpoint_every", -5),
        ("threads", -1),
        ("seed", 2**64),
    ],
)
def test_that_a_value_that_would_fail_later_is_refused_where_it_is_set(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{name} cannot be"):
        RunConfig().with_values({name: value})
    stored = RunConfig.as_stored({name: value})
    assert getattr(stored, name) == value  # a run of an older program is still shown
    with pytest.raises(UsageError, match=f"{name} cannot be"):
        stored.check()


@pytest.mark.parametrize(
    "name", [name for name, setting in SETTINGS.items() if isinstance(setting.default, int | float)]
)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", float("nan"), float("inf")])
def test_that_no_setting_takes_what_is_not_a_finite_number(name: str, value: object) -> None:
    if isinstance(SETTINGS[name].default, bool) and not isinstance(value, str):
        return  # anything is true or false
    for read in (RunConfig.from_plain, RunConfig.as_stored):
        with pytest.raises(UsageError, match=f"{name} cannot be"):
            read({name: value})


def test_that_a_run_from_before_the_probe_seed_goes_on_with_the_pairs_it_measured() -> None:
    assert RunConfig.as_stored({"seed": 7}).probe_seed == 7
    assert RunConfig.as_stored({"seed": 7, "probe_seed": 3}).probe_seed == 3
    assert RunConfig(seed=7).probe_seed == 0
