"""One prompt under policy and reference: every number of every token against the models themselves."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch

from core.cli import inspect_prompt
from core.cli.app import main
from core.domain.conversation import Message, Prompt
from core.domain.errors import NotFound, UsageError
from core.domain.estimate import Estimate
from core.domain.prompt_inspection import (
    GivenAnswer,
    InspectedAnswer,
    InspectedToken,
    InspectionRequest,
    LikelyToken,
    NearPair,
    PromptInspection,
)
from core.evaluation.measures.means import mean_by_prompt
from core.evaluation.nearest import nearest_texts
from core.evaluation.token_shift import token_shifts, token_texts
from core.runs.evaluations import inspecting
from core.runs.evaluations.inspection_program import ARMS, PromptLook, inspect, kl_of
from core.runs.evaluations.local_model import LocalModel
from core.runs.folder import RunFolder
from core.services.evaluations.one_prompt import asked, inspect_of_run, item_of
from tests.core.runs.evaluations.conftest import SMALL, preference_suite
from tests.tiny_models import tiny_model, tiny_tokenizer

ASKED = Prompt((Message("system", "Be brief."), Message("user", "How do I check a bicycle chain?")))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Run the child program in this process, its values through JSON; return the parts that it hands out."""
    parts: list[dict[str, Any]] = []

    def run(_module: str, request: dict[str, Any], *, on_progress: Any, on_part: Any, **_: Any) -> Any:
        def part(value: Any) -> None:
            parts.append(json.loads(json.dumps(value)))
            if on_part is not None:
                on_part(parts[-1])

        request = json.loads(json.dumps(request))
        return json.loads(json.dumps(inspect(request, on_progress or (lambda *_: None), part)))

    monkeypatch.setattr(inspecting, "run_in_subprocess", run)
    return parts


def request(**changes: Any) -> InspectionRequest:
    made = InspectionRequest("", ASKED, samples=2, likely=3, nearest=2, settings={"device": "cpu", "threads": 1})
    settings = {**made.settings, "max_new_tokens": 5, **changes.pop("settings", {})}
    return replace(made, settings=settings, **changes)


def test_that_each_token_has_what_the_two_models_say_of_it() -> None:
    class Pair:
        model, tokenizer, other = tiny_model(seed=1), tiny_tokenizer(), tiny_model(seed=2)

        def reference(self) -> Any:
            return nullcontext(self.other)

    pair = Pair()
    prompt, answer = [5, 7, 9], [11, 300, 42, 0]
    found = token_shifts(pair, prompt, answer, 2, tile=3)
    with torch.no_grad():
        rows = torch.tensor([[*prompt, *answer]])
        p, q = (model(rows).logits[0, 2:-1].double().log_softmax(-1) for model in (pair.model, pair.other))
    for at, (token, id_) in enumerate(zip(found, answer, strict=True)):
        assert (token.policy, token.reference) == pytest.approx((float(p[at, id_]), float(q[at, id_])), rel=1e-4)
        assert token.policy_rank == sorted(p[at].tolist(), reverse=True).index(float(p[at, id_])) + 1
        assert token.kl == pytest.approx(float((p[at].exp() * (p[at] - q[at])).sum()), rel=1e-3)
        assert token.policy_entropy == pytest.approx(-float((p[at].exp() * p[at]).sum()), rel=1e-4)
        wanted = {*p[at].topk(2).indices.tolist(), *q[at].topk(2).indices.tolist()}
        assert sorted(one.policy for one in token.likely) == pytest.approx(
            sorted(float(p[at, i]) for i in wanted), rel=1e-4
        )
    assert "".join(token.text for token in found) == pair.tokenizer.decode(answer)


def test_that_a_character_of_several_tokens_stands_at_its_last_one() -> None:
    tokenizer = tiny_tokenizer()
    ids = tokenizer("a 👍 b")["input_ids"]
    texts = token_texts(tokenizer, ids)
    assert "".join(texts) == "a 👍 b"
    assert [text for text in texts if "👍" in text] == ["👍"]


