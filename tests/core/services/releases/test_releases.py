"""From an evaluation to a release that comes out the same when it is measured again."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import durable
from core.cli.app import main
from core.domain.changes import Changes
from core.domain.errors import BadInput, NotFound, StorageFull, UsageError, UserError
from core.domain.release_gate import GateCheck, GateDecision
from core.domain.votes import VoteRequest
from core.runs.evaluations.folder import OUTCOMES, EvaluationFolder
from core.services.application import Application
from core.services.judging.service import JudgeRequest
from core.services.releases import failures as failures_module
from core.services.releases.contract import Signed
from core.services.releases.making import require_releasable
from core.services.releases.verifying import deltas, verify_contract
from core.services.releases.views import ReleaseRequest
from core.services.thresholds.service import ScoredSet, ThresholdRequest
from core.store.sqlite.database import Store
from tests.fakes.exports import export_here

SIGNED = Signed("r1", "kind", "ben", "ann", "", 1)
PASSED = GateDecision((GateCheck("leaks", "vetoes", "Leaks", "passed", "None."),))
FAILED = GateDecision((GateCheck("leaks", "vetoes", "Leaks", "failed", "One item."),))


def test_that_only_a_passed_gate_and_another_person_make_a_release() -> None:
    require_releasable(PASSED, SIGNED)
    with pytest.raises(UserError, match=r"The gate says: Failed\. Nothing was released\. Leaks: One item\."):
        require_releasable(FAILED, SIGNED)
    require_releasable(FAILED, replace(SIGNED, despite="A demonstration."))
    assert (
        replace(SIGNED, despite="A demonstration.").first_line(FAILED).startswith("RELEASED DESPITE THE GATE (Failed)")
    )
    for approver, message in (("", "Nobody approves"), ("ANN", "cannot approve its release")):
        with pytest.raises(UserError, match=message):
            require_releasable(PASSED, replace(SIGNED, approver=approver, despite="I want to."))


@pytest.mark.parametrize("key", ["files", "sealed_test"])
def test_that_no_reason_releases_what_was_altered(key: str) -> None:
    altered = GateDecision((GateCheck(key, "evidence", "Files", "failed", "They were altered."),))
    with pytest.raises(BadInput, match=r"Nothing was released\. Files: They were altered\."):
        require_releasable(altered, replace(SIGNED, despite="A demonstration."))


def test_that_the_gate_of_an_evaluation_without_people_is_insufficient(app: Application, evaluation: str) -> None:
    decision = app.releases.gate(evaluation, approver="ben")
    states = {check.key: check.state for check in decision.checks}
    assert decision.outcome == "insufficient"
    assert (states["files"], states["sealed_test"], states["win_rate"]) == ("passed", "insufficient", "insufficient")
    assert (states["looks"], states["leaks"], states["failure_queue"]) == ("insufficient",) * 3


def test_that_a_failure_is_opened_before_it_is_tagged_and_both_count(app: Application, evaluation: str) -> None:
    queue, folder = app.releases.failures, app.releases.find(evaluation)
    ann = app.reviewers.add("ann").value.id
    found = queue.queue(folder)
    assert {"failed_check/checked v1/c0", "failed_check/checked v1/c1"} <= {one.failure.key for one in found}
    assert (queue.coverage(folder).total, queue.coverage(folder).done) == (len(found), 0)
    key = found[0].failure.key
    with pytest.raises(UsageError, match="Nobody has opened"):
        queue.tag(folder, key, ann, "policy")
    queue.open(folder, key, ann)
    with pytest.raises(UsageError, match="no tag 'bad'"):
        queue.tag(folder, key, ann, "bad")
    queue.tag(folder, key, ann, "policy", "Too short.")
    sent = queue.send(folder, key, ann, "dataset").value
    event = app.feedback.get(sent.event_id)
    assert event.content is not None and event.content.answer and "leak gate" in sent.notes[-1]
    with pytest.raises(UsageError, match="Which rubric"):
        queue.send(folder, key, ann, "rubric")
    again = queue.queue(folder)[0]
    assert (again.opened_by, again.tag, again.note, again.sent) == (("ann",), "policy", "Too short.", ("dataset",))
    assert queue.coverage(folder).done == 1
    with pytest.raises(NotFound, match="no 'nothing'"):
        queue.open(folder, "nothing", ann)


def test_that_the_failures_of_an_unchanged_evaluation_are_computed_once(
    app: Application, evaluation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    real = failures_module.cases_of
    monkeypatch.setattr(failures_module, "cases_of", lambda one: computed.append(str(one.path)) or real(one))
    folder, failures = app.releases.find(evaluation), app.releases.failures
    key = failures.queue(folder)[0].failure.key
    computed.clear()
    outcome = failures.open(folder, key, app.reviewers.add("eve").value.id)
    assert failures.queue(folder)[0].opened_by[-1] == "eve"
    assert (computed, outcome.changes) == ([], Changes.FAILURES)
    os.utime(folder.path / OUTCOMES, ns=(1, 1))
    failures.coverage(folder)
    assert computed == [str(folder.path)]


def test_that_nothing_is_concluded_from_an_altered_evaluation(
    app: Application, evaluation: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = EvaluationFolder(tmp_path / "evaluations" / "copy")
    shutil.copytree(app.evaluations.find(evaluation).path, copy.path)
    name, queue = str(copy.path), app.releases.failures
    assert queue.queue(copy) == queue.queue(app.evaluations.find(evaluation))
    assert main(["evaluations", str(tmp_path), name, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["problems"] == [] and shown["costs"]["aligned"]["seconds_per_answer"]["unit"] == "s"
    copy.evidence_file.write_text(copy.evidence_file.read_text().replace('"n": 6', '"n": 9'))
    for conclude in (
        lambda: queue.queue(copy),
        lambda: app.proxies.register(name),
        lambda: app.audits.draw(name),
        lambda: app.votes.plan(VoteRequest(name)),
        lambda: app.judging.ask(JudgeRequest(name, "aligned", "reference", "http://127.0.0.1:9", 1)),
    ):
        with pytest.raises(BadInput, match=r"not what was measured: evidence\.json .*Nothing was concluded"):
            conclude()
    assert queue.coverage(copy).total, "the gate says itself that the evidence does not hold"
    assert main(["evaluations", str(tmp_path), name]) == 1
    assert "These numbers are not what was measured." in capsys.readouterr().err
    assert main(["evaluations", str(tmp_path), name, "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 1


def test_that_an_evaluation_is_told_in_the_mix_of_feedback(app: Application, evaluation: str) -> None:
    whole = app.reweighing.reweigh(evaluation, "rankings", "side", weights={"even": 3, "odd": 1})
    (metric,) = [one for one in whole.metrics if one.metric == "ranking_accuracy"]
    assert (whole.covered, whole.own, metric.policy.n) == (1.0, {"even": 0.5, "odd": 0.5}, 5)
    like = app.reweighing.reweigh(evaluation, "rankings v1", "side", like="rankings")
    assert (dict(like.mix), like.origin) == ({"even": 0.5, "odd": 0.5}, "suite rankings v1, 6 items")
    for suite, weights, error, words in (
        ("none", None, NotFound, "no open suite 'none'"),
        ("checked", None, UsageError, "checked v1 has no slice 'side'"),
        ("rankings", None, UsageError, "Feedback says nothing of 'side'"),
        ("rankings", {"left": 1.0}, UsageError, "No item of rankings v1 is in the target mix"),
    ):
        with pytest.raises(error, match=words):
            app.reweighing.reweigh(evaluation, suite, "side", weights=weights)


@pytest.fixture(scope="module")
def released(app: Application, evaluation: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "release"
    scores, truth = [0.1, 0.2, 0.8, 0.9], [False, False, True, True]
    app.thresholds.save(ThresholdRequest("harm", "rules 1", ScoredSet("dev", scores, truth)))
    app.thresholds.confirm("harm", ScoredSet("held out", scores, truth))
    request = ReleaseRequest(evaluation, out, "ben", "Kind 1", thresholds=("harm",), despite="It is <a> demonstration.")
    with pytest.MonkeyPatch.context() as patch:
        export_here(patch)
        app.releases.make(request)
    return out


def test_that_a_release_is_refused_with_the_reasons_and_leaves_nothing(
    app: Application, evaluation: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="Insufficient evidence") as refused:
        app.releases.make(ReleaseRequest(evaluation, tmp_path / "out", "ben"))
    assert "Sealed test" in refused.value.message
    assert list(tmp_path.iterdir()) == []


def test_that_a_release_that_the_workspace_could_not_note_leaves_no_folder(
    app: Application, evaluation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Store.write

    def full(self: Store, job: Any, label: str, *rest: Any) -> Any:
        if label != "noting a release":
            return real(self, job, label, *rest)
        assert (tmp_path / "out" / "contract.json").is_file()
        raise StorageFull("There is no room left.")

    export_here(monkeypatch)
    before = app.releases.list()
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        with pytest.raises(StorageFull):
            app.releases.make(ReleaseRequest(evaluation, tmp_path / "out", "ben", despite="A demonstration."))
    assert list(tmp_path.iterdir()) == [] and app.releases.list() == before


def test_that_a_release_is_one_verified_folder_that_says_first_that_the_gate_did_not_pass(
    app: Application, released: Path
) -> None:
    durable.verify_folder(released)
    contract = json.loads((released / "contract.json").read_text())
    assert next(iter(contract)) == "status"
    first = "RELEASED DESPITE THE GATE (Insufficient evidence): It is <a> demonstration."
    assert contract["status"].startswith(first)
    card = (released / "MODEL_CARD.md").read_text()
    assert card.startswith(first)
    layout, config = contract["policy"]["trained"]["adapter"], contract["policy"]["config"]
    assert (config["lora_r"], config["lora_alpha"]) == (layout["r"], layout["alpha"])
    assert f"{layout['numbers']:,} numbers in float32" in card and "the base without the adapter" in card
    assert f"- steps: {contract['policy']['trained']['step']} of " in card and "6 training pairs, seed" in card
    assert [one["number"] for one in contract["thresholds"]] == [2]
    pairs = (released / "DATASET_CARD.md").read_text()
    assert "6 pairs trained the policy" in pairs and contract["policy"]["inputs"]["pairs"] in pairs
    assert (released / "adapter" / "adapter_model.safetensors").is_file()
    html = (released / "report.html").read_text()
    assert html.index("RELEASED DESPITE") < html.index("<h2>1 Object") < html.index("<h2>2 Loss")
    assert html.index("<h2>2 Loss") < html.index("<h2>3 Side effects") < html.index("Audits that were not done")
    assert "<svg" in html and "<script" not in html and "<a> demonstration" not in html
    assert re.findall(r'(?:src|href)="', html) == []
    info = app.releases.list()[0]
    assert (info.name, info.approver, info.outcome) == ("Kind 1", "ben", "insufficient")
    assert app.releases.problems() == []


def test_that_a_contract_measured_again_gives_the_same_numbers(released: Path) -> None:
    found = verify_contract(released)
    assert len(found.deltas) > 20
    assert found.largest == 0, found.deltas[:3]
    assert found.to_plain()["max_delta"] == 0


@pytest.mark.slow  # a process that imports torch; the test above measures again in this one
def test_that_a_verification_in_a_process_of_its_own_is_noted_for_good(app: Application, released: Path) -> None:
    told: list[tuple[int, int, str]] = []
    assert app.releases.get("Kind 1").verified == ""
    found = app.releases.verify("Kind 1", on_progress=lambda *row: told.append(row)).value
    assert found.verified.endswith("all equal (max |delta| 0).")
    assert found.came_out_equal and app.releases.list()[0].came_out_equal
    assert app.releases.list()[0].verified == found.verified and app.releases.list()[0].verified_ms > 0
    done, total, _ = told[-1]
    assert done == total > 20


def test_that_an_altered_release_is_refused(released: Path, tmp_path: Path) -> None:
    other = tmp_path / "copy"
    other.mkdir()
    for path in released.rglob("*"):
        target = other / path.relative_to(released)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            target.write_bytes(path.read_bytes())
    (other / "contract.json").write_text((other / "contract.json").read_text().replace("Kind 1", "Kind 2"))
    with pytest.raises(BadInput, match=r"contract\.json"):
        verify_contract(other)
    with pytest.raises(NotFound, match="holds no release"):
        verify_contract(tmp_path)


def test_that_check_workspace_tells_of_a_release_that_was_altered(app: Application, released: Path) -> None:
    def told() -> list[str]:
        return [found.message for found in app.workspace.check().findings if found.check == "releases"]

    assert told() == []
    card = released / "MODEL_CARD.md"
    whole = card.read_bytes()
    card.write_bytes(whole + b"It is safe.")
    try:
        assert len(told()) == 1 and "Kind 1" in told()[0] and "MODEL_CARD.md" in told()[0]
        assert told() == app.releases.problems()
        (released / "contract.json").rename(released / "hidden.json")
        assert "contract.json is missing" in told()[0]
        (released / "hidden.json").rename(released / "contract.json")
    finally:
        card.write_bytes(whole)
    assert told() == []


def test_that_deltas_name_what_changed_and_what_is_missing() -> None:
    before = {"suites": {"s": {"metrics": {"m": {"aligned": {"value": 1.0, "n": 3}}}}}}
    after = {"suites": {"s": {"metrics": {"m": {"aligned": {"value": 1.5, "n": 3}}, "x": {"aligned": {"value": 1.0}}}}}}
    sizes = {(delta.metric, delta.part): delta.size for delta in deltas(before, after)}
    assert sizes == {("m", "value"): 0.5, ("m", "n"): 0.0, ("x", "value"): float("inf")}


def test_that_a_release_is_withdrawn_with_a_reason_and_once(app: Application, released: Path) -> None:
    info = app.releases.list()[0]
    with pytest.raises(UsageError, match="with a reason"):
        app.releases.withdraw(info.release_id, "cleo", " ")
    gone = app.releases.withdraw(info.release_id, "cleo", "It flatters.").value
    assert (gone.withdrawn, gone.withdrawn_by) == ("It flatters.", "cleo")
    with pytest.raises(UsageError, match="withdrawn already"):
        app.releases.withdraw(info.name, "cleo", "Again.")
    ops = [event.op for event in app.workspace.activity(50)]
    assert {"release.make", "release.withdraw"} <= set(ops)
    same = app.releases.compare(info.release_id, info.release_id)
    assert not (same.policy or same.data or same.measurement or same.decision)
    assert {row.same_items.value for row in same.bought if row.same_items} == {0.0}
