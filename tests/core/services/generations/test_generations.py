"""A round of generated pairs: prompts that are no test items, a source that lands once, a batch by rule, the share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.cli.app import main
from core.domain.batch import SlotKind
from core.domain.conversation import Prompt
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.generation import BatchWish, leave_choices
from core.domain.pair_table import PairFilter
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.folder import RunFolder
from core.runs.generations.driver import generate
from core.runs.generations.pair_generator import SCORED
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.generations.requests import GENERATION_CONFIG, GenerationRequest
from tests.fakes.workspaces import opened, prefer

ANN = 1
SMALL = GENERATION_CONFIG.with_values({"max_new_tokens": 6, "device": "cpu", "threads": 1, "seed": 5})
KEEP = ("truncated", "nearly_equal")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws") as app:
        yield app


def request_of(run: RunFolder, **changes: Any) -> GenerationRequest:
    texts = tuple(f"What is {n} times seven?" for n in range(6))
    values = {"a": str(run.path), "b": f"reference:{run.path}", "typed": texts, "config": SMALL, "keep": KEEP}
    return GenerationRequest(**{**values, **changes})  # type: ignore[arg-type]


def worked(app: Application, request: GenerationRequest) -> str:
    info = app.generations.create(request).value
    assert generate(Path(info.folder), EvaluationHost(host="terminal")).event == "finished"
    return info.generation_id


def test_that_a_round_lands_once_with_records_margins_a_batch_and_its_share(
    app: Application, trained_run: RunFolder
) -> None:
    wish = BatchWish("round 2", 1, (ANN,), take=2, random=2, rule="margin_near_zero", seed=4)
    generation = worked(app, request_of(trained_run, batch=wish, name="second round"))
    folder = app.generations.find(generation)
    pairs, ledger = folder.pairs(), EvaluationLedger(folder.ledger)
    policy, reference = (
        {row.item: row for row in ledger.scores(SCORED, f"margin of A, {who}")} for who in ("policy", "reference")
    )
    item, first = f"{pairs[0].prompt.sha256[:32]}.1", pairs[0]
    by_hand = (policy[item].logp_chosen - reference[item].logp_chosen) - (
        policy[item].logp_rejected - reference[item].logp_rejected
    )
    assert first.margins == {"A": pytest.approx(by_hand, abs=1e-12)}

    landed = app.generations.land(generation).value
    assert landed.report.made == 6 == landed.report.kept + sum(one.left_out for one in landed.report.reasons)
    source = next(one for one in app.imports.sources() if one.id == landed.source_id)
    assert (source.kind, source.name, source.parents, source.pairs) == (
        "generated", "second round", ("r" * 32,), landed.added,
    )  # fmt: skip
    again = app.generations.land(generation).value
    assert (again.added, again.source_id, again.batch) == (0, landed.source_id, landed.batch)
    twin = app.generations.land(worked(app, request_of(trained_run, name="another name", margins=True))).value
    assert (twin.source_id, twin.added) == (landed.source_id, 0), "the same command gives the same pairs"
    assert app.generations.info(generation).source_id == landed.source_id

    ids = app.pairs.ids(PairFilter(source_id=landed.source_id))
    details = [app.pairs.detail(key) for key in ids]
    records = {answer.text: answer.generation for one in details for answer in (one.pair.a, one.pair.b)}
    ours, theirs = records[first.a.text], records[first.b.text]
    assert ours is not None and theirs is not None
    assert (ours.seed, ours.temperature, ours.top_p, ours.max_new_tokens) == (first.a.seed, 0.8, 0.95, 6)
    assert (ours.extra["run"], ours.extra["checkpoint"], ours.extra["kind"]) == ("r" * 32, "result", "policy")
    assert ours.extra["finish_reason"] in ("stop", "length") and ours.extra["tokens"] == first.a.tokens
    assert ours.model_sha256 == theirs.model_sha256 != "" != ours.template_sha256
    assert (theirs.extra["kind"], "policy_sha256" in theirs.extra) == ("reference", False)

    assert landed.batch is not None
    assert (landed.batch.order, landed.batch.seed, landed.batch.policy["random_share"]) == ("margin", 4, 0.5)
    slots = [one for one in app.batches.slots(landed.batch.id) if one.kind is SlotKind.FIRST]
    nearest = sorted(pairs, key=lambda one: abs(one.margins["A"]))
    prompt_of = {one.id: one.pair.prompt.sha256 for one in details}
    ruled = {prompt_of[one.pair_id] for one in slots if one.picked == "rule"}
    apart = {prompt_of[one.pair_id] for one in slots if one.picked == "random"}
    assert (len(ruled), len(apart), app.batches.state(landed.batch.id).random.slots) == (2, 2, 2)
    stored = set(prompt_of.values())
    free = [key for key in (one.prompt.sha256 for one in nearest) if key in stored and key not in apart]
    assert ruled == set(free[:2]), "the rule takes those nearest to 0 that were not drawn at random"

    queue = app.annotation.open_queue(app.batches.queue(landed.batch.id, ANN))
    for view in app.annotation.next(queue, 3):
        app.annotation.commit(view.presentation_uid, prefer(2))
    other = app.annotation.open_queue(QueueSettings(ANN, 1, filter=PairFilter(source_id=1, label="none")))
    app.annotation.commit(app.annotation.next(other)[0].presentation_uid, prefer(1))
    whole = FreezePolicy(splits=(1.0, 0.0, 0.0), require_consent=False)
    plan = app.datasets.plan(whole)
    assert (plan.counts["items"], plan.counts["on_policy"]) == (4, 3)
    assert plan.notes[0].startswith("On-policy: 3 of 4 items (75 %) have an answer of a policy: 3 of ")
    share = app.datasets.view(app.datasets.freeze("d", whole).value.id).on_policy
    assert (share.items, share.of, share.policies[0].policy.run) == (3, 4, "r" * 32)
    assert (share.policies[0].one_side, share.policies[0].both_sides) == (3, 0), "the reference is no policy"
    assert not [one for one in app.workspace.check().findings if one.serious]


def test_that_prompts_of_a_sealed_test_and_labelled_ones_are_not_asked(app: Application, tmp_path: Path) -> None:
    queue = app.annotation.open_queue(QueueSettings(ANN, 1))
    for view in app.annotation.next(queue, 2):
        app.annotation.commit(view.presentation_uid, prefer(2))
    app.datasets.freeze("d", FreezePolicy(splits=(0.0, 0.0, 1.0)))
    asked = GenerationRequest("x", source=1)
    found = app.generations.prompts(asked)
    assert (len(found.prompts), found.of, found.labelled, found.sealed) == (4, 6, 2, 0)
    assert found.sentence() == "4 of 6 prompts; 2 labelled are left out"
    every = app.generations.prompts(replace(asked, unlabelled=False))
    assert (len(every.prompts), every.sealed) == (4, 2)
    drawn = [app.generations.prompts(replace(asked, choose=2, choose_seed=seed)).prompts for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1] and len(set(drawn)) > 1
    sealed = next(iter({one.sha256 for one in _all(app)} - {one.sha256 for one in every.prompts}))
    words = next(one.last_text for one in _all(app) if one.sha256 == sealed)
    file = tmp_path / "prompts.txt"
    file.write_text(f"{words.upper()}!\nWhat now?\n\nWhat now?\n", encoding="utf-8")
    told = app.generations.prompts(GenerationRequest("x", file=file))
    assert ([one.last_text for one in told.prompts], told.of, told.sealed) == (["What now?"], 2, 1)
    rows = tmp_path / "prompts.jsonl"
    rows.write_text(json.dumps({"prompt": "Why?"}) + "\n" + json.dumps({"prompt": "How?"}) + "\n", encoding="utf-8")
    assert len(app.generations.prompts(GenerationRequest("x", file=rows)).prompts) == 2
    for wrong in (GenerationRequest("x"), GenerationRequest("x", source=1, typed=("a",))):
        with pytest.raises(UsageError, match="one place"):
            app.generations.prompts(wrong)
    with pytest.raises(NotFound, match="source 9"):
        app.generations.prompts(GenerationRequest("x", source=9))
    with pytest.raises(BadInput, match="stand in a sealed test"):
        app.generations.prompts(GenerationRequest("x", typed=(words,)))


def _all(app: Application) -> list[Prompt]:
    return [app.pairs.detail(key).pair.prompt for key in app.pairs.ids(PairFilter(source_id=1))]


def test_that_sides_and_rules_that_do_not_fit_are_refused_with_a_sentence(
    app: Application, trained_run: RunFolder
) -> None:
    def refused(error: type[Exception], words: str, **changes: Any) -> None:
        with pytest.raises(error, match=words):
            app.generations.create(request_of(trained_run, **changes))

    refused(NotFound, "no run and no model", a="nobody")
    refused(NotFound, "checkpoint of step 77", a=f"{trained_run.path}@77")
    refused(UsageError, "best_metric=off", a=f"{trained_run.path}@best")
    refused(UsageError, "no checkpoint", a=f"{trained_run.path}@later")
    refused(UsageError, "not this machine", a="endpoint:http://models.example.org/v1")
    wish = BatchWish("b", 1, (ANN,), take=2, rule="disagreement")
    refused(UsageError, "two different runs", batch=wish)
    refused(
        UsageError,
        "needs a run",
        a="endpoint:http://127.0.0.1:1/v1",
        b="",
        batch=replace(wish, rule="margin_near_zero"),
    )
    for values, words in (
        ({"rule": "best"}, "Unknown rule"),
        ({"reviewers": ()}, "somebody"),
        ({"take": -1}, "below 0"),
    ):
        with pytest.raises(BadInput, match=words):
            replace(wish, **values)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no reason"):
        leave_choices(["dull"])
    newest = app.generations.planned(request_of(trained_run, a=f"{trained_run.path}@last", samples=2))
    assert (newest.a.step, newest.b.step, newest.pairs) == (4, 4, 12), "a reference shares the weights of its policy"
    assert app.generations.list() == []


def test_that_the_command_generates_lands_lists_and_shows(
    tmp_path: Path, trained_run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    opened(tmp_path / "ws").close()
    ws = str(tmp_path / "ws")
    words = ["--a", str(trained_run.path), "--prompt", "Why is the sky blue?", "--prompt", "Name a tool.", "--n", "2"]
    quick = ["--max-new-tokens", "4", "--seed", "3", "--keep", "truncated", "--set", "device=cpu", "--set", "threads=1"]
    batch = ["--batch", "mine", "--take", "1", "--random", "1", "--rule", "length-gap", "--for", "Ann"]
    assert main(["generate", ws, *words, *quick, *batch, "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (said[-1]["event"], said[-1]["report"]["made"], said[-1]["batch"]["order"]) == ("landed", 2, "length")
    assert (said[0]["event"], said[0]["sides"], said[0]["answers"]) == ("generation_started", ["A", "B"], 4)
    assert said[-1]["told"][0].startswith(f"Nobody stated the consent for source {said[-1]['source']['id']} yet")
    assert main(["generate", "list", ws, "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["state"], listed["source"]) == ("finished", said[-1]["source"]["id"])
    assert main(["generate", "list", ws]) == 0
    assert main(["consent", "grant", ws, "--source", str(listed["source"])]) == 0
    assert main(["generate", "resume", ws, listed["id"]]) == 0
    told = capsys.readouterr().out
    assert "finished  100 %" in told and "pairs made" in told and "0 new pairs." in told
    assert "Nobody stated" not in told
    assert main(["generate", "show", ws, listed["id"], "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["made"] == 2 == report["kept"] + len(report["pairs_left_out"])
    assert main(["sources", ws]) == 0 and "r" * 32 in capsys.readouterr().out
    assert main(["generate", ws, *words[:-1], "3"]) == 2
    assert main(["generate", ws, *words, "--take", "3"]) == 2
    assert main(["generate", ws, *words, *batch[:-1], "Nobody"]) == 1


def test_that_two_runs_order_a_batch_by_their_disagreement(app: Application, trained_run: RunFolder) -> None:
    record = app.generations.planned(request_of(trained_run))
    assert record.runs == {"r" * 32: record.a.run_name}
    policy = BatchWish("b", 1, (ANN,), take=3, random=1, rule="disagreement").policy(7, ["r1", "r2"])
    assert (policy.order, policy.runs, policy.limit, policy.random_share) == ("disagreement", ("r1", "r2"), 4, 0.25)
    assert policy.filter == PairFilter(label="none", source_id=7)