def test_that_samples_and_given_answers_come_one_by_one_and_their_sums_fit_the_scores_of_an_evaluation(
    trained_run: RunFolder, here: list[dict[str, Any]]
) -> None:
    seen: list[InspectedAnswer] = []
    told: list[str] = []
    found = inspect_of_run(
        trained_run,
        request(given=[GivenAnswer("mine", "Wipe it, look for rust.")]),
        on_answer=seen.append,
        on_progress=lambda _done, _total, text: told.append(text),
    )
    assert [(a.author, a.name) for a in found.answers] == [
        ("given", "mine"), ("policy", "sample 1"), ("policy", "sample 2"), ("reference", "sample 1"),
        ("reference", "sample 2"),
    ]  # fmt: skip
    assert tuple(seen) == found.answers
    assert told[0] == "Loading the model"
    assert told[-1] == "Searching the training pairs"
    for answer in found.answers:
        assert answer.displacement == pytest.approx(answer.policy - answer.reference, abs=1e-9)
        assert answer.finished == answer.tokens[-1].text.startswith("<|end|>")
    assert found.by("policy")[0].seed == found.by("reference")[0].seed != found.by("policy")[1].seed
    own = [answer.kl for answer in found.by("policy")]
    wanted = mean_by_prompt(own, None, "nats", "", over="answer")
    assert isinstance(found.kl, Estimate)
    assert (found.kl.value, found.kl.high, found.kl.n) == pytest.approx((wanted.value, wanted.high, 2))
    assert found.kl.low == max(0.0, wanted.low)
    assert "by answer" in found.kl.estimator
    assert found.searched == 6
    assert all(pair.similarity <= 1 for pair in found.nearest)
    assert found.nearest[0].similarity >= found.nearest[-1].similarity
    assert PromptInspection.from_plain(found.to_plain()) == found


def test_that_the_answers_of_an_item_are_scored_as_an_evaluation_scores_them(trained_run: RunFolder) -> None:
    item, policy = preference_suite().items[0], ARMS["policy"]
    model = LocalModel(trained_run.path, 0, SMALL, {})
    pairs, _ = model.encoded_pairs(policy, [item])
    scored = model.score(policy, "", pairs)[0]
    given = [GivenAnswer("chosen", item.chosen), GivenAnswer("rejected", item.rejected)]
    look = PromptLook(model, item.prompt, 0)
    answers = list(look.answers(given, 2))
    assert [answer.policy for answer in answers[:2]] == pytest.approx(
        [scored.logp_chosen, scored.logp_rejected], rel=1e-4
    )
    assert look.notes == []
    assert SMALL.temperature == 0.0  # greedy: both samples are one text, and tell nothing of the policy's distribution
    assert answers[2].text == answers[3].text
    assert kl_of(answers, SMALL) is None
    long = PromptLook(model, Prompt.from_text("word " * 150), 0)
    assert next(long.answers(given, 0)).tokens
    assert long.notes == ["The answer chosen or its prompt is cut to the run's max length."]


def test_that_the_answers_of_a_held_out_pair_come_with_its_prompt(trained_run: RunFolder) -> None:
    pair = next(pair for pair in trained_run.pairs() if pair.split == "dev")
    own = request(prompt=None, item=f"dev/{pair.pair_id}", given=[GivenAnswer("mine", "Yes.")])
    prompt, given = asked(trained_run, own)
    assert prompt == pair.prompt
    assert [(one.name, one.text) for one in given] == [
        ("chosen", pair.chosen), ("rejected", pair.rejected), ("mine", "Yes."),
    ]  # fmt: skip


