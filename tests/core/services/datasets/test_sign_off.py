"""The sign-off of a freeze: asked for by the workspace, given by somebody other than who labelled last, kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.errors import BadInput
from core.services.annotation.views import QueueSettings
from tests.fakes.workspaces import opened, person, prefer


def test_that_a_freeze_is_signed_by_somebody_other_than_who_labelled_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(tmp_path / "ws", 4) as app:
        bo = person(app.store, "Bo").id
        person(app.store, "Cy")
        for who in (1, bo):
            queue = app.annotation.open_queue(QueueSettings(who, 1))
            for shown in app.annotation.next(queue, 4):
                app.annotation.commit(shown.presentation_uid, prefer(2))
        now = app.datasets.sign_off()
        assert (now.wanted, now.editor, now.people) == (False, "Bo", ("Ann", "Cy"))
        first = app.datasets.freeze("a").value
        assert first.signed_off_by == ""
        app.datasets.ask_sign_off(True, 1)
        app.reviewers.set_active(3, False)
        for name, why in (("", "asks for a sign-off"), ("bo", "Bo labelled last"), ("Cy", "no active person 'Cy'")):
            with pytest.raises(BadInput, match=why):
                app.datasets.freeze("a", signed_off_by=name)
        assert len(app.datasets.list()) == 1
        made = app.datasets.freeze("a", signed_off_by=" ann ").value
        assert (made.signed_off_by, made.policy) == ("Ann", first.policy) and made.root_sha256 == first.root_sha256
        assert app.datasets.get("a v2").signed_off_by == "Ann"
        assert not [one for one in app.workspace.check().findings if one.serious]
    place = str(tmp_path / "ws")
    assert main(["freeze", place, "--name", "a"]) == 1
    assert "One of Ann can." in capsys.readouterr().err
    assert main(["freeze", place, "--name", "a", "--signed-off-by", "Ann", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signed_off_by"] == "Ann"
    assert main(["reviewers", place, "--sign-off", "off"]) == 0
    assert main(["freeze", place, "--name", "a"]) == 0
    assert main(["reviewers", place, "--sign-off", "maybe"]) == 2
