"""Feedback, changesets and consent by command: what enters a dataset version, and what leaves it again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import durable
from core.domain.conversation import Prompt
from core.domain.suite import Suite, SuiteItem
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.releases.names import MAKE
from core.store import events
from tests.core.cli.conftest import Said
from tests.fakes.workspaces import opened, prefer

Call = Callable[..., Said]
EVENTS: list[dict[str, Any]] = [
    {"kind": "correction", "prompt": "Is it 14 %?", "answer": "Yes, 14 %.", "correction": "No, 40 %.", "author": "u1"},
    {"kind": "thumbs_down", "prompt": "List three.", "answer": "Five bullets.", "author": "u2", "release": "rel-1"},
    {"kind": "thumbs up", "prompt": "List three.", "answer": "Three bullets."},
    {"kind": "attack", "prompt": "Tell it as a story.", "answer": "Once upon a time ...", "category": "safety"},
    {"kind": "complaint", "note": "Too slow."},
    {"kind": "free text", "text": "I like it.", "consent": "withdrawn"},
]
TRAIN_ALL = ("--set", "splits=[1,0,0]")


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    """A workspace with six pairs, all labelled by Ann, in a first dataset version."""
    with opened(tmp_path / "ws") as app:
        label_all(app)
    return tmp_path / "ws"


def label_all(app: Application, reviewer: int = 1) -> None:
    queue = app.annotation.open_queue(QueueSettings(reviewer, 1))
    for shown in app.annotation.next(queue, 100):
        app.annotation.commit(shown.presentation_uid, prefer(2))


@pytest.fixture
def filled(call: Call, ws: Path, tmp_path: Path) -> Path:
    """The workspace with six events, consent granted."""
    said = call("feedback", "import", ws, write(tmp_path / "events.jsonl", EVENTS), "--consent", "granted", "--json")
    assert (said.code, said.json()["imported"]) == (0, 6), said.err
    return ws


def log_release(app: Application, detail: dict[str, str]) -> None:
    context = app.store.write_context()
    app.store.write(lambda session: events.log(session, context, MAKE, "Released", detail=detail), "a test release")


def counts(call: Call, ws: Path) -> dict[str, Any]:
    found = call("feedback", "counts", ws, "--json").json()
    assert found.pop("adds_up")
    return found


def left(frozen: dict[str, Any]) -> dict[str, int]:
    return {entry["reason"]: entry["count"] for entry in frozen["left_out"]}


def freeze(call: Call, ws: Path, *more: str) -> dict[str, Any]:
    said = call("freeze", ws, "--name", "d", *TRAIN_ALL, *more, "--json")
    assert said.code == 0, said.err
    return said.json()


def sound(call: Call, ws: Path) -> None:
    said = call("check", ws, "--json")
    assert said.json()["findings"] == []


def test_that_every_record_of_a_file_is_accounted_for_and_a_second_import_adds_nothing(
    call: Call, ws: Path, tmp_path: Path
) -> None:
    rows = [
        *EVENTS,
        EVENTS[0],
        {"kind": "thumbs", "prompt": "p", "answer": "a"},
        {"kind": "attack", "note": "no prompt"},
    ]
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(("".join(json.dumps(r) + "\n" for r in rows) + "{broken\n").encode()))
    first = call("feedback", "import", ws, path, "--json").json()
    assert (first["rows"], first["imported"], first["known"], first["rejected"]) == (10, 6, 1, 3)
    assert first["kinds"] == {"correction": 1, "thumbs": 2, "attack": 1, "complaint": 1, "text": 1}
    listed = [json.loads(line) for line in Path(first["rejects_path"]).read_text().splitlines()]
    assert [entry["line"] for entry in listed] == [8, 9, 10]
    assert "thumb" in listed[0]["reason"] and "prompt" in listed[1]["reason"]
    again = call("feedback", "import", ws, path, "--json").json()
    assert (again["imported"], again["known"], again["rejected"]) == (0, 7, 3)
    table = tmp_path / "events.csv"
    table.write_text("kind,prompt,answer,thumb\nthumbs,Why?,Because.,-1\nthumbs,Why?,Because.,\n")
    said = call("feedback", "import", ws, table, "--json").json()
    assert (said["imported"], said["rejected"]) == (1, 1)
    assert counts(call, ws)["events"] == 7
    sound(call, ws)


def test_that_an_unknown_kind_or_thumb_is_asked_and_never_guessed(call: Call, ws: Path, tmp_path: Path) -> None:
    rows = [
        {"type": "bug", "text": "it broke"},
        {"type": "thumbs", "prompt": "p", "answer": "a", "rating": 5},
        {"text": "x"},
    ]
    path = write(tmp_path / "odd.jsonl", rows)
    asked = call("feedback", "import", ws, path)
    assert asked.code == 2
    for words in ("'bug' (1 record) is not known", "--kind bug=complaint", "--default-kind text", "--thumb 5=up"):
        assert words in asked.err
    assert counts(call, ws)["events"] == 0
    answers = ("--kind", "bug=skip", "--thumb", "5=up", "--default-kind", "text", "--json")
    said = call("feedback", "import", ws, path, *answers).json()
    assert (said["imported"], said["rejected"]) == (2, 1)
    refused = call("feedback", "import", ws, write(tmp_path / "no.jsonl", [{"x": 1}, {"x": 2}]))
    assert refused.code == 1 and "no column is known to hold a prompt or a note" in refused.err


def test_that_an_event_is_typed_in_once(call: Call, ws: Path) -> None:
    words = (
        "feedback",
        "add",
        ws,
        "complaint",
        "--note",
        "Too long.",
        "--author",
        "u7",
        "--at",
        "2026-11-28",
        "--json",
    )
    assert call(*words).json()["id"] == call(*words).json()["id"] == 1
    assert call("feedback", "add", ws, "thumbs", "--prompt", "p").code == 2
    shown = call("feedback", "show", ws, 1, "--json").json()
    assert (shown["source"], shown["content"]["author"], shown["state"]) == ("Typed in", "u7", "open")


def test_that_a_dry_run_stores_nothing_and_the_list_takes_consent_release_and_words(
    call: Call, ws: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "events.jsonl", EVENTS)
    told = call("feedback", "import", ws, path, "--dry-run", "--json").json()
    assert (told["rows"], told["new"], told["adds_up"]) == (6, 6, True)
    assert counts(call, ws)["events"] == 0
    assert "Nothing was stored." in call("feedback", "import", ws, path, "--dry-run").out
    call("feedback", "import", ws, path)
    for options, kinds in (
        (("--release", "rel-1"), ["thumbs"]),
        (("--consent", "withdrawn"), ["text"]),
        (("--find", "STORY tell"), ["attack"]),
    ):
        listed = call("feedback", ws, *options, "--json").json()
        assert [one["kind"] for one in listed] == kinds
    assert call("feedback", ws, "--consent", "perhaps").code == 2


def test_that_a_changeset_is_reviewed_and_sent_back_by_command(call: Call, ws: Path) -> None:
    call("feedback", "changeset", "new", ws, "C", "--by", "Ann")
    call("feedback", "changeset", "remove", ws, "C", "--pair", 2, "--reason", "twice")
    freeze(call, ws)
    told = call("feedback", "changeset", "review", ws, "C", "--json").json()
    assert (told["version"], told["before"], told["after"]) == ("d v1", 6, 5)
    assert "6 items -> 5" in call("feedback", "changeset", "review", ws, "C").out
    assert call("feedback", "changeset", "send-back", ws, "C", "--by", "Bo").code == 2, "a reason is needed"
    said = call("feedback", "changeset", "send-back", ws, "C", "--by", "Bo", "--reason", "Pair 3 too.")
    assert "Sent back by Bo" in said.out and "Pair 3 too." in said.out
    assert call("feedback", "send", ws, "text", "--run", "nowhere", "--item", "1", "--note", "n").code == 1
    assert call("feedback", "send", ws).code == 2


def test_that_triage_moves_events_logs_who_and_why_and_is_taken_back(call: Call, filled: Path) -> None:
    assert call("feedback", "triage", filled, 5, "--to", "reject", "--by", "Ann").code == 2, "a reason is needed"
    call("feedback", "triage", filled, 5, "--to", "reject", "--reason", "no text", "--by", "Ann")
    call("feedback", "triage", filled, 2, "--to", "rubric", "--rubric", "helpful", "--reason", "counts", "--by", "Ann")
    label = call("feedback", "triage", filled, 1, "--to", "label", "--by", "Bo", "--json").json()
    assert label["events"][0]["pairs"] == [7]
    assert counts(call, filled) | {"kinds": 0, "consents": 0} == {
        "events": 6, "open": 3, "triaged": 2, "rejected": 1, "waiting": 0, "withdrawn": 1, "kinds": 0, "consents": 0,
    }  # fmt: skip
    missing = call("feedback", "triage", filled, 99, "--to", "reject", "--reason", "x", "--by", "Zed")
    assert missing.code == 1 and "Zed" not in call("reviewers", filled).out, "what fails adds no reviewer"
    twice = call("feedback", "triage", filled, 1, "--to", "reject", "--reason", "x", "--by", "Ann")
    assert twice.code == 1 and "triaged already" in twice.err
    requests = call("feedback", "list", filled, "--to", "rubric", "--json").json()
    assert [(e["id"], e["decision"]["target"], e["decision"]["by"]) for e in requests] == [
        (2, {"rubric": "Helpful"}, "Ann")
    ]
    call("feedback", "triage", filled, 2, 5, "--undo", "--by", "Bo", "--reason", "too early")
    history = call("feedback", "show", filled, 5, "--json").json()["history"]
    assert [(h["op"], h["by"], h["reason"]) for h in history] == [
        ("reject", "Ann", "no text"),
        ("undo", "Bo", "too early"),
    ]
    assert "Feedback 5 (complaint): rejected" in call("log", filled).out
    assert counts(call, filled)["open"] == 5
    sound(call, filled)


def test_that_one_answer_waits_for_a_second(call: Call, filled: Path) -> None:
    first = call("feedback", "triage", filled, 2, "--to", "label", "--by", "Ann", "--json").json()
    assert first["events"][0]["waits"] and first["counts"]["waiting"] == 1
    second = call("feedback", "triage", filled, 3, "--to", "label", "--by", "Ann", "--json").json()
    assert second["counts"]["waiting"] == 0
    assert {tuple(e["pairs"]) for e in call("feedback", filled, "--to", "label", "--json").json()} == {(7,)}
    attack = call("feedback", "triage", filled, 4, "--to", "label", "--by", "Ann")
    assert attack.code == 1 and "is an attack" in attack.err
    words = ("--to", "label", "--attacks", "--answer", "I will not.", "--by", "Ann", "--json")
    assert call("feedback", "triage", filled, 4, *words).json()["events"][0]["pairs"] == [8]


def test_that_attacks_become_items_of_a_suite_and_leave_it_with_undo(call: Call, filled: Path) -> None:
    call("feedback", "triage", filled, 4, "--to", "suite", "--suite", "red", "--by", "Ann")
    asked = call("feedback", "triage", filled, 2, "--to", "suite", "--suite", "red", "--by", "Ann")
    assert asked.code == 2 and "--expect" in asked.err
    call("feedback", "triage", filled, 2, "--to", "suite", "--suite", "red", "--expect", "comply", "--by", "Ann")
    call("feedback", "triage", filled, 2, "--undo", "--by", "Ann")
    with Application.open(filled, read_only=True) as app:
        first, third = app.suites.get("red v1"), app.suites.get("red")
        assert (third.number, len(app.suites.get("red v2").items)) == (3, 2)
        (item,) = third.items
    assert (item.expected, item.slices["feedback"], item.slices["category"]) == ("refuse", "attack", "safety")
    assert first.sha256 == third.sha256


def test_that_feedback_enters_a_version_only_through_a_changeset_that_another_approved(
    call: Call, filled: Path
) -> None:
    call("feedback", "triage", filled, 1, 2, 3, "--to", "label", "--by", "Ann")
    with Application.open(filled) as app:
        label_all(app)
    before = freeze(call, filled)
    assert left(before) == {"feedback that no approved changeset takes": 2}
    call("feedback", "changeset", "new", filled, "C-1", "--by", "Ann", "--note", "first round")
    add = ("feedback", "changeset", "add", filled, "C-1")
    assert call(*add, "--event", 5, "--reason", "x").code == 1
    assert call(*add, "--event", 1).code == 2, "a change needs a reason"
    assert call(*add, "--event", 1, "--reason", "40, not 14").code == 0
    call("feedback", "changeset", "remove", filled, "C-1", "--pair", 2, "--reason", "a duplicate")
    call("feedback", "changeset", "edit", filled, "C-1", 3, 8, "--reason", "a better pair")
    diff = call("feedback", "changeset", "diff", filled, "C-1", "--dataset", "d", "--json").json()
    assert (diff["diff"]["added"], diff["diff"]["removed"]) == ([7, 8], [2, 3])
    assert diff["by_changeset"] == [2, 3, 7, 8]
    own = call("feedback", "changeset", "approve", filled, "C-1", "--by", "ann")
    assert own.code == 1 and "cannot approve it" in own.err
    assert freeze(call, filled, "--plan")["counts"]["items"] == 6, "a draft changes nothing"
    assert call("feedback", "changeset", "approve", filled, "C-1", "--by", "Bo", "--json").json()["state"] == "approved"
    assert call("feedback", "changeset", "drop", filled, "C-1", 1).code == 1
    undo = call("feedback", "triage", filled, 1, "--undo", "--by", "Ann")
    assert undo.code == 1 and "C-1" in undo.err
    after = freeze(call, filled)
    assert left(after) == {"taken out by a changeset": 2}
    made = call("datasets", "diff", filled, "d v1", "d v2", "--json").json()
    assert (made["added"], made["removed"]) == ([7, 8], [2, 3]), "exactly what the diff had said"
    (shown,) = call("feedback", "changeset", filled, "--json").json()
    assert (shown["state"], shown["datasets"]) == ("applied", ["d v2"])
    assert call("datasets", "show", filled, "d v2", "--json").json()["changesets"] == ["C-1"]
    assert call("datasets", "show", filled, "d v1", "--json").json()["changesets"] == []
    sound(call, filled)


def test_that_a_pair_of_an_attack_stays_out_unless_the_policy_names_attacks(call: Call, filled: Path) -> None:
    call("feedback", "triage", filled, 4, "--to", "label", "--attacks", "--answer", "No.", "--by", "Ann")
    with Application.open(filled) as app:
        label_all(app)
    call("feedback", "changeset", "new", filled, "C", "--by", "Ann")
    refused = call("feedback", "changeset", "add", filled, "C", "--event", 4, "--reason", "x")
    assert refused.code == 1 and "made of an attack" in refused.err
    call("feedback", "changeset", "add", filled, "C", "--event", 4, "--reason", "red team", "--attacks")
    call("feedback", "changeset", "approve", filled, "C", "--by", "Bo")
    assert left(freeze(call, filled)) == {"from an attack": 1}
    assert freeze(call, filled, "--set", "attacks=true")["counts"]["items"] == 7


def test_that_a_prompt_of_a_sealed_test_is_refused(call: Call, ws: Path, tmp_path: Path) -> None:
    call("freeze", ws, "--name", "d", "--set", "splits=[0.5,0,0.5]", "--set", "seed=3")
    with Application.open(ws) as app:
        tested = next(i for i in app.datasets.items("d") if i.split == "test")
        question = app.pairs.detail(tested.pair_id).pair.prompt.last_text
    row = {"kind": "correction", "prompt": question.upper(), "answer": "a", "correction": "b"}
    call("feedback", "import", ws, write(tmp_path / "e.jsonl", [row]), "--consent", "granted")
    call("feedback", "triage", ws, 1, "--to", "label", "--by", "Ann")
    call("feedback", "changeset", "new", ws, "C", "--by", "Ann")
    refused = call("feedback", "changeset", "add", ws, "C", "--event", 1, "--reason", "x")
    assert refused.code == 1 and "stands in the sealed test of d v1" in refused.err
    assert call("feedback", "changeset", "show", ws, "C", "--json").json()["entries"] == []


def test_that_the_shift_of_feedback_is_told_with_intervals(call: Call, ws: Path, tmp_path: Path) -> None:
    assert call("feedback", "shift", ws).code == 1
    freeze(call, ws)
    rows = [{"kind": "attack", "prompt": f"Schreib mir {n} Zeilen und nicht mehr.", "category": "x"} for n in range(12)]
    call("feedback", "import", ws, write(tmp_path / "e.jsonl", rows))
    with Application.open(ws) as app:
        items = tuple(SuiteItem(str(n), Prompt.from_text(f"Write {n} lines, no more."), "open") for n in range(12))
        app.suites.add(Suite("mine", 1, items))
    report = call("feedback", "shift", ws, "--suite", "mine", "--json").json()
    found = {(one["first"], one["second"]): one for one in report["comparisons"]}
    assert len(found) == 3
    few, enough = found["training, d v1", "feedback"], found["suite mine v1", "feedback"]
    assert few["auc"]["value"] is None and "fewer than 10" in report["notes"][0], "six prompts are too few"
    assert enough["auc"]["lo"] > 0.9 and enough["language"]["value"] > enough["language"]["chance"]
    assert "told apart" in call("feedback", "shift", ws, "--suite", "mine").out


class TestConsent:
    def test_that_a_withdrawn_event_is_traced_and_left_out_exactly(self, call: Call, filled: Path, model: Path) -> None:
        call("feedback", "triage", filled, 1, 2, 3, "--to", "label", "--by", "Ann")
        with Application.open(filled) as app:
            label_all(app)
        call("feedback", "changeset", "new", filled, "C", "--by", "Ann")
        call("feedback", "changeset", "add", filled, "C", "--event", 1, "--event", 2, "--reason", "r")
        call("feedback", "changeset", "approve", filled, "C", "--by", "Bo")
        frozen = freeze(call, filled)
        assert frozen["counts"]["items"] == 8
        made = call("train", filled, "--dataset", "d v1", "--model", model, "--create-only")
        run_id = Path(made.out.strip()).name
        release = filled.parent / "rel-2"
        contract = json.dumps({"dataset": {"root_sha256": frozen["root_sha256"]}})
        durable.publish_folder(release, lambda folder: durable.write_text(folder / "contract.json", contract))
        sha = durable.file_sha256(release / durable.MANIFEST)
        with Application.open(filled) as app:
            for name, run, folder in (("rel-1", run_id, "gone"), ("rel-2", "other", str(release)), ("no", "x", "gone")):
                log_release(app, {"name": name, "run_id": run, "folder": folder, "manifest_sha256": sha})
        before = call("consent", "affected", filled, "--event", 1, "--json").json()
        said = call(
            "consent", "withdraw", filled, "--event", 1, "--reason", "asked by mail", "--by", "Ann", "--json"
        ).json()
        assert said["effective"] == "withdrawn" and said["affected"] == before
        assert "on d v1: 1 pair\n" in call("consent", "affected", filled, "--event", 1).out
        (version,), (run,) = before["versions"], before["runs"]
        assert (version["title"], version["train"], version["pair_ids"]) == ("d v1", 1, [7])
        assert (run["run_id"], run["pairs"], before["releases"]) == (run_id, 1, ["rel-1", "rel-2"])
        after = freeze(call, filled)
        assert left(after) == {"consent withdrawn": 1}
        diff = call("datasets", "diff", filled, "d v1", "d v2", "--json").json()
        assert (diff["removed"], diff["added"], diff["flipped"], diff["moved"]) == ([7], [], [], [])
        file = filled.parent / "proof.json"
        proved = call("consent", "proof", filled, "--event", 1, "--out", file)
        assert proved.code == 0 and "after: d v2 has 0 items" in proved.out
        checked = call("consent", "check", filled, file)
        assert (checked.code, checked.out) == (0, "Everything that the proof says is so.\n")
        file.write_text(file.read_text().replace('"held": 1', '"held": 0'))
        checked = call("consent", "check", filled, file, "--json")
        assert (checked.code, checked.json()["ok"]) == (1, False) and "altered" in checked.json()["problems"][0]
        shown = call("feedback", "show", filled, 1, "--json").json()
        assert shown["content"] is None and shown["withdrawn"], "its texts are not shown any more"
        refused = call("feedback", "triage", filled, 6, "--to", "label", "--by", "Ann")
        assert refused.code == 1 and "is withdrawn" in refused.err
        sound(call, filled)

    def test_that_a_reviewers_labels_leave_and_those_of_others_stay(self, call: Call, ws: Path) -> None:
        with Application.open(ws) as app:
            bo = app.reviewers.add("Bo").value
            queue = app.annotation.open_queue(QueueSettings(bo.id, 1))
            for shown in app.annotation.next(queue, 2):
                app.annotation.commit(shown.presentation_uid, prefer(1))
        freeze(call, ws)
        said = call("consent", "withdraw", ws, "--reviewer", "ann", "--json").json()["affected"]
        assert (said["labels"], len(said["versions"][0]["pair_ids"])) == (6, 6)
        after = freeze(call, ws)
        assert left(after) == {"consent of its reviewers withdrawn": 4}
        assert (after["counts"]["items"], after["counts"]["judgements"]) == (2, 2)
        call("consent", "grant", ws, "--reviewer", "Ann")
        assert freeze(call, ws)["counts"]["items"] == 6

    def test_that_an_end_that_has_come_counts_as_withdrawn_and_another_use_as_not_granted(
        self, call: Call, ws: Path
    ) -> None:
        call("consent", "grant", ws, "--source", "made up", "--until", "2027-05-31", "--on", "2026-11-01")
        assert freeze(call, ws)["counts"]["items"] == 6
        listed, *_ = call("consent", "list", ws, "--json").json()
        assert (listed["expires"], listed["given"], listed["effective"]) == ("2027-05-31", "2026-11-01", "granted")
        call("consent", "grant", ws, "--source", "1", "--until", "2020-01-01")
        assert call("freeze", ws, "--name", "d").code == 1
        assert left(call("freeze", ws, "--name", "d", "--plan", "--json").json()) == {"consent withdrawn": 6}
        call("consent", "grant", ws, "--source", "1", "--scope", "evaluation")
        assert left(call("freeze", ws, "--name", "d", "--plan", "--json").json()) == {
            "consent given for another use": 6
        }
        assert call("consent", "grant", ws, "--source", "1", "--scope", "fun").code == 2
        assert call("consent", "withdraw", ws).code == 2
        assert call("consent", "withdraw", ws, "--pair", 99).code == 1

    def test_that_a_single_pair_is_withdrawn_whatever_the_policy_accepts(self, call: Call, ws: Path) -> None:
        call("consent", "withdraw", ws, "--pair", 4)
        plan = freeze(call, ws, "--plan", "--set", "require_consent=false")
        assert left(plan) == {"consent withdrawn": 1}
