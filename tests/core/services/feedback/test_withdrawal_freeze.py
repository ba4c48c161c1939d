"""A freeze after a withdrawal leaves out exactly what the withdrawal named, whatever the policy; an end by date too."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain import aggregation as why
from core.domain.consent import Consent
from core.domain.conversation import Prompt
from core.domain.dataset import DatasetVersion, FreezePolicy
from core.domain.errors import BadInput
from core.domain.feedback import FeedbackContent
from core.domain.ids import sha256_json
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store import freeze_snapshot
from tests.fakes.workspaces import fill, opened, person, prefer

ANN, LATER = 1, 4_000_000_000_000
POLICIES = [FreezePolicy(splits=(1.0, 0.0, 0.0), require_consent=needed) for needed in (True, False)]


def label_all(app: Application, reviewer: int) -> None:
    queue = app.annotation.open_queue(QueueSettings(reviewer, 1))
    for shown in app.annotation.next(queue, 100):
        app.annotation.commit(shown.presentation_uid, prefer(2))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    """Six pairs of source 1, four of source 2 and four of feedback, all of which Ann and Bo have labelled."""
    with opened(tmp_path / "ws") as app:
        fill(app.store, 4, "other")
        bo = person(app.store, "Bo").id
        said = [
            FeedbackContent("correction", Prompt.from_text(f"Is it {n}?"), f"{n}.", f"{n + 1}.", author=f"u{n}")
            for n in range(4)
        ]
        ids = [app.feedback.add(one, Consent("granted")).value.id for one in said]
        app.triage.to_labelling(ids, ANN)
        app.changesets.create("C", ANN)
        app.changesets.add_events("C", ids, "what people corrected")
        app.changesets.approve("C", bo)
        label_all(app, ANN)
        label_all(app, bo)
        yield app


def pairs_of(app: Application, version: DatasetVersion) -> set[int]:
    return {item.pair_id for item in app.datasets.items(version.id)}


def given_by(app: Application, subject: str, key: int) -> set[int]:
    """Return the pairs of a subject, read another way than the program reads them."""
    if subject == "pair":
        return {key}
    if subject == "feedback":
        return set(app.feedback.get(key).pair_ids)
    details = [app.pairs.detail(pair_id) for pair_id in app.pairs.ids()]
    return {one.id for one in details if key in {found.source.id for found in one.sources}}


@pytest.mark.parametrize("policy", POLICIES, ids=["needs consent", "accepts any"])
@pytest.mark.parametrize("seed", range(3))
def test_that_a_freeze_leaves_out_exactly_what_was_withdrawn(app: Application, policy: FreezePolicy, seed: int) -> None:
    draw = random.Random(seed)
    before = app.datasets.freeze("d", policy).value
    everything = pairs_of(app, before)
    assert len(everything) == 14
    subjects = [("pair", key) for key in range(1, 11)] + [("feedback", key) for key in range(1, 5)] + [("source", 2)]
    chosen = draw.sample(subjects, 4)
    expected: set[int] = set()
    for subject, key in chosen:
        affected = app.consent.withdraw(subject, key).value.affected
        assert set(affected.pairs) == given_by(app, subject, key), subject
        assert set(affected.versions[0].pair_ids) == given_by(app, subject, key)
        expected |= given_by(app, subject, key)
    after = app.datasets.freeze("d", policy).value
    diff = app.datasets.diff(before.id, after.id)
    assert set(diff.removed) == expected == everything - pairs_of(app, after)
    assert (diff.added, diff.flipped, diff.restrengthened, diff.moved) == ((), (), (), ())
    (left,) = after.left_out
    assert (left.reason, set(left.pair_ids)) == (why.CONSENT_WITHDRAWN, expected)
    assert pairs_of(app, before) == everything, "a frozen version never changes"
    for subject, key in chosen:
        proof = app.consent.proof(subject, key)
        counts = [len(given_by(app, subject, key) & pairs_of(app, one)) for one in (before, after)]
        assert [one.held for one in (*proof.before, *proof.after)] == counts and counts[1] == 0 and proof.holds


@pytest.mark.parametrize("policy", POLICIES, ids=["needs consent", "accepts any"])
def test_that_an_end_by_date_counts_from_that_moment_on(
    app: Application, policy: FreezePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.consent.state("source", 2, Consent("granted", expires_ms=LATER))
    app.consent.state("feedback", 1, Consent("granted", expires_ms=LATER))
    own = app.feedback.get(1).pair_ids
    for now, gone in ((LATER - 1, set[int]()), (LATER, {7, 8, 9, 10, *own})):
        monkeypatch.setattr(freeze_snapshot, "now_ms", lambda now=now: now)
        plan = app.datasets.plan(policy)
        assert {key for entry in plan.left_out for key in entry.pair_ids} == gone
        assert plan.counts["items"] == 14 - len(gone)


def test_that_a_pair_of_a_withdrawn_source_enters_no_changeset(app: Application) -> None:
    app.changesets.create("D", ANN)
    app.consent.withdraw("source", 2)
    with pytest.raises(BadInput, match="Consent for pair 7 is withdrawn"):
        app.changesets.add_pairs("D", [7], "again")


def test_that_one_withdrawal_is_enough_and_a_new_consent_brings_the_pair_back(app: Application) -> None:
    policy = POLICIES[1]
    app.consent.withdraw("source", 2)
    app.consent.withdraw("pair", 7)
    app.consent.state("source", 2, Consent("granted"))
    plan = app.datasets.plan(policy)
    assert [(entry.reason, entry.pair_ids) for entry in plan.left_out] == [(why.CONSENT_WITHDRAWN, (7,))]
    app.consent.state("pair", 7, Consent("granted"))
    assert app.datasets.plan(policy).left_out == ()


def test_that_the_file_of_a_proof_is_checked_item_by_item_and_says_what_is_no_longer_so(
    app: Application, tmp_path: Path
) -> None:
    policy, file = POLICIES[1], tmp_path / "proof.json"
    app.datasets.freeze("d", policy)
    app.consent.withdraw("source", 2)
    app.datasets.freeze("d", policy)
    assert app.consent.write_proof("source", 2, file).holds
    written = json.loads(file.read_text())
    assert [(one["title"], one["held"]) for one in (*written["before"], *written["after"])] == [
        ("d v1", 4),
        ("d v2", 0),
    ]
    assert written["chain_head"] and written["sentence"].endswith(" holds no item of other.")
    assert app.consent.check_proof(file) == []
    with pytest.raises(BadInput, match="exists already"):
        app.consent.write_proof("source", 2, file)
    forged = {**written, "before": [{**written["before"][0], "held": 0}]}
    file.write_text(json.dumps(forged))
    assert app.consent.check_proof(file) == ["The file was altered after it was written: its hash is another one."]
    again = {key: value for key, value in forged.items() if key != "sha256"}
    file.write_text(json.dumps({**again, "sha256": sha256_json(again)}))
    assert app.consent.check_proof(file) == ["d v1 holds 4 items of other, not 0 items."], "counted anew, not believed"
    file.write_text(json.dumps(written))
    app.consent.state("source", 2, Consent("granted"))
    (told,) = app.consent.check_proof(file)
    assert told.startswith("The consent for other was stated otherwise since")
    file.write_text(json.dumps({**written, "workspace": "another"}))
    with pytest.raises(BadInput, match="another workspace"):
        app.consent.check_proof(file)
