"""Prints the proof of what is trained: of some pairs the tokens, which of them are scored, and the differences."""

from __future__ import annotations

from core.cli.output import escaped, say, say_json
from core.domain.counting import counted
from core.domain.token_proof import NOTES, RowProof, TokenProof

_PROMPT_END = 12
"""Tokens of the prompt that are shown before what is scored."""
_WHOLE_PROMPT = 256
"""The same for the first pair, so that what the template writes before the question is seen once."""
_MARKS = {"same": "", "removed": "-", "added": "+"}


def show_proof(proof: TokenProof, *, as_json: bool) -> None:
    """Print a proof: ``|`` parts tokens, ``>>>`` begins what is scored, ``[-...-]`` and ``[+...+]`` are differences."""
    if as_json:
        say_json(proof.to_plain())
        return
    if proof.date:
        say(f"The template writes the date; fixed to {proof.date} for this run.")
    say(f"{counted(len(proof.pairs), 'pair')} of {proof.of:,}. >>> begins what is scored.")
    if proof.left_out:
        say(f"A run leaves out: {proof.left_out}.")
    for place, pair in enumerate(proof.pairs):
        said = "; ".join(NOTES[name] for name in pair.notes)
        say(f"\nPair {pair.pair_id}" + (f": {said}" if said else ""))
        for row in pair.rows:
            before = _WHOLE_PROMPT if place == 0 and row.side == "chosen" else _PROMPT_END
            say(f"  {row.side:8} {row_line(row, before)}")
            if row.differences:
                say(f"  {'':8} answer against scored: {difference_line(row)}")


def row_line(row: RowProof, before: int = _PROMPT_END) -> str:
    """Return the last ``before`` tokens of the prompt and all that is scored of a row, token by token."""
    first = max(0, row.scored_from - before)
    prompt = "|".join(map(escaped, row.tokens[first : row.scored_from]))
    return f"{'... ' if first else ''}{prompt} >>> {'|'.join(map(escaped, row.tokens[row.scored_from :]))}"


def difference_line(row: RowProof) -> str:
    """Return the answer with what was removed from it and what was added."""
    parts = ((_MARKS[change], escaped(text)) for change, text in row.differences)
    return "".join(f"[{mark}{text}{mark}]" if mark else text for mark, text in parts)
