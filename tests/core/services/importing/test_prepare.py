from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.conversation import Message, Prompt
from core.domain.ids import canonical_json
from core.domain.judgement import Verdict
from core.domain.pair import Response, make_pair
from core.services.importing.limits import RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.rows import ParsedLabel, ParsedPair

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


PLAIN = st.text(st.sampled_from('ab <\n\t\r"\\\x7f/\u00e9'), max_size=12)
TURNS = st.sampled_from(((), (Message("system", "s"),), (Message("user", 'say "x"'), Message("assistant", "x\n"))))


@given(TURNS, TEXT | PLAIN, TEXT | PLAIN, TEXT | PLAIN)
def test_that_the_hashes_are_those_of_the_domain(
    before: tuple[Message, ...], question: str, first: str, second: str
) -> None:
    if first == second:
        second += "."
    prompt = Prompt((*before, Message("user", question)))
    one, other = Response(first), Response(second)
    new = prepare(ParsedPair(prompt, one, other, (ParsedLabel(Verdict.PREFER, -2),)))
    pair, first_is_a = make_pair(prompt, one, other)
    assert (new.sha256, new.prompt_sha256) == (pair.sha256, prompt.sha256)
    assert (new.a_text, new.b_text, new.a_sha256, new.b_sha256) == (
        pair.a.text,
        pair.b.text,
        pair.a.sha256,
        pair.b.sha256,
    )
    assert new.left_is == ("A" if first_is_a else "B")
    assert (new.prompt_body, new.turns) == (canonical_json(prompt.to_plain()), len(prompt.messages))
    assert new.prompt_text == "\n\n".join(message.content for message in prompt.messages)
    assert new.labels[0].strength == (-2 if first_is_a else 2)


def test_that_two_equal_answers_are_rejected() -> None:
    with pytest.raises(RowRejected, match="same text"):
        prepare(ParsedPair(Prompt.from_text("q"), Response("x"), Response("x")))
