"""Licences of sources and reviewers: stated, shown, in the card, and asked for by a freeze."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, NotFound
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.store import events
from tests.fakes.workspaces import opened, person, prefer


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    """A workspace of four pairs without a licence: Ann labelled two of them, Bo three."""
    with opened(tmp_path / "ws", 4) as application:
        for who, labels in ((1, 2), (person(application.store, "Bo").id, 3)):
            queue = application.annotation.open_queue(QueueSettings(who, 1))
            for _ in range(labels):
                (shown,) = application.annotation.next(queue)
                application.annotation.commit(shown.presentation_uid, prefer(2))
        yield application


def _left_out(app: Application, *licences: str) -> dict[str, int]:
    plan = app.datasets.plan(FreezePolicy(licences=licences))
    return {"items": plan.counts["items"], **{one.reason: one.count for one in plan.left_out}}


def test_that_a_licence_of_a_reviewer_is_logged_and_the_newest_counts(app: Application) -> None:
    assert app.reviewers.licences() == {}
    assert app.reviewers.set_licence(2, "  CC  BY 4.0 ", by=1, reason="mail of May").value
    assert not app.reviewers.set_licence(2, "CC BY 4.0").value, "said already: nothing is logged"
    app.reviewers.set_licence(2, "MIT")
    app.reviewers.rename(2, "Boris")
    assert app.reviewers.licences() == {2: "MIT"}
    with app.store.read() as session:
        log = events.of_kind(session, "reviewer.licence")
    assert [one.summary for one in log] == [
        "Licence of the labels of Bo: CC BY 4.0", "Licence of the labels of Bo: MIT"
    ]  # fmt: skip
    assert log[0].detail == {"licence": "CC BY 4.0", "before": "", "reason": "mail of May"}
    stated = {one.name: one.licence for one in app.consent.list()}
    assert stated == {"made up": "", "Ann": "", "Boris": "MIT"}
    app.reviewers.set_licence(2, "not stated")
    assert app.reviewers.licences() == {}
    with pytest.raises(NotFound):
        app.reviewers.set_licence(99, "MIT")
    with pytest.raises(BadInput, match="line break"):
        app.reviewers.set_licence(2, "MIT\nand more")


def test_that_a_freeze_takes_only_labels_and_pairs_under_the_named_licences(app: Application) -> None:
    app.reviewers.set_licence(2, "cc-by-4.0")
    both = ("CC-BY-4.0", "not stated")
    assert _left_out(app) == {"items": 3, "not labelled": 1}
    assert _left_out(app, *both) == {"items": 3, "not labelled": 1}
    assert _left_out(app, "not stated") == {"items": 2, "not labelled": 1, "no label with an accepted licence": 1}
    assert _left_out(app, "CC-BY-4.0") == {"items": 0, "no source with an accepted licence": 4}


def test_that_a_label_that_came_with_a_file_needs_the_licence_of_every_source_of_its_pair(
    app: Application, tmp_path: Path
) -> None:
    row = {"prompt": "Why?", "response_a": "Because.", "response_b": "So.", "winner": "a"}
    for name, licence, extra in (("open", "MIT", []), ("closed", "NC", [{**row, "prompt": "How?"}])):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in [row, *extra]), encoding="utf-8")
        app.imports.run(path, licence=licence, consent="granted")
    assert _left_out(app, "MIT")["items"] == 0, "which of the two files the label came from is not known"
    assert _left_out(app, "mit", "nc")["items"] == 2
    (imported,) = [one.id for one in app.reviewers.list() if one.name == "open"]
    app.reviewers.set_licence(imported, "MIT")
    assert _left_out(app, "MIT")["items"] == 1


def test_that_a_licence_changes_no_hash_of_a_version_that_asks_for_none(app: Application) -> None:
    before = app.datasets.plan().root_sha256
    app.reviewers.set_licence(2, "MIT")
    assert app.datasets.plan().root_sha256 == before
    assert "licences" not in FreezePolicy().to_plain()
    policy = FreezePolicy.from_plain({"licences": "MIT, not stated"})
    assert policy.licences == ("MIT", "not stated") and FreezePolicy.as_stored(policy.to_plain()) == policy
    with pytest.raises(BadInput, match="licences cannot be"):
        FreezePolicy.from_plain({"licences": 3})


def test_that_card_page_and_table_of_judgements_name_the_licence(app: Application, tmp_path: Path) -> None:
    app.reviewers.set_licence(2, "CC-BY-4.0")
    app.consent.withdraw("reviewer", 1)
    version = app.datasets.freeze("set", FreezePolicy(licences=("not stated", "CC-BY-4.0"))).value
    app.datasets.export(version.id, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| Bo | human | CC-BY-4.0 | unknown | Helpful 1.0.0 | 3 |" in card and "| Ann |" not in card
    assert "| made up | not stated | granted | 3 |" in card
    view = app.datasets.view(version.id)
    assert [(one.name, one.note) for one in view.reviewers] == [("Bo", "human, CC-BY-4.0")]
    assert ("Licences", "only not stated, CC-BY-4.0") in view.policy
    app.quality.export(tmp_path / "all.csv")
    rows = list(csv.DictReader((tmp_path / "all.csv").open(encoding="utf-8", newline="")))
    assert {(row["reviewer"], row["licence"]) for row in rows} == {("Ann", ""), ("Bo", "CC-BY-4.0")}
