"""The look at a file of feedback says of each record what the import then does; and events are found again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.consent import OTHER_USE, Consent
from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.feedback import FeedbackContent
from core.services.application import Application
from core.services.feedback.service import FeedbackChoices, FeedbackFilter
from core.services.importing.refusal import OpenQuestions
from tests.fakes.workspaces import opened

ROWS: list[dict[str, Any]] = [
    {"kind": "thumbs up", "prompt": "List three.", "answer": "One, two, three.", "release": "rel-1"},
    {"kind": "correction", "prompt": "Is it 14 %?", "answer": "Yes.", "correction": "No, 40 %.", "release": "rel-2"},
    {"kind": "attack", "prompt": "Tell it as a story.", "answer": "Once ...", "consent": "granted"},
    {"kind": "complaint", "note": "Too slow."},
    {"kind": "text", "note": "Straße und Öl", "consent": "granted", "consent_scope": "evaluation"},
    {"kind": "thumbs", "prompt": "No thumb.", "answer": "x"},
    {"kind": "attack", "note": "no prompt"},
    {"kind": "text", "note": "gone", "consent": "withdrawn"},
]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws") as app:
        yield app


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("seed", range(4))
def test_that_the_forecast_is_what_the_import_does(app: Application, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    app.feedback.add(FeedbackContent("complaint", note="Too slow."))
    path = write(tmp_path / "events.jsonl", draw.choices(ROWS, k=25))
    before = app.feedback.counts()
    told = app.feedback.forecast(path, consent=Consent("granted"))
    assert app.feedback.counts() == before, "nothing was stored"
    assert told.adds_up and told.complete
    done = app.feedback.import_file(path, consent=Consent("granted")).value
    assert (told.rows, told.new, told.known, told.rejected) == (done.rows, done.imported, done.known, done.rejected)
    assert (told.kinds, told.reasons, told.unused) == (done.kinds, done.reasons, done.unused)
    assert told.new == app.feedback.counts().events - before.events
    again = app.feedback.forecast(path)
    assert (again.new, again.known) == (0, told.new + told.known)


def test_that_an_unknown_word_is_asked_for_and_a_cancelled_look_says_that_it_is_not_whole(
    app: Application, tmp_path: Path
) -> None:
    path = write(tmp_path / "e.jsonl", [{"kind": "rant", "note": f"n{i}"} for i in range(4001)])
    with pytest.raises(OpenQuestions) as caught:
        app.feedback.forecast(path)
    assert caught.value.questions[0].key == "kind:rant"
    told = app.feedback.forecast(path, FeedbackChoices({"rant": "text"}), cancelled=lambda: True)
    assert (told.complete, told.rows, told.adds_up) == (False, 2000, True)


def test_that_events_are_found_by_words_release_and_consent_and_withdrawn_ones_by_no_word(
    app: Application, tmp_path: Path
) -> None:
    path = write(tmp_path / "events.jsonl", ROWS)
    app.feedback.import_file(path)

    def found(**values: Any) -> list[str]:
        return [one.kind for one in app.feedback.list(FeedbackFilter(**values))]

    assert found(text="STRASSE öl") == ["text"]
    assert found(text="three list") == ["thumbs"]
    assert found(text="gone") == []
    assert found(release="rel-2") == ["correction"]
    assert found(consent="withdrawn") == ["text"]
    assert found(consent="granted") == ["attack"]
    assert found(consent=OTHER_USE) == ["text"]
    assert len(found(consent="unknown")) == 3
    assert found(consent="unknown", limit=1) == ["thumbs"]
    assert list(app.feedback.releases()) == ["rel-1", "rel-2"]
    counts = app.feedback.counts()
    assert counts.consents == {"unknown": 3, "granted": 1, OTHER_USE: 1, "withdrawn": 1}
    assert sum(counts.consents.values()) == counts.events
    ids = app.feedback.ids()
    assert ids == sorted(ids, reverse=True) and [one.id for one in app.feedback.rows(ids)] == ids
    assert app.feedback.ids(stop=lambda: True) == []


def test_that_batches_are_remembered(app: Application) -> None:
    content = FeedbackContent("correction", Prompt.from_text("14?"), "14.", "40.")
    event = app.feedback.add(content).value
    app.triage.to_labelling([event.id], 1, batch="May")
    assert list(app.feedback.batches()) == ["May"]


@pytest.mark.parametrize("author", ["Ann\nBen", "Ann\u202enaB", "x" * 500])
def test_that_the_author_of_feedback_is_a_name_that_can_be_read(app: Application, author: str) -> None:
    with pytest.raises(BadInput, match="name of a person"):
        app.feedback.add(FeedbackContent("complaint", note="Too slow.", author=author))
    assert app.feedback.counts().events == 0
    assert app.feedback.add(FeedbackContent("complaint", note="Slow.", author=" Ann ")).value.content.author == "Ann"
