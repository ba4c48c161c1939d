"""`quality` by command: the keys that machines read, and the words for people."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.judgement import ReviewerKind
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from tests.core.cli.conftest import Said
from tests.fakes.workspaces import opened, person, prefer

Call = Callable[..., Said]


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    """Six pairs, labelled by Ann and by Bo, who differ on one."""
    with opened(tmp_path / "ws") as app:
        for who, last in ((1, 2), (person(app.store, "Bo").id, -2)):
            queue = app.annotation.open_queue(QueueSettings(who, 1))
            for shown, strength in zip(app.annotation.next(queue, 6), (-2, 2, -1, 1, 2, last), strict=True):
                app.annotation.commit(shown.presentation_uid, prefer(strength))
    return tmp_path / "ws"


def test_that_each_number_has_value_interval_and_n(call: Call, ws: Path) -> None:
    found = call("quality", ws, "--json").json()
    assert found["agreement"]["all"]["percent"]["value"] == pytest.approx(5 / 6)
    for key in ("alpha_nominal", "alpha_ordinal", "percent", "kappa", "ac2"):
        one = found["agreement"]["all"][key]
        assert one["n"] == 6 and one["lo"] <= one["value"] <= one["hi"]
    assert list(found["agreement"]["pair"]) == ["Ann / Bo"] and list(found["agreement"]["version"]) == ["Helpful 1.0.0"]
    assert found["reviewers"]["Bo"]["labels"] == 6 and found["reviewers"]["Bo"]["share"] == 0.5
    assert found["accounting"]["adds_up"] and found["accounting"]["reviewers"][0]["open"] == 0
    assert found["disagreed"] == [6]


def test_that_people_read_sentences_and_a_table(call: Call, ws: Path) -> None:
    said = call("quality", ws, "--pairs")
    assert said.code == 0 and "Different sides: #6" in said.out and "Reviewers: Ann / Bo" in said.out
    assert "Ann (human): 6 labels, 50 % of all" in said.out and "The counts add up." in said.out


def test_that_a_workspace_without_labels_says_what_is_needed(call: Call, tmp_path: Path) -> None:
    opened(tmp_path / "empty").close()
    assert "once two reviewers have labelled the same pairs" in call("quality", tmp_path / "empty").out
    assert call("quality", tmp_path / "empty", "--json").json()["agreement"]["all"] is None


def test_that_the_linter_names_each_finding_and_exits_1_where_a_rubric_contradicts_itself(
    call: Call, ws: Path, tmp_path: Path
) -> None:
    said = call("rubric", "lint", ws, "Helpful")
    assert said.code == 0 and "Helpful has no anchors." in said.out
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "name: Broken\npurpose: p\ntie_rule: equal\ncriteria:\n- id: a\n  name: A\n  question: Which is shorter?\n"
        "  anchors: {'-2': left shorter, '2': right shorter}\n  allowed: [Lists]\n  disallowed: [lists.]\n"
    )
    assert call("rubric", "publish", ws, broken).code == 0
    said = call("rubric", "lint", ws, "Broken 1.0.0", "--json")
    assert said.code == 1
    assert [(one["rule"], one["severity"], one["criterion"]) for one in said.json()] == [
        ("allowed_and_disallowed", "wrong", "a")
    ]


def test_that_reviewers_are_listed_added_and_renamed_with_their_labels(call: Call, ws: Path) -> None:
    assert call("reviewers", ws, "--add", "Cleo", "--rename", "Bo=Beau").code == 0
    rows = {row["name"]: row for row in call("reviewers", ws, "--json").json()}
    assert {name: row["labels"] for name, row in rows.items()} == {"Ann": 6, "Beau": 6, "Cleo": 0}
    assert {row["kind"] for row in rows.values()} == {"human"}
    assert "Write it as --rename OLD=NEW" in call("reviewers", ws, "--rename", "Ann").err
    assert "There is no reviewer 'Zoe'" in call("reviewers", ws, "--rename", "Zoe=Zed").err
    assert call("reviewers", ws, "--add", "ann").code == 1  # the name is taken, whatever the case


def test_that_one_person_or_nobody_is_the_lead(call: Call, ws: Path) -> None:
    def leads() -> list[str]:
        return [row["name"] for row in call("reviewers", ws, "--json").json() if row["lead"]]

    assert leads() == [] and call("reviewers", ws, "--lead", "Bo").code == 0 and leads() == ["Bo"]
    assert "There is no reviewer 'Zoe'" in call("reviewers", ws, "--lead", "Zoe").err and leads() == ["Bo"]
    with Application.open(ws) as app:
        person(app.store, "rule", ReviewerKind.SCRIPTED)
    assert "rule is no person; the lead is as before." in call("reviewers", ws, "--lead", "rule").err
    assert call("reviewers", ws, "--lead", "nobody").code == 0 and leads() == []


def test_that_the_table_of_reviewers_has_a_row_for_each_judgement_and_no_private_notes(
    call: Call, ws: Path, tmp_path: Path
) -> None:
    with Application.open(ws) as app:
        app.annotation.bookmark(1, 3, True, "a private note")
        spans = ({"side": "A", "start": 0, "end": 6, "tag": "good", "note": "hidden"},)
        newest = app.annotation.recent(1, 1)[0]
        app.annotation.amend(newest.id, prefer(-3, rationale="=clear", spans=spans, process={"active_ms": 4000}))
    out = tmp_path / "out.csv"
    assert "Wrote 12 judgements" in call("quality", ws, "--export", out).out
    text = out.read_text(encoding="utf-8")
    assert "a private note" not in text and "hidden" not in text
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 12 and {row["reviewer"] for row in rows} == {"Ann", "Bo"}
    last = next(row for row in rows if row["amended"])
    assert (last["verdict"], last["strength"], last["chosen_side"], last["active_ms"]) == ("prefer", "-3", "A", "4000")
    assert last["left_is"] in "AB" and '"tag":"good"' in last["marks"] and last["rationale"].endswith("=clear")
    assert not last["rationale"].startswith("=")  # a spreadsheet must not run it
    refused = call("quality", ws, "--export", tmp_path / "out.xlsx")
    assert (refused.code == 1 and "ends in .csv" in refused.err + refused.out) or "ending in .csv" in refused.err
