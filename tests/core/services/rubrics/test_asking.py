"""Asking for a change of a clause: who may ask for what, and the way of a request into the next version."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import BadInput
from core.domain.rubric import ChangeLevel, Criterion
from tests.fakes.workspaces import opened


def test_that_a_request_goes_into_the_draft_as_its_note_and_is_resolved_by_the_version(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 2) as app:
        asked = app.rubrics.ask_change(1, "Say what helping is.", 1, clause="help", pair_id=2).value
        assert (asked.clause, asked.pair_id, asked.author_id, asked.state) == ("help", 2, 1, "open")
        assert app.rubrics.list()[0].requests == (asked,)
        draft = app.rubrics.draft_of_requests(1).value
        assert draft.change_note == "Helpful: Say what helping is."
        body = type(draft.body)(draft.body.purpose, (Criterion("help", "Helpful", "Which solves the task?"),))
        app.rubrics.save_draft(draft.id, body)
        version = app.rubrics.publish(draft.id, ChangeLevel.MAJOR).value
        (done,) = app.rubrics.requests()
        assert (done.state, done.version_id) == ("resolved", version.id) and version.change_note == draft.change_note
        assert "rubric.ask" in [event.op for event in app.workspace.activity(9)]


def test_that_a_request_without_words_clause_or_pair_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 2) as app:
        for words, clause, pair, said in (
            (" ", "help", None, "needs words"),
            ("Say more.", "tone", None, "no clause 'tone'"),
            ("Say more.", "", 9, "no pair 9"),
        ):
            with pytest.raises(BadInput, match=said):
                app.rubrics.ask_change(1, words, 1, clause=clause, pair_id=pair)
        assert app.rubrics.requests() == []
