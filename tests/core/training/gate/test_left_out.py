"""One odd pair is left out and counted; many end the run, with all reasons at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput, GateFailed
from core.domain.left_out import beyond_length
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, Finished, GateReport, TokenReport, Warned, from_plain, to_plain
from core.runs.child_processes.preflight_program import token_check
from core.runs.event_lines import line_of
from core.training.gate.left_out import ReadableRows, about_left_out, encode_usable, require_enough
from core.training.text.encoded_pair import EncodedPair
from tests.core.training.tiny_runs import run, some_pairs
from tests.tiny_models import CHAT_TEMPLATE, save_tiny, tiny_pairs, tiny_tokenizer

CONFIG = RunConfig(max_length=0)
REFUSING = CHAT_TEMPLATE.replace(
    "{% for message in messages %}",
    "{% for message in messages %}{% if 'forbidden' in message['content'] %}"
    "{{ raise_exception('a forbidden word') }}{% endif %}",
    1,
)


def odd_pairs() -> list[TrainingPair]:
    """Ten pairs: one with equal answers, two long ones, one with an unknown token, one that the template refuses."""
    pairs = tiny_pairs(10)
    pairs[1] = replace(pairs[1], rejected=pairs[1].chosen)
    pairs[3] = replace(pairs[3], chosen="The moon pulls the sea. " * 40)
    pairs[4] = replace(pairs[4], rejected="The moon pulls the sea. " * 40)
    pairs[6] = replace(pairs[6], chosen="A <|new|> word.")
    pairs[8] = replace(pairs[8], prompt=Prompt((Message("user", "A forbidden question."),)), chosen=" ")
    return pairs


def report_of(pairs: list[TrainingPair]) -> tuple[list[EncodedPair], TokenReport, ReadableRows]:
    tokenizer = tiny_tokenizer(chat_template=REFUSING)
    vocabulary = len(tokenizer)
    tokenizer.add_tokens(["<|new|>"])
    rows = ReadableRows(positions=120, vocabulary=vocabulary, stop_ids=frozenset({0}))
    return *encode_usable(pairs, tokenizer, CONFIG, rows), rows


def test_that_every_reason_is_counted_with_its_pairs_in_one_pass() -> None:
    encoded, report, rows = report_of(odd_pairs())
    assert report.left_out == {
        "template_refuses": ["p8"], "identical_answers": ["p1"], "too_long": ["p3", "p4"], "unknown_tokens": ["p6"]
    }  # fmt: skip
    assert [pair.pair_id for pair in encoded] == ["p0", "p2", "p5", "p7", "p9"]
    assert (report.pairs, report.dropped, report.empty_answers) == (10, 5, 1)
    assert from_plain(to_plain(report)) == report
    for text in (about_left_out(report), line_of(report), token_check(report).text):
        assert "2 longer than the model's positions (p3, p4)" in text
        assert "1 with the same text on both sides (p1)" in text
    with pytest.raises(GateFailed) as error:
        require_enough(report, CONFIG, rows)
    assert error.value.cause == "too_long"
    assert "1 with tokens that the model has no embedding for (p6)" in error.value.message
    assert "Set max_length to 120" in error.value.hint
    require_enough(report, replace(CONFIG, max_left_out=0.5), rows)


def test_that_one_pair_never_ends_a_run_and_two_do_above_the_share() -> None:
    _, one, rows = report_of([*tiny_pairs(2), odd_pairs()[8]])
    require_enough(one, replace(CONFIG, max_left_out=0.0), rows)
    odd = odd_pairs()
    _, two, rows = report_of([*tiny_pairs(1), odd[3], odd[4]])
    with pytest.raises(GateFailed):
        require_enough(two, CONFIG, rows)


def test_that_a_template_that_refuses_everything_says_so_itself() -> None:
    with pytest.raises(BadInput, match="a forbidden word"):
        report_of([odd_pairs()[8]])


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0])
def test_that_a_weight_that_is_no_weight_leaves_its_pair_out(weight: float) -> None:
    pairs = tiny_pairs(3)
    pairs[1] = replace(pairs[1], weight=weight)
    _, report, _ = report_of(pairs)
    assert report.left_out == {"weight": ["p1"]}
    _, report, rows = report_of([pairs[0], pairs[1], replace(pairs[1], pair_id="p2")])
    with pytest.raises(GateFailed) as error:
        require_enough(report, CONFIG, rows)
    assert error.value.cause == "weight"


def test_that_a_run_trains_without_its_odd_pair_and_says_so(tiny_llama_dir: Path, tmp_path: Path) -> None:
    pairs = some_pairs()
    pairs[2] = replace(pairs[2], rejected=pairs[2].chosen)
    events = run(tiny_llama_dir, tmp_path / "run", pairs=pairs, steps=1)
    assert isinstance(events[-1], Finished), events[-1]
    told = next(e for e in events if isinstance(e, Warned) and e.code == "left_out")
    assert told.message == "1 pair of 10 is left out: 1 with the same text on both sides (p2)."


def test_that_pairs_beyond_the_positions_of_a_model_are_refused_by_name_and_not_by_an_index_error(
    tmp_path: Path,
) -> None:
    folder = save_tiny(tmp_path / "gpt2", "gpt2", n_positions=64)
    pairs = [replace(pair, chosen=pair.chosen * 9) for pair in some_pairs()]
    events = run(folder, tmp_path / "run", pairs=pairs)
    assert isinstance(events[-1], Failed)
    assert events[-1].kind == "gate:too_long"
    assert "Set max_length to 64" in events[-1].hint
    assert any(isinstance(e, GateReport) and e.cause == "too_long" for e in events)
    assert isinstance(run(folder, tmp_path / "shorter", pairs=pairs, max_length=64, steps=1)[-1], Finished)


def test_that_pairs_that_all_weigh_nothing_are_refused(tiny_llama_dir: Path, tmp_path: Path) -> None:
    pairs = [replace(pair, weight=0.0) for pair in some_pairs()]
    last = run(tiny_llama_dir, tmp_path / "run", pairs=pairs)[-1]
    assert isinstance(last, Failed)
    assert (last.kind, "weight" in last.message) == ("bad_input", True)


TRIMMING = CHAT_TEMPLATE.replace("message['content'] +", "message['content'] | trim +")


def equal_pairs() -> list[TrainingPair]:
    """Four pairs: one sound, one equal as it stands, one once its blanks are gone, one once it is cut."""
    pairs = tiny_pairs(4)
    pairs[1] = replace(pairs[1], rejected=pairs[1].chosen)
    pairs[2] = replace(pairs[2], chosen="    Yes.", rejected="Yes.")
    same = "The moon pulls the sea. " * 40
    pairs[3] = replace(pairs[3], chosen=same + "Yes.", rejected=same + "No.")
    return pairs


def test_that_equal_answers_are_told_apart_by_what_made_them_equal() -> None:
    tokenizer, config = tiny_tokenizer(chat_template=TRIMMING), replace(CONFIG, max_length=64)
    _, report = encode_usable(equal_pairs(), tokenizer, config, ReadableRows())
    assert report.left_out == {"identical_answers": ["p1"], "equal_by_template": ["p2"], "equal_once_cut": ["p3"]}
    assert (report.identical, report.dropped) == (3, 3)
    assert "1 whose answers are the same once the chat template wrote them (p2)" in about_left_out(report)
    with pytest.raises(GateFailed) as error:
        require_enough(report, config, ReadableRows())
    assert error.value.cause == "identical_answers"
    assert "Set rewritten_answers to answer" in error.value.hint
    assert "Raise max_length." in error.value.hint


def test_that_nobody_is_told_to_raise_max_length_for_pairs_that_it_does_not_concern() -> None:
    _, report = encode_usable(equal_pairs()[:3], tiny_tokenizer(chat_template=TRIMMING), CONFIG, ReadableRows())
    assert beyond_length(report.left_out) == ()
    assert token_check(report).hint == ""
    _, cut = encode_usable(equal_pairs()[3:], tiny_tokenizer(), replace(CONFIG, max_length=64), ReadableRows())
    assert beyond_length(cut.left_out) == ("p3",)
    assert token_check(cut).hint == "Raise max_length."


def test_that_the_words_of_a_template_that_refuses_are_told_with_their_counts() -> None:
    pairs = tiny_pairs(6)
    for place in (1, 4):
        pairs[place] = replace(pairs[place], prompt=Prompt((Message("user", "A forbidden question."),)))
    _, report, rows = report_of(pairs)
    assert report.template_says == {"a forbidden word": 2}
    assert about_left_out(report) == (
        '2 pairs of 6 are left out: 2 whose conversation the chat template refuses (p1, p4), saying "a forbidden word".'
    )
    with pytest.raises(GateFailed) as error:
        require_enough(report, CONFIG, rows)
    assert error.value.cause == "template_refuses"


def test_that_a_gate_that_failed_before_it_measured_shows_no_numbers() -> None:
    nothing = float("nan")
    line = line_of(GateReport(False, nothing, nothing, nothing, {}, "equal_by_template", "Too many pairs."))
    assert line == "gate FAILED (equal_by_template): Too many pairs."
