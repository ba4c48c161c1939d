from __future__ import annotations

import math
from dataclasses import fields

import pytest

from core.domain.metrics import BY_KEY, METRICS, format_value, is_improvement, metric
from core.domain.run_events import EvalDone, KlDone, StepDone

NOT_METRICS = {"step", "split", "rows", "extra"}


@pytest.mark.parametrize("event", [StepDone, EvalDone, KlDone])
def test_that_every_number_of_an_event_is_explained_and_nothing_else_is(event):
    carried = {f.name for f in fields(event)} - NOT_METRICS
    assert carried == {m.key for m in METRICS if event.event in m.events}


def test_that_keys_are_unique_and_sentences_are_sentences():
    assert len(BY_KEY) == len(METRICS)
    for m in METRICS:
        assert m.explains.endswith("."), m.key
        assert m.name[0].isupper(), m.key
        assert len(m.explains) < 220, m.key


def test_that_names_do_not_call_a_log_ratio_a_kl():
    for m in METRICS:
        assert ("KL" in m.name) == (m.key.startswith("kl") or m.key in ("k1", "per_token", "se")), m.key


def test_that_a_series_name_finds_its_metric():
    assert metric("dev.loss").name == "Loss (held out)"
    assert metric("dev.loss").unit == "nats"
    assert metric("kl.kl") is BY_KEY["kl"]
    assert metric("extra.nll").name == "Likelihood part of the loss"
    assert metric("extra.other_part").name == "Other part"


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("accuracy", 0.8125, "81.2 %"),
        ("loss", 0.69314718, "0.6931"),
        ("lr", 1e-5, "1e-05"),
        ("kl", None, "–"),
        ("loss", math.nan, "NaN"),
        ("loss", -math.inf, "-∞"),
        ("pairs", 1982, "1982"),
    ],
)
def test_that_values_are_shown_as_people_read_them(key, value, text):
    assert format_value(key, value) == text


def test_that_units_are_shown_on_request():
    assert format_value("kl", 3.41, unit=True) == "3.41 nats/answer"
    assert format_value("accuracy", 0.5, unit=True) == "50.0 %"


def test_that_only_metrics_with_a_better_side_improve():
    assert is_improvement("loss", -0.1) is True
    assert is_improvement("margin", -0.1) is False
    assert is_improvement("kl", 0.3) is None
    assert is_improvement("margin", 0.0) is None
