"""Finds mathematics in a text: ``\\( \\)``, ``\\[ \\]``, ``$$ $$``, LaTeX environments and, by narrow rules, ``$ $``.

A dollar sign is mostly money. Two of them enclose a formula only where nothing speaks for prices or for a shell:
no blank inside the signs, no letter or digit around them, and between them what formulas are made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

LONGEST_FORMULA = 600
"""Characters; a longer one is shown as its source."""
_SIGNS_AROUND = 40
MOST_OPENINGS = 2000
"""Signs of a text that may open a formula and are tried; a hostile text has nothing else."""
ENVIRONMENTS = "align|aligned|equation|gather|gathered|multline|split|matrix|pmatrix|bmatrix|vmatrix|cases|array"
_OPENINGS = re.compile(r"\$|\\\(|\\\[|\\begin\{")
_CODE = re.compile(r"```[\s\S]*?(?:```|\Z)|`[^`\n]+`")
_LINE = r"(?:[^\n]|\n(?![ \t]*(?:\n|$)))"
_DELIMITED = re.compile(
    rf"\\\((?P<round>{_LINE}+?)\\\)|\\\[(?P<square>{_LINE}+?)\\\]|\$\$(?!\$)(?P<double>{_LINE}+?)\$\$"
    rf"|(?P<environment>\\begin\{{(?P<name>(?:{ENVIRONMENTS})\*?)\}}{_LINE}*?\\end\{{(?P=name)\}})"
)
_DOLLARS = re.compile(r"\$(?![\s$])(?P<single>(?:[^$\\\n]|\\.|\n(?![ \t]*\n))+?)(?<![\s\\])\$(?![\w$])")
_WORDS = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|operatorname|mbox)\*?\{[^{}]*\}")
_SENTENCE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{3,}[\s,]+[A-Za-z]{2,}")
_SIGNS = re.compile(r"[\\^_={}<>+*/|≤≥±×·∞∑∫√α-ωΑ-Ω]")
_PLAIN = re.compile(r"[A-Za-z0-9 ,.()'!\-\u2212]+")
_LONG_WORD = re.compile(r"[A-Za-z]{3,}")


@dataclass(frozen=True, slots=True)
class FoundFormula:
    """A formula in a text: where it ends, what is between its signs, and whether it stands on a line of its own."""

    end: int
    tex: str
    display: bool


def formula_at(text: str, place: int) -> FoundFormula | None:
    """Return the formula that begins at a place, or None.

    >>> formula_at("$x^2$", 0).tex, formula_at("$5 and $6", 0)
    ('x^2', None)
    """
    if text[max(0, place - 1) : place] == "\\":
        return None
    end = place + LONGEST_FORMULA + _SIGNS_AROUND
    if (match := _DELIMITED.match(text, place, end)) is not None:
        parts = match.groupdict()
        tex = parts["round"] or parts["square"] or parts["double"] or parts["environment"]
        return FoundFormula(match.end(), tex.strip(), parts["round"] is None) if tex.strip() else None
    if text[place : place + 1] != "$" or (place and (text[place - 1].isalnum() or text[place - 1] == "$")):
        return None
    if (match := _DOLLARS.match(text, place, end)) is None or not looks_like_mathematics(match["single"]):
        return None
    if match.end() == end:  # what stands behind it was not looked at
        return None
    return FoundFormula(match.end(), match["single"], False)


def looks_like_mathematics(inside: str) -> bool:
    """Whether what stands between two dollar signs is a formula and no piece of a sentence about prices.

    >>> [looks_like_mathematics(t) for t in ("n", "a+b", "f(x)", "5/month and 10", "HOME")]
    [True, True, True, False, False]
    """
    bare = _WORDS.sub(" ", inside)
    if _SENTENCE.search(bare):
        return False
    if _SIGNS.search(inside):
        return True
    return _PLAIN.fullmatch(inside) is not None and _LONG_WORD.search(bare) is None


def find_formulas(text: str, most: int = 200) -> list[FoundFormula]:
    """Return the formulas of a text in order, ``most`` at most; those inside code are among them."""
    return [formula for _, formula in formulas_with_places(text, most)]


def formulas_with_places(text: str, most: int = 200) -> list[tuple[int, FoundFormula]]:
    """Return the formulas of a text in order, each behind the place where it begins."""
    found: list[tuple[int, FoundFormula]] = []
    at = 0
    for opening in islice(_OPENINGS.finditer(text), MOST_OPENINGS):
        if opening.start() < at:
            continue
        formula = formula_at(text, opening.start())
        if formula is not None:
            found.append((opening.start(), formula))
            at = formula.end
            if len(found) == most:
                break
    return found


def code_ranges(text: str) -> list[tuple[int, int]]:
    """Return what stands between backticks, in order; a fence that is not closed reaches to the end.

    >>> code_ranges("a `b` c ```d")
    [(2, 5), (8, 12)]
    """
    return [match.span() for match in islice(_CODE.finditer(text), MOST_OPENINGS)]
