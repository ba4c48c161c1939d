"""The proof of what is trained in the window: the pairs, the scored tokens marked, and what differs."""

from __future__ import annotations

from app.train.proof_texts import DIFFERENT, difference_marks, line_of, said_of, token_marks
from app.train.token_proof import TokenProofDialog
from app.widgets.display import Mark
from core.domain.token_proof import PairProof, RowProof, TokenProof

CHANGED = RowProof("chosen", ("ask", ">", "4", "!", "<end>"), 2, "4! ", "4!", (("same", "4!"), ("removed", " ")))
KEPT = RowProof("rejected", ("ask", ">", "5", "<end>"), 2, "5", "5")
PROOF = TokenProof(
    (PairProof("p1", ("rewritten", "other_header"), (CHANGED, KEPT)), PairProof("p2", (), (KEPT, KEPT))),
    40,
    "2026-11-29",
)


def test_that_scored_tokens_are_marked_one_by_one_and_the_prompt_is_not():
    assert token_marks(CHANGED) == [Mark(4, 5, "good"), Mark(5, 6, "find"), Mark(6, 11, "b")]


def test_that_what_was_taken_from_an_answer_is_marked():
    assert difference_marks(CHANGED) == (DIFFERENT + "4! ", [Mark(len(DIFFERENT) + 2, len(DIFFERENT) + 3, "bad")])
    assert difference_marks(KEPT) == ("", [])


def test_that_the_proof_says_what_is_shown_and_what_is_said_of_a_pair():
    assert "2 pairs of 40" in line_of(PROOF) and "fixed to 2026-11-29" in line_of(PROOF)
    assert said_of(PROOF.pairs[0]).startswith("The chat template changes an answer; the responses start")


def test_that_the_dialog_shows_the_pair_that_is_chosen(main_window, tmp_path):
    page = main_window(workspace=tmp_path / "ws", create=True, place="train").page("train")
    dialog = TokenProofDialog(page, page.context.theme, page.context.settings, PROOF)
    assert dialog.rows[0].text_shown == "ask>4!<end>"
    assert not dialog.changes[0].isHidden() and dialog.changes[1].isHidden()
    assert dialog.titles[0].text() == "Chosen: 2 tokens of prompt, 3 scored"
    dialog.pairs.setCurrentIndex(1)
    assert dialog.rows[0].text_shown == "ask>5<end>" and dialog.changes[0].isHidden()
    dialog.close()


def test_that_a_preflight_brings_the_proof_and_changed_settings_forget_it(main_window, tmp_path):
    page = main_window(workspace=tmp_path / "ws", create=True, place="train").page("train")
    opened = []
    page.proofs._open = opened.append
    page.proofs.take(PROOF)
    page.proofs.show(None, opened.append)
    assert opened == [PROOF]
    page.proofs.take(None)
    assert page.proofs._proof is None
