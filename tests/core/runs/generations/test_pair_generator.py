"""Pairs of a tiny model: the same request gives the same bytes, also after an interruption; every reason is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.errors import BadInput, UsageError
from core.domain.evaluation_events import WORK, AnswerRow
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.generated_pairs import GeneratedAnswer, GeneratedPair, GenerationReport
from core.domain.generation import AnsweringSide, leave_choices
from core.domain.run_events import Failed, Finished
from core.domain.tried_pairs import TriedPairs
from core.generation.seeds import derive_seed
from core.runs.control_file import ControlFile, request
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.generations.assembling import assembled
from core.runs.generations.control import cancel, find_generation, generation_status
from core.runs.generations.creation import NewGeneration, create_generation
from core.runs.generations.driver import GENERATION_LAYOUT, generate
from core.runs.generations.folder import GenerationFolder
from core.runs.generations.pair_generator import PairGenerator, items_of
from core.runs.generations.tried_program import TriedSide, tried_of
from core.runs.ledger.writer import LedgerWriter
from tests.fakes.openai_server import OpenAiServer
from tests.tiny_models import save_tiny

SMALL = EvaluationConfig().with_values({
    "max_new_tokens": 5, "batch_answers": 2, "temperature": 0.9, "top_p": 0.95, "seed": 3, "device": "cpu",
    "threads": 1,
})  # fmt: skip
HOST = EvaluationHost(host="terminal", reset=True)
ASKED = ("How do I check a bicycle chain?", "Is 91 a prime number?", "Is a night train worth it?")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("generation") / "model")


def side(letter: str, model: Path) -> AnsweringSide:
    return AnsweringSide(letter, "model", "tiny", model_dir=str(model))  # type: ignore[arg-type]


@pytest.fixture
def make(tmp_path: Path, model: Path) -> Callable[..., GenerationFolder]:
    def new(name: str, **changes: object) -> GenerationFolder:
        prompts = [Prompt.from_text(text) for text in ASKED]
        values = {"a": side("A", model), "b": side("B", model), "prompts": prompts, "config": SMALL, **changes}
        return create_generation(tmp_path / name, NewGeneration(**values), generation_id=name * 32)  # type: ignore[arg-type]

    return new


def attempt_until(folder: GenerationFolder, batches: int) -> None:
    """Work until so many batches are stored and end without another word, as a killed process does."""
    ledger = LedgerWriter(folder.ledger, folder.record().generation_id, layout=GENERATION_LAYOUT)
    events = PairGenerator(folder, ControlFile(folder.control)).run()
    for event in events:
        ledger.append(event)
        batches -= isinstance(event, WORK)
        if batches == 0:
            break
    events.close()  # type: ignore[attr-defined]
    ledger.close()


def test_that_a_killed_or_cancelled_generation_goes_on_to_the_same_bytes(
    make: Callable[..., GenerationFolder], model: Path
) -> None:
    whole, killed = make("a"), make("b")
    assert isinstance(generate(whole.path, HOST), Finished)
    attempt_until(killed, 1)
    assert generation_status(killed).state == "interrupted"

    def stop(event: object) -> None:
        if isinstance(event, WORK):
            request(killed.control, "stop_and_save")

    last = generate(killed.path, EvaluationHost(host="terminal", on_event=stop, reset=True))
    assert isinstance(last, Finished) and last.reason == "stopped"
    assert not killed.pairs_file.exists()
    assert isinstance(generate(killed.path, HOST), Finished)
    assert killed.pairs_file.read_bytes() == whole.pairs_file.read_bytes()
    assert killed.pairs_sha256() == whole.pairs_sha256()

    pairs, status = whole.pairs(), generation_status(whole)
    assert [pair.prompt.last_text for pair in pairs] == list(ASKED)
    key = f"{pairs[0].prompt.sha256[:32]}.1"
    assert (pairs[0].a.seed, pairs[0].b.seed) == tuple(derive_seed(3, "answer", letter, key) for letter in "AB")
    assert all(pair.a.tokens <= 5 and ("truncated" in pair.reasons) == (not pair.a.finished or not pair.b.finished)
               for pair in pairs)  # fmt: skip
    assert (status.state, status.share, status.done) == ("finished", 1.0, {"answers": 6})
    assert find_generation("aaaa", whole.path.parent).path == whole.path
    for refused in (lambda: generate(whole.path, HOST), lambda: cancel(whole)):
        with pytest.raises(UsageError):
            refused()
    shorter = make("c", prompts=[Prompt.from_text(ASKED[1]), Prompt.from_text(ASKED[1])])
    assert shorter.record().pairs == 1, "a prompt is answered once"
    weights = model / "model.safetensors"
    before = weights.read_bytes()
    try:
        weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        altered = generate(shorter.path, HOST)
    finally:
        weights.write_bytes(before)
    assert isinstance(altered, Failed) and "altered" in altered.message


def test_that_a_server_answers_a_side_and_its_limit_is_noted(tmp_path: Path) -> None:
    server = OpenAiServer()
    cut = {"choices": [{"message": {"content": "So far"}, "finish_reason": "length"}], "usage": {}}
    server.replies = [(200, cut)]
    try:
        sides = [AnsweringSide(letter, "endpoint", "endpoint", url=server.url) for letter in ("A", "B")]
        new = NewGeneration(*sides, [Prompt.from_text("Hello?")], SMALL, system_prompt="Be brief.")
        folder = create_generation(tmp_path / "one", new)
        assert isinstance(generate(folder.path, HOST), Finished)
    finally:
        server.stop()
    (pair,) = folder.pairs()
    assert (pair.a.text, pair.a.finished, pair.b.text, pair.b.tokens) == ("So far", False, "Hi.", 3)
    assert pair.reasons == ("truncated",)
    assert [turn["role"] for turn in server.asked[0][1]["messages"]] == ["system", "user"]
    assert server.asked[0][1]["seed"] != server.asked[1][1]["seed"], "two samples have two seeds"


def test_that_what_cannot_give_pairs_is_refused_before_anything_is_made(
    make: Callable[..., GenerationFolder], tmp_path: Path, model: Path
) -> None:
    for changes, words in (
        ({"prompts": []}, "no prompt"),
        ({"config": SMALL.with_values({"temperature": 0})}, "temperature 0"),
        ({"samples": 0}, "At least one"),
        ({"margins": ("A",)}, "no margin"),
        ({"nearly": 1.5}, "similarity"),
    ):
        with pytest.raises((BadInput, UsageError), match=words):
            make("x", **changes)
    assert not (tmp_path / "x").exists()


def test_that_each_pair_is_counted_at_the_first_reason_that_leaves_it_out(
    make: Callable[..., GenerationFolder],
) -> None:
    long = "one two three four five six seven eight nine ten"

    def pair(a: str, b: str, ended: bool = True) -> GeneratedPair:
        first, second = (GeneratedAnswer(text, 3, ended, 1) for text in (a, b))
        return assembled(GeneratedPair(Prompt.from_text(a), 1, first, second), 0.9)

    pairs = [
        pair("Yes.", "Yes."),
        pair("Yes.", " Yes. "),
        pair(long, f"{long.upper()}!"),
        pair("", "Words", ended=False),
        pair("Good", "Better", ended=False),
        pair("Good", "Better"),
        pair("Fine", "Worse"),
    ]
    assert [one.reasons for one in pairs] == [
        ("equal",), ("equal",), ("nearly_equal",), ("empty", "truncated"), ("truncated",), (), (),
    ]  # fmt: skip
    job = make("d").record()
    report = GenerationReport.of(job, pairs, leave_choices(()), known={5})
    assert report.to_plain()["left_out"] == {
        "equal": 2, "nearly_equal": 1, "empty": 1, "truncated": 1, "known": 1,
    }  # fmt: skip
    assert (report.made, report.kept, report.to_plain()["holds"]["truncated"]) == (7, 1, 2)
    kept = GenerationReport.of(job, pairs, leave_choices(["equal", "empty", "nearly-equal"]), known={5})
    assert kept.fates == ("equal", None, None, "truncated", "truncated", "known", None), (
        "the same text twice is no pair"
    )
    assert [row["pair"] for row in kept.to_plain(pairs)["pairs_left_out"]] == [1, 4, 5, 6]
    assert kept.made == kept.kept + sum(one.left_out for one in kept.reasons)


def test_that_the_first_pairs_tell_how_long_all_of_them_take(make: Callable[..., GenerationFolder]) -> None:
    record = make("e", samples=10).record()
    items = items_of([Prompt.from_text(text) for text in ASKED], 1)
    sides = [TriedSide(side, record) for side in record.sides]
    for side, tokens in zip(sides, ((2, 4, 5), (3, 5, 5)), strict=True):
        side.rows = {
            item.id: AnswerRow(side.side.letter, "tiny", item.id, f"{n} words", n, n < 5, 1)
            for item, n in zip(items, tokens, strict=True)
        }
        side.answer_s, side.load_s = 12.0, 3.0
    tried = tried_of(record, items, sides, 31.0)
    assert (tried.answers, tried.of, tried.a.text, tried.b.tokens) == (6, 60, "2 words", 3)
    assert tried.tokens.value == 4 and tried.cut.value == 0.5, "24 tokens in 6 answers, 3 of them cut"
    assert tried.seconds.value == pytest.approx(6 + 60 * 4 * (24 / 24)), "a second for each token, after loading"
    assert tried.seconds.low < tried.seconds.value < tried.seconds.high and tried.seconds.n == 6
    assert TriedPairs.from_plain(tried.to_plain()) == tried
