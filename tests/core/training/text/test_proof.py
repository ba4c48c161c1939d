"""The proof shows every character of a row, what is scored of it, and how that differs from the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.cli.token_proof import difference_line, row_line
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.token_proof import TokenProof
from core.training.text.proof import differences, prove
from core.training.text.tokenise import encode_pairs
from tests.core.training.text.templates import byte_tokenizer
from tests.core.training.text.test_template_families import ASKED, CHAT, EMPTY, pair
from tests.tiny_models import tiny_pairs, tiny_tokenizer


def proof(tokenizer: Any, items: list[TrainingPair], config: RunConfig = CHAT, **more: Any) -> TokenProof:
    return prove(items, tokenizer, config, encode_pairs(items, tokenizer, config)[1], **more)


def test_that_the_tokens_together_are_the_row_and_the_mask_begins_at_the_answer() -> None:
    found = proof(byte_tokenizer("empty thought before answers"), [pair(("4 é", "5"))])
    chosen, rejected = found.pairs[0].rows
    assert "".join(chosen.tokens) == ASKED + EMPTY + "4 é<|end|>"
    assert "".join(chosen.tokens[: chosen.scored_from]) == ASKED + EMPTY
    assert (chosen.scored, rejected.scored) == ("4 é", "5")
    assert chosen.differences == rejected.differences == ()
    assert found.pairs[0].notes == ("other_header",)
    assert TokenProof.from_plain(found.to_plain()) == found


def test_that_what_the_template_changes_is_shown_part_by_part() -> None:
    found = proof(byte_tokenizer("turns of a model, trimmed"), [pair(("4 \n", "5"))])
    chosen, rejected = found.pairs[0].rows
    assert found.pairs[0].notes[0] == "rewritten"
    assert (chosen.answer, chosen.scored) == ("4 \n", "4")
    assert chosen.differences == (("same", "4"), ("removed", " \n"))
    assert rejected.differences == ()
    assert difference_line(chosen) == r"4[- \n-]"
    assert row_line(chosen).endswith(">>> 4|<|end|>")


def test_that_pairs_that_something_is_said_of_come_first() -> None:
    plain = [replace(item, pair_id=f"q{i}") for i, item in enumerate(tiny_pairs(6))]
    items = [*plain, pair(("4 ", "5"))]
    found = proof(byte_tokenizer("turns of a model, trimmed"), items, most=3)
    assert [one.pair_id for one in found.pairs] == ["p", "q0", "q1"]
    assert found.of == 7


@pytest.mark.parametrize("limit", [60, 4096])
def test_that_the_proof_shows_the_rows_that_are_trained(limit: int) -> None:
    tokenizer, config = tiny_tokenizer(), replace(CHAT, max_length=limit)
    items = tiny_pairs(4, system=True, turns=3)
    encoded, _ = encode_pairs(items, tokenizer, config)
    shown = {one.pair_id: one for one in proof(tokenizer, items, config).pairs}
    for one in encoded:
        row = shown[one.pair_id].rows[0]
        assert len(row.tokens) == len(one.prompt_ids) + len(one.chosen_ids)
        assert len(row.tokens) - row.scored_from == sum(one.chosen_mask)
        assert ("truncated" in shown[one.pair_id].notes) == one.truncated


def test_that_long_texts_are_compared_in_time() -> None:
    long = "word " * 100_000
    parts = differences(long + "end", long + "End")
    assert "".join(text for change, text in parts if change != "added") == long + "end"
