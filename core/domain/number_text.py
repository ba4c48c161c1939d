"""Measured numbers as people read them: a fixed number of figures, a real minus sign, intervals in brackets."""

from __future__ import annotations

import math

from core.domain.counting import counted
from core.domain.estimate import Estimate

MINUS = "\N{MINUS SIGN}"


def format_value(value: float | None, digits: int = 4) -> str:
    """Return a number as plots print it: a real minus sign, a dash for none, and never a zero that is none.

    From 0.1 on ``digits`` figures with the leading zero (0.693, 1.920, 12.35); below that one figure fewer, all of
    them significant (0.0750, 0.00123), so that a small KL can be read; below 1e-4 and from 1e5 on as a power of ten.
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if size == 0:
        text = f"{0:.{digits - 1}f}"
    elif size < 1e-4 or size >= 1e5:
        text = f"{value:.{digits - 1}g}"
    elif size < 0.1:
        text = f"{value:.{digits - 2 - math.floor(math.log10(size))}f}"
    else:
        text = f"{value:.{max(0, digits - max(1, math.floor(math.log10(size)) + 1))}f}"
    return text.replace("-", MINUS)


def signed(value: float, digits: int = 4) -> str:
    """Return a number as :func:`format_value` does, with its sign also where it is positive.

    >>> signed(0.5), signed(-0.5), signed(0.0)
    ('+0.500', '−0.500', '0.000')
    """
    return f"{'+' if value > 0 else ''}{format_value(value, digits)}"


def interval_text(estimate: Estimate, digits: int = 4) -> str:
    """Return the 95 % interval in brackets, empty where there is none.

    >>> interval_text(Estimate(0.9375, 0.7167, 0.9889, 16, "", "Wilson"))
    '[0.717, 0.989]'
    """
    ends = (format_value(end, digits) for end in (estimate.low, estimate.high))
    return f"[{', '.join(ends)}]" if estimate.has_interval else ""


def spread_text(estimate: Estimate) -> str:
    """Return the standard error behind its sign, where the interval is made from one, else the interval.

    >>> spread_text(Estimate(5.949, 4.513, 7.384, 8, "nats", "mean", se=0.7324))
    '± 0.732'
    """
    known = estimate.se is not None and math.isfinite(estimate.se) and estimate.se > 0
    return f"± {format_value(estimate.se)}" if known else interval_text(estimate)


def error_words(estimate: Estimate) -> str:
    """Return the standard error with its name, "" where there is none: all values are equal.

    >>> error_words(Estimate(5.949, 4.513, 7.384, 8, "nats", "mean", se=0.7324))
    '± 0.732 SE'
    >>> error_words(Estimate(0.0, 0.0, 0.0, 8, "nats", "mean", se=0.0))
    ''
    """
    known = estimate.se is not None and math.isfinite(estimate.se) and estimate.se > 0
    return f"± {format_value(estimate.se)} SE" if known else ""


def estimate_text(estimate: Estimate) -> str:
    """Return value, interval or error, unit and n in one line.

    >>> estimate_text(Estimate(0.9375, 0.7167, 0.9889, 16, "", "Wilson"))
    '0.938 [0.717, 0.989], n 16'
    >>> estimate_text(Estimate(4.0, math.nan, math.nan, 9, "tokens", "mean; all equal, no interval"))
    '4.000 (all equal) tokens, n 9'
    """
    spread = spread_text(estimate)
    parts = [format_value(estimate.value), spread or f"({estimate.why_no_interval})", estimate.unit]
    return f"{' '.join(part for part in parts if part)}, n {estimate.n:,}"


def pairs_right(share: Estimate) -> str:
    """Return a share of pairs as counts, halves for ties.

    >>> pairs_right(Estimate(0.9375, 0.7167, 0.9889, 16, "", "Wilson"))
    '15 of 16 pairs'
    """
    if not math.isfinite(share.value):
        return counted(share.n, "pair")
    return f"{share.value * share.n:g} of {counted(share.n, 'pair')}"
