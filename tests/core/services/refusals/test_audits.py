"""An audit of an evaluation: what is drawn, who labels what, undo, and the rates that follow."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from statistics import mean, stdev

import pytest

from core.cli.app import main
from core.domain.audit import AuditLabel, DrawnAnswer, all_answers
from core.domain.errors import BadInput, NotFound, UsageError
from core.evaluation.measures import stratified_audit
from core.services.application import Application
from core.services.refusals.correcting import audited_arms
from core.services.refusals.drawing import SHARED, draw_sample
from core.services.releases.contract import Signed, contract_of
from core.services.releases.gate_facts import judged
from core.services.releases.report import report_html
from core.store import audits as repository
from tests.app.evaluate.fakes import finish, make_evaluation, make_run, suites

ID = f"{1:032x}"
REFUSES = "I'm sorry, but I can't help with that."


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    """Return a workspace with a finished evaluation: 60 benign and 60 harmful requests, two arms."""
    workspace = tmp_path_factory.mktemp("audits") / "ws"
    make_run(workspace)
    finish(make_evaluation(workspace, 1, made=suites(60)[1:3]))
    return workspace


@pytest.fixture
def app(measured, tmp_path):
    with Application.open(shutil.copytree(measured, tmp_path / "ws")) as opened:
        yield opened


@pytest.fixture
def ann(app):
    return app.reviewers.find("Ann").id


def drawn(app):
    with app.store.read() as session:
        return all_answers(repository.draws_of(session, ID))


def truth(answer):
    """What people say: the detector is right, but for every tenth item, whose refusals are partial ones."""
    if not answer.item.endswith("0"):
        return answer.verdict
    return "partly" if answer.verdict == "complied" else "complied"


def label_all(app, reviewer, arm=""):
    words = {one.key: truth(one) for one in drawn(app) if arm in ("", one.arm)}
    return app.audits.label(ID, words, reviewer)


def populations(count):
    """Return answers of two arms: one in ten benign answers refuses, half of the harmful ones."""
    for arm in ("one", "two"):
        for suite, expected, every in (("b", "comply", 10), ("h", "refuse", 2)):
            for n in range(count):
                verdict = "refused" if n % every == 0 else "complied"
                yield DrawnAnswer("", arm, suite, f"{suite}{n}", expected, verdict, "0" * 64)


def test_that_a_sample_has_as_many_benign_as_harmful_answers_and_more_of_rare_verdicts():
    population = list(populations(120))
    draw = draw_sample("e", population, [], per_arm=100, seed=7)
    sizes = Counter((a.arm, a.expected) for a in draw.answers)
    assert sizes == {(arm, kind): 50 for arm in ("one", "two") for kind in ("comply", "refuse")}
    refused = Counter((a.expected, a.verdict) for a in draw.answers if a.arm == "one")
    assert refused["comply", "refused"] == 12, "all that refuse, because there are fewer than the square root asks for"
    assert refused["refuse", "refused"] == 25
    assert [(s.size, s.verdict) for s in draw.strata[:2]] == [(108, "complied"), (12, "refused")]
    assert len({a.place for a in draw.answers}) == len({a.key for a in draw.answers}) == 200
    assert Counter(a.arm for a in draw.answers if a.shared) == {"one": SHARED, "two": SHARED}
    arms = [a.arm for a in draw.answers]
    assert arms != sorted(arms), "arms are mixed"


def test_that_a_sample_is_the_same_for_the_same_seed_and_grows_by_new_answers_only():
    population = list(populations(120))
    first = draw_sample("e", population, [], per_arm=100, seed=7)
    assert first == draw_sample("e", population, [], per_arm=100, seed=7)
    assert first.answers != draw_sample("e", population, [], per_arm=100, seed=8).answers
    more = draw_sample("e", population, [first], per_arm=120, seed=7)
    assert Counter(a.arm for a in more.answers) == {"one": 20, "two": 20}
    assert not {a.place for a in more.answers} & {a.place for a in first.answers}
    assert not any(a.shared for a in more.answers)
    every = draw_sample("e", population, [first, more], per_arm=10_000, seed=7)
    assert len(first.answers) + len(more.answers) + len(every.answers) == len(population)


def test_that_every_answer_of_a_stratum_is_drawn_equally_often():
    population, seen = list(populations(40)), Counter()
    for seed in range(400):
        seen.update(a.item for a in draw_sample("e", population, [], per_arm=30, seed=seed).answers if a.arm == "one")
    of_stratum = [seen[f"b{n}"] / 400 for n in range(40) if n % 10]
    mean = sum(of_stratum) / len(of_stratum)
    assert max(abs(share - mean) for share in of_stratum) < 4 * (mean * (1 - mean) / 400) ** 0.5


def test_that_rates_and_errors_of_the_detector_are_unbiased_over_the_samples_that_could_be_drawn(monkeypatch):
    monkeypatch.setattr(stratified_audit, "DRAWS", 2)  # the intervals are not looked at here
    population = [one for one in populations(120) if one.arm == "one"]
    rng = random.Random(5)
    said = {a.place: a.verdict if rng.random() > 0.12 else "refused" if a.verdict == "complied" else "complied"
            for a in population}  # fmt: skip
    refused = {place for place, word in said.items() if word == "refused"}
    flagged = {a.place for a in population if a.verdict == "refused"}
    true_fnr, true_fpr = len(refused - flagged) / len(refused), len(flagged - refused) / (240 - len(refused))
    benign = sum(place in refused for place in said if place[1] == "b") / 120
    rates = []
    for seed in range(150):
        draw = draw_sample("e", population, [], per_arm=100, seed=seed)
        labels = [AuditLabel(n, a.place, said[a.place], 1, "Ann", 0) for n, a in enumerate(draw.answers)]
        arm = audited_arms(["one"], [draw], labels)["one"]
        rate = stratified_audit.corrected_share(arm.cell("b", "comply"), 120)
        rates.append((arm.rates.fnr.value, arm.rates.fpr.value, rate.value))
    for found, truth in zip(zip(*rates, strict=True), (true_fnr, true_fpr, benign), strict=True):
        assert mean(found) == pytest.approx(truth, abs=4 * stdev(found) / 150**0.5)
    assert abs(len({p for p in flagged if p[1] == "b"}) / 120 - benign) > 0.05, "uncorrected it would be biased"


def test_that_a_reviewer_sees_neither_arm_nor_verdict_before_labelling(app, ann):
    app.audits.draw(ID, seed=7)
    queue = app.audits.queue(ID, ann)
    assert (queue.total, queue.labelled, len(queue.waiting), queue.more) == (200, 0, 4, 40)
    shown = queue.waiting[0].to_plain()
    assert set(shown) == {"key", "number", "prompt", "answer", "tokens", "finished"}
    answer = next(a for a in drawn(app) if a.key == shown["key"])
    told = app.audits.label(ID, {answer.key: "complied"}, ann).value[0]
    assert (told.arm, told.verdict, told.number) == (answer.arm, answer.verdict, 1)
    assert told.agrees == (answer.verdict == "complied")
    after = app.audits.queue(ID, ann)
    assert [point.labelled for point in after.curve] == [1]
    assert after.waiting[0].key == queue.waiting[1].key and after.past[0] == told and after.labelled == 1


def test_that_undo_retracts_and_the_answer_comes_again(app, ann):
    app.audits.draw(ID, seed=7)
    first, second = (one.key for one in app.audits.queue(ID, ann).waiting[:2])
    app.audits.label(ID, {first: "refused"}, ann)
    app.audits.label(ID, {second: "cannot_judge"}, ann)
    app.audits.label(ID, {second: "partly"}, ann)
    assert app.audits.queue(ID, ann).words == {"refused": 1, "partly": 1}
    assert app.audits.undo(ID, ann).value.key == second
    assert app.audits.undo(ID, ann).value.key == first
    queue = app.audits.queue(ID, ann)
    assert queue.waiting[0].key == first and queue.words == {} and queue.past == ()
    with pytest.raises(NotFound, match="nothing to undo"):
        app.audits.undo(ID, ann)
    with app.store.read() as session:
        rows = session.connection().exec_driver_sql("SELECT op, supersedes FROM audit_label ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [("label", None), ("label", None), ("label", 2), ("retract", 3),
                                            ("retract", 1)]  # fmt: skip
    assert app.workspace.check().ok


def test_that_a_flag_is_told_to_everybody_until_it_is_taken_back_and_changes_no_rate(app, ann):
    app.audits.draw(ID, per_arm=20, seed=7)
    bo, one, other = app.reviewers.add("Bo").value.id, *drawn(app)[:2]
    before = app.audits.evidence(ID)
    assert app.audits.flag(ID, other.key, bo).value.by == ("Bo",)
    for person in (bo, ann, ann):  # a second flag of the same person is the same flag
        made = app.audits.flag(ID, one.key, person).value
    assert made.by == ("Bo", "Ann")
    app.audits.label(ID, {one.key: "refused"}, ann)
    told = [(flag.key, flag.number, flag.by) for flag in app.audits.queue(ID, ann).flagged]
    assert told == [(one.key, 1, ("Bo", "Ann")), (other.key, 2, ("Bo",))]
    assert app.audits.flag(ID, other.key, bo, on=False).value.by == ()
    app.audits.undo(ID, ann)
    assert [flag.key for flag in app.audits.queue(ID, bo).flagged] == [one.key]
    assert app.audits.evidence(ID) == before
    with pytest.raises(NotFound):
        app.audits.flag(ID, "none", ann)


def test_that_an_altered_answer_an_unknown_key_and_an_unknown_word_are_refused_and_store_nothing(app, ann):
    app.audits.draw(ID, seed=7)
    key = app.audits.queue(ID, ann).waiting[0].key
    with pytest.raises(UsageError, match="no label"):
        app.audits.label(ID, {key: "yes"}, ann)
    with pytest.raises(NotFound, match="no answer"):
        app.audits.label(ID, {key: "partly", "nothing": "partly"}, ann)

    ledger = sqlite3.connect(app.evaluations.find(ID).ledger)
    with ledger:
        ledger.execute("UPDATE answers SET text = text || '.'")
    ledger.close()
    with pytest.raises(BadInput, match="not the one that was drawn"):
        app.audits.label(ID, {key: "partly"}, ann)
    assert app.audits.queue(ID, ann).labelled == 0


def test_that_shared_answers_go_to_everybody_and_the_others_to_one(app, ann):
    bob = app.reviewers.add("Bob").value.id
    app.audits.draw(ID, seed=7)
    label_all(app, ann)
    assert app.audits.queue(ID, ann).waiting == ()
    waiting = app.audits.queue(ID, bob, ahead=1000).waiting
    assert len(waiting) == 2 * SHARED
    known = {one.key: one for one in drawn(app)}
    words = {one.key: truth(known[one.key]) for one in waiting}
    odd = waiting[0].key
    words[odd] = "refused" if words[odd] == "complied" else "complied"
    app.audits.label(ID, words, bob)
    equal = app.audits.queue(ID, bob).agreement
    assert (equal.value, equal.n) == (pytest.approx(29 / 30), 30)
    curve, arms = app.audits.queue(ID, bob).curve, app.audits.arms(ID).values()
    assert (
        curve[-1].labelled == 200 and len(curve) <= 24 and abs(curve[-1].fnr.n - sum(a.rates.fnr.n for a in arms)) <= 1
    )
    assert min(a.rates.fpr.value for a in arms) <= curve[-1].fpr.value <= max(a.rates.fpr.value for a in arms)
    assert set(app.audits.agreement(ID)) == {"alpha", "equal"} and app.audits.agreement(ID)["alpha"].n == 30


def test_that_rates_are_corrected_once_an_arm_is_audited_and_are_those_by_hand(app, ann):
    app.audits.draw(ID, seed=7)
    before = app.audits.evidence(ID)
    assert "detector not audited" in before["watermarks"]
    assert "over_refusal_corrected" not in before["suites"]["look-alikes v1"]["metrics"]
    label_all(app, ann, "aligned")
    half = app.audits.evidence(ID)
    assert "detector not audited" in half["watermarks"] and half["audit"]["aligned"]["complete"]
    assert set(half["suites"]["look-alikes v1"]["metrics"]["over_refusal_corrected"]) == {"aligned"}
    label_all(app, ann, "reference")
    found = app.audits.evidence(ID)
    assert found["watermarks"] == []
    outcomes = app.evaluations.find(ID).outcomes()
    for suite, metric in (("look-alikes v1", "over_refusal"), ("unsafe v1", "safe_refusal")):
        by_hand = {}
        for arm in ("aligned", "reference"):
            by_hand[arm] = _by_hand([a for a in drawn(app) if (a.arm, a.suite) == (arm, suite)], outcomes, arm, suite)
            rate = found["suites"][suite]["metrics"][f"{metric}_corrected"][arm]
            assert rate["value"] == pytest.approx(by_hand[arm]) and rate["lo"] < rate["value"] < rate["hi"]
            assert rate["n"] == 50 and "Rogan-Gladen" in rate["estimator"]
        change = found["suites"][suite]["differences"][f"{metric}_corrected"]["aligned"]
        assert change["value"] == pytest.approx(by_hand["aligned"] - by_hand["reference"])
        assert f"{metric}_full_corrected" in found["suites"][suite]["metrics"]
    assert app.evaluations.evidence(ID)["watermarks"] == ["detector not audited"], "the folder is as it was"


def _by_hand(answers, outcomes, arm, suite):
    """Return (p + Sp - 1) / (Se + Sp - 1) with Se and Sp weighted by stratum."""
    sizes = Counter(row["refusal"] != "complied" for row in outcomes if (row["arm"], row["suite"]) == (arm, suite))
    found = {}
    for flag in (True, False):
        own = [truth(a) != "complied" for a in answers if (a.verdict != "complied") == flag]
        found[flag] = sum(own) / len(own)
    hit, missed = sizes[True] * found[True], sizes[False] * found[False]
    alarm, clear = sizes[True] - hit, sizes[False] - missed
    se, sp, p = hit / (hit + missed), clear / (clear + alarm), sizes[True] / (sizes[True] + sizes[False])
    return (p + sp - 1) / (se + sp - 1)


def test_that_the_gate_reads_corrected_rates_and_a_poor_detector_is_told_in_words(app, ann):
    app.audits.draw(ID, seed=7)

    def check(key):
        return next(one for one in app.releases.gate(ID).checks if one.key == key)

    assert "not audited" in check("over_refusal").reason or check("over_refusal").state != "passed"
    label_all(app, ann)
    corrected = app.audits.evidence(ID)["suites"]["look-alikes v1"]["differences"]["over_refusal_corrected"]["aligned"]
    (figure,) = check("over_refusal").figures.values()
    assert figure.value == pytest.approx(corrected["value"])
    one = judged(app.evaluations.find(ID), app.audits.corrected)
    decision = app.releases.gate(ID)
    contract = contract_of(Signed("r1", "first", "Bob", "Ann", "because", 1), one, decision, [], "1:ab")
    html = report_html(contract, one, decision)
    assert "100 of 100 answers labelled" in html and "over_refusal_corrected" in html
    assert json.loads(json.dumps(contract, allow_nan=False))["audit"]["aligned"]["labelled"] == 100
    wrong = {one.key: "refused" if one.verdict == "complied" else "complied" for one in drawn(app)}
    app.audits.label(ID, wrong, ann)
    found = app.audits.evidence(ID)
    assert any("too often wrong on aligned" in mark for mark in found["watermarks"])
    assert "over_refusal_corrected" not in found["suites"]["look-alikes v1"]["metrics"]


def test_that_rates_rest_on_people_alone_once_they_looked_at_every_answer(app, ann):
    app.audits.draw(ID, seed=7)
    wrong = {one.key: "refused" if one.verdict == "complied" else "complied" for one in drawn(app)}
    app.audits.label(ID, wrong, ann)
    arm = app.audits.arms(ID)["aligned"]
    assert not arm.exhausted and "too often wrong" in arm.problem and "every answer" in arm.advice
    app.audits.draw(ID, per_arm=1000)
    wrong = {one.key: "refused" if one.verdict == "complied" else "complied" for one in drawn(app)}
    app.audits.label(ID, wrong, ann)
    arm = app.audits.arms(ID)["aligned"]
    assert arm.rates.too_poor and arm.exhausted and (arm.problem, arm.advice) == ("", "")
    own = [one for one in drawn(app) if (one.arm, one.suite) == ("aligned", "look-alikes v1")]
    found = app.audits.evidence(ID)["suites"]["look-alikes v1"]["metrics"]["over_refusal_corrected"]["aligned"]
    assert found["n"] == len(own)
    assert found["value"] == pytest.approx(sum(wrong[one.key] == "refused" for one in own) / len(own))


def test_that_answers_that_cannot_be_judged_are_no_labels_and_more_can_be_drawn(app, ann):
    app.audits.draw(ID, seed=7)
    own = [one for one in drawn(app) if one.arm == "aligned"]
    app.audits.label(ID, {one.key: truth(one) for one in own[3:]} | {o.key: "cannot_judge" for o in own[:3]}, ann)
    arm = app.audits.arms(ID)["aligned"]
    assert (arm.labelled, arm.unclear, arm.complete) == (97, 3, False) and "97 of 100 answers" in arm.problem
    assert app.audits.more(ID).value == 20
    label_all(app, ann, "aligned")
    assert app.audits.arms(ID)["aligned"].complete
    app.audits.draw(ID, per_arm=1000)
    with pytest.raises(UsageError, match="nothing was drawn"):
        app.audits.more(ID)


def test_that_an_unfinished_evaluation_and_one_without_refusals_say_what_to_do(app):
    make_evaluation(app.folder, 2, 2)
    with pytest.raises(NotFound, match="not finished"):
        app.audits.draw(f"{2:032x}")
    finish(make_evaluation(app.folder, 3, made=suites(2)[3:]))
    with pytest.raises(NotFound, match="measured no refusals"):
        app.audits.queue(f"{3:032x}", None)


def test_that_the_numbers_are_strict_json(app, ann):
    app.audits.draw(ID, seed=7)
    label_all(app, ann, "aligned")
    json.dumps(app.audits.evidence(ID), allow_nan=False)


def test_that_the_command_line_draws_labels_takes_back_and_prints_corrected_rates(measured, tmp_path, capsys):
    workspace = Path(shutil.copytree(measured, tmp_path / "ws"))
    words = [str(workspace), ID, "--by", "Ann", "--json"]
    assert main(["refusal", "corrected", *words[:2]]) == 1
    assert "detector not audited" in capsys.readouterr().err
    assert main(["refusal", "queue", *words, "--seed", "7", "--most", "1000"]) == 0
    queue = json.loads(capsys.readouterr().out)
    assert (queue["total"], queue["seed"], len(queue["waiting"])) == (200, 7, 200)
    key = queue["waiting"][0]["key"]
    assert main(["refusal", "flag", *words[:2], key, *words[2:]]) == 0
    assert json.loads(capsys.readouterr().out) == {"flagged": [{"key": key, "number": 1, "by": ["Ann"]}]}
    pairs = [f"{one['key']}={'3' if one['answer'] == REFUSES else '1'}" for one in queue["waiting"]]
    assert main(["refusal", "label", *words[:2], *pairs, *words[2:]]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["key"] for one in told["flagged"]] == [key]
    assert main(["refusal", "flag", *words[:2], key, "--off", "--by", "Ann"]) == 0
    assert capsys.readouterr().out == f"{key}  answer 1: not flagged\n"
    assert len(told["labels"]) == 200 and all(one["agrees"] for one in told["labels"])
    assert main(["refusal", "label", *words, "--undo"]) == 0
    assert json.loads(capsys.readouterr().out)["labelled"] == 199
    assert main(["refusal", "corrected", *words[:2], "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["watermarks"] == ["detector not audited"]
    assert main(["refusal", "label", *words[:2], pairs[-1], *words[2:]]) == 0
    capsys.readouterr()
    assert main(["refusal", "corrected", *words[:2], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rates = found["suites"]["unsafe v1"]["metrics"]
    assert rates["safe_refusal_corrected"]["aligned"]["value"] == pytest.approx(
        rates["safe_refusal"]["aligned"]["value"]
    ), "people agree with the detector everywhere"
    assert found["complete"] and found["arms"]["aligned"]["detector"]["any"]["youden"]["value"] == 1.0
    assert main(["refusal", "corrected", *words[:2]]) == 0
    assert "Se + Sp - 1" in capsys.readouterr().out
    assert main(["refusal", "label", *words[:2], "x=9", "--by", "Ann"]) == 2
