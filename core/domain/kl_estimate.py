"""The on-policy KL of a run as a number that can be quoted: with its error, its n and the horizon in its name."""

from __future__ import annotations

import math

from core.domain.estimate import Z95, Estimate
from core.domain.run_events import KlDone


def kl_estimate(event: KlDone) -> Estimate:
    """Return the on-policy KL with ± 1.96 standard errors over its samples, and the horizon in its unit.

    A KL is never negative, so neither is the lower end. A run stores a standard error of 0 where there is none.
    """
    se = event.se if math.isfinite(event.se) and event.se > 0 else math.nan
    known = event.samples > 1 and (math.isfinite(se) or event.kl == 0)
    spread = 0.0 if event.kl == 0 and not math.isfinite(se) else Z95 * se
    return Estimate(
        event.kl,
        max(0.0, event.kl - spread) if known else math.nan,
        event.kl + spread if known else math.nan,
        event.samples,
        f"nats in the first {event.horizon} tokens",
        "Rao-Blackwellised over answers of the policy; ± 1.96 SE",
        se=0.0 if known and not math.isfinite(se) else se,
        groups=event.samples,
    )


def kl_name(horizon: int) -> str:
    """Return what the KL of answers of at most ``horizon`` tokens is called.

    >>> kl_name(32)
    'KL, first 32 tokens'
    """
    return f"KL, first {horizon} tokens"


def is_identity(event: KlDone) -> bool:
    """Return whether policy and reference were one model, so that the KL is 0 whatever the answers."""
    return event.step == 0 and event.kl == event.se == event.k1 == event.k1_se == 0


def answer_words(event: KlDone) -> str:
    """Return in words how far the answers behind a KL reach."""
    return "policy and reference are one model" if is_identity(event) else cut_words(event.censored)


def cut_words(censored: float) -> str:
    """Return in words the share of the samples that went on past the horizon.

    >>> cut_words(0.75), cut_words(0.0)
    ('75 % of the samples cut', 'no sample cut')
    """
    return f"{100 * censored:.0f} % of the samples cut" if censored > 0 else "no sample cut"
