"""The review of a changeset: what is right, what the next freeze takes, approving and sending back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.consent import Consent
from core.domain.conversation import Prompt
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, UsageError
from core.domain.feedback import FeedbackContent, FeedbackKind
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.feedback.changeset_review import ChangesetReview
from tests.fakes.workspaces import opened, person, prefer

ANN = 1
TRAIN_ALL = FreezePolicy(splits=(1.0, 0.0, 0.0))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    """Six pairs that Ann labelled and froze; Bo is the second reviewer."""
    with opened(tmp_path / "ws") as app:
        person(app.store, "Bo")
        label_all(app)
        app.datasets.freeze("d", TRAIN_ALL)
        yield app


def label_all(app: Application) -> None:
    queue = app.annotation.open_queue(QueueSettings(ANN, 1))
    for shown in app.annotation.next(queue, 100):
        app.annotation.commit(shown.presentation_uid, prefer(2))


def pair_of(app: Application, number: int, consent: str = "granted", kind: FeedbackKind = "correction") -> int:
    """Return the event of a correction or an attack that was sent to labelling."""
    content = FeedbackContent(kind, Prompt.from_text(f"Is it {number}?"), f"{number}.", f"{number + 1}.")
    event = app.feedback.add(content, Consent(consent)).value
    second = "" if kind == "correction" else "I will not."
    app.triage.to_labelling([event.id], ANN, answer=second, attacks=True)
    return event.id


def checks(review: ChangesetReview) -> dict[str, tuple[int, int]]:
    return {check.words: (check.done, check.total) for check in review.checks}


def test_that_the_review_counts_what_is_right_and_says_what_the_next_freeze_leaves_out(app: Application) -> None:
    good, unknown, attack = pair_of(app, 1), pair_of(app, 2, "unknown"), pair_of(app, 3, kind="attack")
    app.changesets.create("C", ANN)
    app.changesets.add_events("C", [good, unknown, attack], "new", attacks=True)
    app.changesets.remove_pairs("C", [2], "twice")
    before = app.changesets.review("C")
    assert checks(before)["Labelled"] == (0, 3)
    label_all(app)
    review = app.changesets.review("C")
    assert checks(review) == {
        "Consent granted": (2, 3), "Outside every sealed test": (3, 3), "Not made of an attack": (2, 3),
        "Labelled": (3, 3), "Enters the next freeze": (1, 3),
    }  # fmt: skip
    pairs = {key: app.feedback.get(key).pair_ids[0] for key in (good, unknown, attack)}
    assert set(review.leaves_out) == {pairs[unknown], pairs[attack]}
    assert (review.version, review.before, review.after) == ("d v1", 6, 6)
    assert review.compared is not None and set(review.compared.by_changeset) == {2, pairs[good]}
    assert review.texts[pairs[good]].prompt.last_text == "Is it 1?"
    app.changesets.approve("C", 2)
    frozen = app.datasets.freeze("d", TRAIN_ALL).value
    assert {item.pair_id for item in app.datasets.items(frozen.id)} == {1, 3, 4, 5, 6, pairs[good]}
    assert frozen.counts["items"] == review.after


def test_that_texts_without_consent_are_in_no_review_and_their_pair_keeps_the_draft_from_approval(
    app: Application,
) -> None:
    event = pair_of(app, 1)
    app.changesets.create("C", ANN)
    app.changesets.add_events("C", [event], "new")
    app.consent.withdraw("feedback", event)
    review = app.changesets.review("C")
    assert review.texts == {} and checks(review)["Consent granted"] == (0, 1)
    with pytest.raises(BadInput, match="is withdrawn"):
        app.changesets.approve("C", 2)


def test_that_a_draft_is_sent_back_with_a_reason_and_waits_for_its_author_until_it_changes(app: Application) -> None:
    app.changesets.create("C", ANN)
    app.changesets.remove_pairs("C", [2], "twice")
    with pytest.raises(UsageError, match="says why"):
        app.changesets.send_back("C", 2, " ")
    with pytest.raises(BadInput, match="Ann made changeset C and cannot send it back"):
        app.changesets.send_back("C", ANN, "no")
    made = app.changesets.send_back("C", 2, "Pair 3 too.").value
    assert made.waits_for_author and (made.state, made.sent_back[0].by) == ("draft", "Bo")
    made = app.changesets.remove_pairs("C", [3], "as Bo says").value
    assert not made.waits_for_author and made.sent_back[0].reason == "Pair 3 too."
    assert app.changesets.approve("C", 2, opened=[entry.id for entry in made.entries]).value.state == "approved"
    with pytest.raises(BadInput, match="is approved"):
        app.changesets.send_back("C", 2, "too late")


def test_that_who_approves_has_opened_every_change_also_one_that_came_meanwhile(app: Application) -> None:
    app.changesets.create("C", ANN)
    seen = [entry.id for entry in app.changesets.remove_pairs("C", [2], "twice").value.entries]
    app.changesets.remove_pairs("C", [3], "came meanwhile")
    with pytest.raises(BadInput, match="1 change of C was not opened"):
        app.changesets.approve("C", 2, opened=seen)


def test_that_without_a_version_the_review_goes_by_the_default_policy(tmp_path: Path) -> None:
    with opened(tmp_path / "none") as app:
        label_all(app)
        app.changesets.create("C", ANN)
        app.changesets.remove_pairs("C", [1], "twice")
        review = app.changesets.review("C")
        assert (review.version, review.compared, review.after) == ("", None, 5)
