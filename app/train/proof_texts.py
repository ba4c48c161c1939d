"""Texts and marks of the proof of what is trained. No widgets."""

from __future__ import annotations

from app.widgets.display import Mark, MarkKind
from core.domain.counting import counted
from core.domain.token_proof import NOTES, PairProof, RowProof, TokenProof

SHADES: tuple[MarkKind, MarkKind] = ("good", "find")
DIFFERENT = "Answer, with what is not trained and what is added: "


def line_of(proof: TokenProof) -> str:
    """Return how many pairs are shown, which a run leaves out, and the date that the template writes."""
    shown = f"{counted(len(proof.pairs), 'pair')} of {proof.of:,}, those that something is said of first."
    if proof.left_out:
        shown += f" A run leaves out: {proof.left_out}."
    return f"{shown} The template writes the date; fixed to {proof.date} for this run." if proof.date else shown


def pair_line(pair: PairProof) -> str:
    """Return a pair for the list: its id, and the names of what is said of it."""
    return " · ".join([pair.pair_id, *(name.replace("_", " ") for name in pair.notes)])


def said_of(pair: PairProof) -> str:
    """Return what is said of a pair as a sentence, "" when nothing is."""
    text = "; ".join(NOTES.get(name, name) for name in pair.notes)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def token_marks(row: RowProof) -> list[Mark]:
    """Return a mark for each scored token of a row's text, in two shades by turns; the last one is marked by itself."""
    marks, place = [], sum(map(len, row.tokens[: row.scored_from]))
    last = len(row.tokens) - 1
    for index in range(row.scored_from, len(row.tokens)):
        end = place + len(row.tokens[index])
        if end > place:
            marks.append(Mark(place, end, "b" if index == last else SHADES[index % 2]))
        place = end
    return marks


def difference_marks(row: RowProof) -> tuple[str, list[Mark]]:
    """Return the answer with what was taken out and what was added, and the marks of these parts."""
    if not row.differences:
        return "", []
    kinds: dict[str, MarkKind] = {"removed": "bad", "added": "good"}
    text, marks = DIFFERENT, []
    for change, part in row.differences:
        if change in kinds:
            marks.append(Mark(len(text), len(text) + len(part), kinds[change]))
        text += part
    return text, marks
