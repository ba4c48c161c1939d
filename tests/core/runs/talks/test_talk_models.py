"""The models of a talk: their answers are those of the sampler, token by token, and can be stopped at each."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.talk import TalkSettings
from core.domain.talk_events import TalkToken
from core.evaluation.token_shift import token_shifts
from core.generation.sampler import DecoderSettings, sample_both
from core.generation.streaming import StreamedText
from core.runs.evaluations.local_model import LocalModel
from core.runs.folder import RunFolder
from core.runs.talks.talk_models import TalkModels
from core.runs.talks.talk_program import serve_talk
from core.services.talks.arms import arms_of
from tests.core.runs.evaluations.conftest import SMALL
from tests.fakes.talks import untrained_run
from tests.tiny_models import tiny_tokenizer

ASKED = Prompt((Message("system", "Be brief."), Message("user", "How do I check a bicycle chain?")))
OTHER = Prompt.from_text("Name a colour.")
SETTINGS = TalkSettings(temperature=1.0, top_p=1.0, max_new_tokens=8, seed=5)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    """Return a LoRA run, and a full run on the same model."""
    place = tmp_path_factory.mktemp("talks")
    first = untrained_run(place)
    return first, untrained_run(place, place / "model", name="s", lora_r=0)


def test_that_the_answers_are_those_of_the_sampler_and_come_token_by_token(
    runs: tuple[RunFolder, RunFolder],
) -> None:
    run, other = runs
    arms = arms_of(run, against=other)
    models = TalkModels(arms, device="cpu", threads=1)
    heard: list[TalkToken] = []
    asked = {"policy": ASKED, "reference": OTHER, "run s": ASKED}
    found = {reply.arm: reply for reply in models.answer(asked, SETTINGS, on_token=heard.append)}
    local = LocalModel(run.path, 0, SMALL, {})
    ids = [local.encoder.prompt_ids(prompt) for prompt in (ASKED, OTHER)]
    drawn = DecoderSettings(max_new_tokens=8)
    (mine, _), (_, theirs) = sample_both(local.model, ids, [5, 5], drawn, stop_ids=local.model.stop_ids)
    for wanted, name in ((mine, "policy"), (theirs, "reference")):
        reply = found[name]
        assert (reply.text, reply.token_ids, reply.finished) == (wanted.text, wanted.token_ids, wanted.finished)
        tokens = [token for token in heard if token.arm == name]
        assert [token.tokens for token in tokens] == list(range(1, len(reply.token_ids) + 1))
        assert [token.is_last for token in tokens] == [False] * (len(tokens) - 1) + [True]
        assert "".join(token.text for token in tokens).rstrip("\ufffd") in reply.text
        assert (reply.seed, reply.stopped) == (5, False)
    assert found["policy"].prompt_tokens == len(ids[0])
    assert found["run s"].token_ids != found["policy"].token_ids
    again = models.answer({"policy": ASKED}, SETTINGS, on_token=lambda _token: None)
    assert again[0].token_ids == found["policy"].token_ids
    less = models.answer({"policy": ASKED}, replace(SETTINGS, repetition_penalty=1.5), on_token=lambda _token: None)
    harder = DecoderSettings(max_new_tokens=8, repetition_penalty=1.5)
    penalised = sample_both(local.model, ids[:1], [5], harder, stop_ids=local.model.stop_ids)[0][0]
    assert less[0].token_ids == penalised.token_ids != found["policy"].token_ids
    own = models.answer(asked, TalkSettings(seed=5, max_new_tokens=2, same_seed=False), on_token=lambda _token: None)
    assert len({reply.seed for reply in own}) == 3
    assert [note.split(":")[0] for note in models.notes()] == ["policy, reference", "run s"]

    shown = models.rendered("policy", ASKED, SETTINGS)
    assert shown.text == local.model.tokenizer.decode(ids[0])
    assert (shown.tokens, shown.system_tokens) == (len(ids[0]), len(local.model.tokenizer("Be brief.")["input_ids"]))
    assert next(text for text, special in shown.parts if special).startswith("<|")
    coloured = models.shifts("reference", OTHER, theirs.text, theirs.token_ids)
    assert coloured.author == "reference"
    assert [token.displacement for token in coloured.tokens] == [
        token.displacement for token in token_shifts(local.model, ids[1], theirs.token_ids, 5)
    ]
    models.close()


def test_that_a_stop_ends_all_answers_at_once_and_keeps_what_was_written(runs: tuple[RunFolder, RunFolder]) -> None:
    models = TalkModels(arms_of(runs[1]), device="cpu", threads=1)  # full weights: a decoder of its own for each
    heard: list[TalkToken] = []
    found = models.answer(
        {"policy": ASKED, "reference": ASKED}, SETTINGS, on_token=heard.append, stopped=lambda: len(heard) > 0
    )
    assert [(reply.arm, len(reply.token_ids), reply.stopped) for reply in found] == [
        ("policy", 1, True), ("reference", 1, True),
    ]  # fmt: skip
    models.close()


def test_that_the_program_answers_line_by_line_and_says_what_it_cannot_do(
    runs: tuple[RunFolder, RunFolder], tmp_path: Path
) -> None:
    arms = [asdict(arm) for arm in arms_of(runs[0])]

    def said(*lines: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
        out = io.StringIO()
        code = serve_talk([json.dumps(line) for line in lines], out)
        return code, [json.loads(line) for line in out.getvalue().splitlines()]

    opening = {"arms": arms, "device": "cpu", "threads": 1}
    long = {"policy": Prompt.from_text("word " * 9000).to_plain()}
    code, messages = said(
        opening,
        {"id": 1, "op": "answer", "prompts": long, "settings": SETTINGS.to_plain()},
        {"id": 2, "op": "rendered", "prompts": {"policy": ASKED.to_plain()}, "settings": SETTINGS.to_plain()},
    )
    assert code == 0
    assert [next(iter(message)) for message in messages[:3]] == ["loading", "loading", "ready"]
    assert messages[3]["kind"] == "BadInput"
    assert "last message alone is too long" in messages[3]["error"]
    assert messages[4]["result"]["tokens"] > 0
    code, messages = said({**opening, "arms": [{**arms[0], "run_dir": str(tmp_path)}]})
    assert (code, messages[-1]["kind"]) == (1, "NotFound")
    assert said() == (0, [])


def test_that_a_text_grows_by_whole_characters_and_without_special_tokens() -> None:
    tokenizer = tiny_tokenizer()
    ids = [*tokenizer("a 👍 café\n\nb")["input_ids"], tokenizer.convert_tokens_to_ids("<|end|>")]
    growing = StreamedText(tokenizer)
    parts = [growing.add(id_) for id_ in ids]
    assert "".join(parts) == "a 👍 café\n\nb"
    assert parts[-1] == ""
    assert "\ufffd" not in "".join(parts)