def test_that_what_cannot_be_looked_at_is_said_before_anything_is_loaded(trained_run: RunFolder) -> None:
    for changes, kind, words in (
        ({"item": "basics/lists-01"}, UsageError, "One prompt is looked at"),
        ({"prompt": None, "item": "sealed:mine v1/x"}, UsageError, "shown to nobody but the evaluator"),
        ({"prompt": None, "item": "basics"}, UsageError, "names no item of a suite"),
        ({"prompt": None, "item": "basics/none"}, NotFound, "basics v1 has no item 'none'"),
        ({"prompt": None, "item": "nothing/at/all"}, NotFound, "no built-in suite 'nothing'"),
        ({"samples": 65}, UsageError, "65 samples of each model are out of bounds"),
        ({"samples": 0, "nearest": 0}, UsageError, "Nothing is asked of this prompt"),
        ({"settings": {"temperature": -1}}, UsageError, "temperature"),
        ({"step": 3}, NotFound, "no checkpoint of step 3"),
    ):
        with pytest.raises(kind, match=words):
            inspect_of_run(trained_run, request(**changes))  # type: ignore[arg-type]
    assert item_of("basics/lists-01", trained_run).id == "lists-01"


def test_that_the_nearest_text_shares_the_rarest_words() -> None:
    texts = ["Explain the tides in one sentence.", "Explain bread in one sentence.", "東京の天気", "Whatever"]
    assert [at for at, _ in nearest_texts("What moves the tides?", texts, 3)] == [0]
    assert nearest_texts("東京は？", texts, 3)[0][0] == 2
    assert nearest_texts("Explain the tides in one sentence.", texts, 1)[0] == (0, pytest.approx(1.0))
    assert nearest_texts("?!", texts, 3) == nearest_texts("Explain", [], 3) == nearest_texts("Explain", texts, 0) == []


def test_that_the_command_prints_what_was_found_and_json_holds_every_token(
    monkeypatch: pytest.MonkeyPatch, trained_run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    likely = (LikelyToken(" yes", -0.5, -3.0), LikelyToken("\n", -1.0, -0.1))
    token = InspectedToken(" yes", -0.5, -3.0, 1, 4, 0.7, 0.2, 1.25, likely)
    answer = InspectedAnswer("sample 1", "policy", " yes", (token,), True, 7)
    near = NearPair("p4", 0.5, "How do I check bread?", "a", "b")
    kl = Estimate(1.25, float("nan"), float("nan"), 1, "nats", "KL; n too small, no interval")
    asked_for: list[InspectionRequest] = []

    def found(_run: RunFolder, request: InspectionRequest, **_: Any) -> PromptInspection:
        asked_for.append(request)
        return PromptInspection({"name": "mine"}, 0.1, ASKED, 5, "seed 0", (answer,), kl, (near,), 6, dropped_turns=1)

    monkeypatch.setattr(inspect_prompt, "inspect_of_run", found)
    words = ["inspect-prompt", str(trained_run.path), "--prompt", "Why?", "--system", "Be brief.", "--k", "1"]
    assert main([*words, "--answer", "Yes.", "--set", "seed=3"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "1 turn at the beginning does not fit: left out.",
        "log-prob -0.50 under the policy, -3.00 under the reference; displacement +2.50 nats, implicit reward +0.250",
        "1 ' yes' -0.50 -3.00 +2.50 1 / 4 0.70 / 0.20 ' yes' / '\\n'",
        "n too small",
        "p4 0.50 How do I check bread?",
        "compare answers to this prompt only",
    ):
        assert part in " ".join(shown.split())
    assert asked_for[0].prompt == Prompt((Message("system", "Be brief."), Message("user", "Why?")))
    assert (asked_for[0].given, asked_for[0].samples) == ([GivenAnswer("answer", "Yes.")], 1)
    assert dict(asked_for[0].settings) == {"seed": "3"}
    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["event"] == "inspection"
    assert printed["answers"][0]["tokens"][0]["displacement"] == 2.5
    assert main(["inspect-prompt", str(trained_run.path), "--item", "dev/p6", "--system", "x"]) == 2
