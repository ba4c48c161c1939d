"""Review bundles: desks label offline, and what they send back is merged in any order, once, with its hash chain."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.batch import BatchPolicy
from core.domain.errors import BadInput, NotFound
from core.domain.judgement import Task
from core.domain.pair_table import PairFilter
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.bundles.bundle_file import lines_text
from core.services.bundles.desk import open_desk, send_back
from core.services.bundles.watching import BundleWatch
from core.store.desks import work
from core.store.sqlite.identity import db_path
from tests.fakes import gold_items
from tests.fakes.workspaces import fill, opened, person, prefer, tie

PEOPLE = (1, 2, 3)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Application]:
    """A workspace with a batch of three reviewers."""
    with opened(tmp_path / "home", 12) as app:
        person(app.store, "Bo")
        person(app.store, "Cy")
        policy = BatchPolicy(PEOPLE, second_share=0.5, retest_share=0.25, gold_share=0, seed=5)
        app.batches.create("June", 1, policy, 1)
        yield app


def desks_of(home: Application, place: Path) -> list[Path]:
    """Export a bundle for each reviewer and open it as a desk."""
    found = []
    for who in PEOPLE:
        made = home.bundles.export(1, who, place / f"{who}.work").value
        open_desk(made.path, place / f"desk{who}")
        found.append(place / f"desk{who}")
    return found


def label(desk: Path, out: Path, most: int = 99, seed: int = 0) -> Path:
    """Label, skip and take back on a desk, and write what it sends back."""
    rng = random.Random(f"{desk.name}{seed}")
    with Application.open(desk) as app:
        queue = app.annotation.open_queue(app.batches.queue(1, 1))
        for _ in range(most):
            if not (views := app.annotation.next(queue)):
                break
            for view in views:
                if rng.random() < 0.2:
                    app.annotation.skip(view.presentation_uid, "later")
                else:
                    draft = tie() if rng.random() < 0.3 else prefer(rng.choice((-3, -1, 2)), rationale="because")
                    app.annotation.commit(view.presentation_uid, draft)
                if rng.random() < 0.2:
                    app.annotation.undo(1)
        send_back(app.store, out)
    return out


def merged(home: Application, place: Path, files: list[Path]) -> tuple[str, list[str]]:
    """Merge files one by one into a copy of ``home``; return the hash of its content and the states."""
    shutil.copytree(home.folder, place)
    with Application.open(place) as app:
        states = [app.bundles.merge([file]).value[0].state for file in files]
        assert not [one for one in app.workspace.check().findings if one.serious]
        return app.bundles.content_sha256(), states


def in_any_order(home: Application, tmp_path: Path, shuffles: int, parts: int) -> None:
    desks = desks_of(home, tmp_path)
    files = [
        label(desk, tmp_path / f"{desk.name}-{part}.back", 3 if part < parts else 999, part)
        for desk in desks
        for part in range(1, parts + 1)
    ]
    hashes = set()
    for seed in range(shuffles):
        order = [*files, *files[::2]]
        random.Random(seed).shuffle(order)
        sha, states = merged(home, tmp_path / f"merged{seed}", order)
        hashes.add(sha)
        assert set(states) == {"merged", "known"}
    assert len(hashes) == 1


def test_that_three_desks_merge_in_any_order_to_the_same_workspace(home: Application, tmp_path: Path) -> None:
    in_any_order(home, tmp_path, 3, 2)


@pytest.mark.slow
def test_that_three_desks_of_500_labels_merge_in_any_order(tmp_path: Path) -> None:
    with opened(tmp_path / "home", 1000) as app:
        person(app.store, "Bo")
        person(app.store, "Cy")
        app.batches.create("June", 1, BatchPolicy(PEOPLE, second_share=0.5, gold_share=0, seed=5), 1)
        in_any_order(app, tmp_path, 6, 4)


def test_that_a_merge_brings_every_label_once_and_accounts_for_it(home: Application, tmp_path: Path) -> None:
    desk = desks_of(home, tmp_path)[1]
    assert home.annotation.next(home.annotation.open_queue(home.batches.queue(1, 2))) == [], "its slots are away"
    assert home.annotation.open_queue(QueueSettings(2, 1)).total == 12 - len({
        slot.pair_id for slot in home.batches.slots(1) if slot.reviewer_id == 2
    })  # fmt: skip
    first = label(desk, tmp_path / "1.back", 3)
    (one,) = home.bundles.merge([first]).value
    (two,) = home.bundles.merge([label(desk, tmp_path / "2.back")]).value
    (again,) = home.bundles.merge([first]).value
    assert (one.state, two.state, again.state) == ("merged", "merged", "known")
    with Application.open(desk, read_only=True) as app:
        theirs = app.batches.state(1).slots
    ours = home.batches.state(1).by_reviewer["Bo"]
    assert (ours.labelled, ours.skipped, ours.open) == (theirs.labelled, theirs.skipped, theirs.open)
    assert ours.labelled > 0 and home.batches.state(1).slots.adds_up
    assert home.bundles.list()[1].merged_entry > 0
    assert home.workspace.check().findings == (), "the desk's chain verifies from what was kept"


def test_that_a_bundle_says_nothing_of_sources_labels_and_other_people(home: Application, tmp_path: Path) -> None:
    queue = home.annotation.open_queue(QueueSettings(2, 1))
    home.annotation.commit(home.annotation.next(queue)[0].presentation_uid, prefer(3, rationale="secret reason"))
    text = home.bundles.export(1, 1, tmp_path / "b").value.path.read_text()
    for hidden in ("secret reason", "made up", "Bo", "Cy"):
        assert hidden not in text


def make_gold(home: Application) -> int:
    """Let Bo and Cy differ on a pair and Ann decide it; return a reviewer for whom it is gold in a batch."""
    for task, who in ((Task.LABEL, 2), (Task.LABEL, 3), (Task.ADJUDICATE, 1)):
        queue = home.annotation.open_queue(QueueSettings(who, 1, PairFilter(pair_ids=(5,)), task=task))
        (view,) = home.annotation.next(queue)
        home.annotation.commit(view.presentation_uid, prefer(-2 if who == 3 else 2))
    gold_items.decide(home, 5, 1)
    dee = person(home.store, "Dee").id
    pairs = PairFilter(pair_ids=tuple(fill(home.store, 4, "more")))
    home.batches.create("Gold", 1, BatchPolicy((dee,), filter=pairs, gold_share=0.25, retest_share=0), 1)
    return dee


@pytest.mark.parametrize("older", [False, True])
def test_that_a_file_does_not_say_which_pairs_are_gold_and_the_merge_knows(
    home: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, older: bool
) -> None:
    dee = make_gold(home)
    if older:
        monkeypatch.setattr(work, "lines_of", partial(work.lines_of, marked=True))
    home.bundles.export(2, dee, tmp_path / "b")
    monkeypatch.undo()
    kinds = [line["slot_kind"] for line in map(json.loads, (tmp_path / "b").open()) if line.get("kind") == "slot"]
    assert ("gold" in kinds) == older and len(kinds) == 5
    home.bundles.export(2, dee, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "b").read_bytes()
    open_desk(tmp_path / "b", tmp_path / "desk")
    with Application.open(tmp_path / "desk") as app:
        queue = app.annotation.open_queue(app.batches.queue(1, 1))
        for view in app.annotation.next(queue, 9):
            app.annotation.commit(view.presentation_uid, prefer(1))
        assert app.annotation.undo(1).value is not None
        send_back(app.store, tmp_path / "back")
    (one,) = home.bundles.merge([tmp_path / "back"]).value
    assert (one.state, one.new["labels"], one.new["retractions"]) == ("merged", 5, 1)
    with home.store.read() as session:
        run = session.connection().exec_driver_sql
        tasks = run("SELECT DISTINCT j.task FROM judgement j JOIN presentation p ON p.id=j.presentation_id "
                    "JOIN slot_presentation l ON l.presentation_id=p.id JOIN batch_slot s ON s.id=l.slot_id "
                    "WHERE s.kind='gold'").fetchall()  # fmt: skip
    assert tasks == [("gold",)]
    assert not [one for one in home.workspace.check().findings if one.serious]


def test_that_slots_of_a_lost_desk_are_opened_again_for_the_same_person(home: Application, tmp_path: Path) -> None:
    desk = desks_of(home, tmp_path)[0]
    home.bundles.merge([label(desk, tmp_path / "1.back", 2)])
    before = home.batches.state(1)
    with pytest.raises(BadInput, match="already"):
        home.batches.hand_over(1, 1, 1)
    opened = home.batches.reopen(1, 1).value
    after = home.batches.state(1)
    assert opened == before.by_reviewer["Ann"].slots - before.by_reviewer["Ann"].labelled
    assert after.in_bundle == before.in_bundle - opened and after.slots == before.slots
    assert home.batches.reopen(1, 1).value == 0
    late = label(desk, tmp_path / "late.back", 9)
    again = home.bundles.export(1, 1, tmp_path / "new.work").value
    assert again.bundle.slots == opened
    home.batches.reopen(1, 1)
    queue = home.annotation.open_queue(home.batches.queue(1, 1, revisit_skipped=True))
    for view in home.annotation.next(queue, 99):
        home.annotation.commit(view.presentation_uid, prefer(1))
    (found,) = home.bundles.merge([late]).value
    assert found.state == "refused" and "was labelled here by the same reviewer" in found.reason
    assert home.batches.hand_over(1, 2, 3).value > 0
    views = home.annotation.next(home.annotation.open_queue(home.batches.queue(1, 3)), 99)
    assert views, "what was handed over from a desk can be answered here"


def test_that_what_was_altered_is_refused_with_the_reason(home: Application, tmp_path: Path) -> None:
    desk = desks_of(home, tmp_path)[0]
    back = label(desk, tmp_path / "1.back")
    before = home.bundles.content_sha256()

    def refused(data: bytes, name: str = "x.back") -> str:
        (tmp_path / name).write_bytes(data)
        (one,) = home.bundles.merge([tmp_path / name]).value
        assert one.state == "refused" and home.bundles.content_sha256() == before
        return one.reason

    def rewritten(**manifest: object) -> bytes:
        return json.dumps({**head, **manifest}).encode() + b"\n" + body

    raw, head = back.read_bytes(), json.loads(back.read_bytes().split(b"\n", 1)[0])
    body = raw.split(b"\n", 1)[1]
    assert "was altered: its lines do not fit their hash" in refused(raw.replace(b"because", b"becausE", 1))
    assert "no review bundle" in refused(b"label,pair\n1,2\n")
    assert "belongs to another workspace" in refused(rewritten(home_uuid="f" * 32))
    assert "did not export the bundle" in refused(rewritten(bundle="f" * 32))
    assert "another content than was exported" in refused(rewritten(bundle_sha256="f" * 64))
    assert "holds slots to label" in refused((tmp_path / "1.work").read_bytes())
    forged = body.replace(b"because", b"becausE", 1)
    data = json.dumps({**head, "sha256": hashlib.sha256(forged).hexdigest()}).encode() + b"\n" + forged
    assert "The desk's labels were altered: Judgement" in refused(data), (
        "its chain tells, whatever the file's hash says"
    )
    lines = [json.loads(line) for line in body.splitlines()]
    foreign = lines_text([*lines, {"table": "sqlite_schema", "columns": ["name"], "rows": [["x"]]}])
    data = json.dumps({**head, "sha256": hashlib.sha256(foreign).hexdigest()}).encode() + b"\n" + foreign
    assert "rows that no desk has" in refused(data)
    (tmp_path / "y").write_bytes((tmp_path / "1.work").read_bytes().replace(b"Answer", b"answer", 1))
    with pytest.raises(BadInput, match="altered"):
        open_desk(tmp_path / "y", tmp_path / "desk-y")
    assert not (tmp_path / "desk-y").exists()


def test_that_two_copies_of_a_desk_are_noticed(home: Application, tmp_path: Path) -> None:
    desk = desks_of(home, tmp_path)[0]
    shutil.copytree(desk, tmp_path / "copy")
    open_desk(tmp_path / "1.work", tmp_path / "second")
    assert home.bundles.merge([label(desk, tmp_path / "1.back", 2)]).value[0].state == "merged"
    (forked,) = home.bundles.merge([label(tmp_path / "copy", tmp_path / "2.back", 4, seed=9)]).value
    assert forked.state == "refused" and "went another way" in forked.reason
    (second,) = home.bundles.merge([label(tmp_path / "second", tmp_path / "3.back", 4)]).value
    assert second.state == "refused" and "opened as two desks" in second.reason


def test_that_nothing_is_answered_twice_while_it_is_on_a_desk(home: Application, tmp_path: Path) -> None:
    shown = home.annotation.next(home.annotation.open_queue(home.batches.queue(1, 1)))[0]
    desk = desks_of(home, tmp_path)[0]
    with pytest.raises(BadInput, match="is labelled on that desk"):
        home.annotation.commit(shown.presentation_uid, prefer(1))
    again = home.bundles.export(1, 1, tmp_path / "again.work").value
    assert (tmp_path / "again.work").read_bytes() == (tmp_path / "1.work").read_bytes()
    assert "exported before" in again.told[0]
    with pytest.raises(BadInput, match="is a desk"), Application.open(desk) as app:
        app.bundles.export(1, 1, tmp_path / "b")
    with pytest.raises(NotFound, match="was not opened from a review bundle"):
        send_back(home.store, tmp_path / "b")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="no review bundle; it was left alone"):
        home.bundles.export(1, 1, tmp_path / "notes.txt")
    label(desk, tmp_path / "1.back", 2)
    two = [*sorted(tmp_path.glob("*.back")), tmp_path / "1.work"]
    before = [path.read_bytes() for path in two]
    with pytest.raises(BadInput, match="another review bundle; it was left alone"):
        home.bundles.export(1, 1, tmp_path / "1.back")  # labels of the desk
    with pytest.raises(BadInput, match="another review bundle; it was left alone"):
        label(desk, tmp_path / "1.work", 1)
    assert [path.read_bytes() for path in two] == before
    assert len(label(desk, tmp_path / "1.back", 1).read_bytes()) > len(before[0])  # the same desk, with more


def test_that_a_change_of_what_a_desk_sent_is_found(home: Application, tmp_path: Path) -> None:
    home.bundles.merge([label(desks_of(home, tmp_path)[0], tmp_path / "1.back")])
    with closing(sqlite3.connect(db_path(home.folder), isolation_level=None)) as bare:
        bare.execute("DROP TRIGGER bundle_merge_no_update")
        bare.execute("UPDATE bundle_merge SET body=replace(body,'because','becausE')")
    told = " ".join(one.message for one in home.workspace.check().findings)
    assert "Merge of a review bundle 1 was changed by another program." in told
    assert "What the desk of Ann sent back in June: Judgement" in told


def test_that_a_watched_folder_tells_new_and_changed_returns_and_a_merge_can_be_ended(
    home: Application, tmp_path: Path
) -> None:
    back = label(desks_of(home, tmp_path)[0], tmp_path / "1.back", 1)
    inbox = tmp_path / "inbox"
    watch = BundleWatch(inbox)
    with pytest.raises(NotFound, match="is not there now"):
        watch.fresh()
    inbox.mkdir()
    for file in (tmp_path / "1.work", back):
        shutil.copy(file, inbox)
    (inbox / "notes.txt").write_text("mine")
    assert watch.fresh() == [inbox / "1.back"] and watch.fresh() == [], "files of slots are no news for a lead"
    (inbox / "1.back").write_bytes(label(tmp_path / "desk1", tmp_path / "2.back").read_bytes())
    assert watch.fresh() == [inbox / "1.back"]
    steps: list[tuple[int, int, str]] = []
    ended = home.bundles.merge([back, inbox / "1.back"], None, lambda *step: steps.append(step), lambda: bool(steps))
    assert [one.state for one in ended.value] == ["merged"] and steps == [(0, 2, "1.back")], "what was merged stays"


def test_that_commands_export_open_return_merge_and_watch(
    home: Application, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws, desk, inbox = str(home.folder), tmp_path / "desk", tmp_path / "inbox"
    home.close()
    inbox.mkdir()
    work, back = str(tmp_path / "b.work"), str(inbox / "b.back")
    assert main(["bundle", "export", ws, work, "--batch", "June", "--reviewer", "Ann", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reviewer"] == "Ann"
    assert main(["bundle", "open", work, str(desk)]) == 0
    label(desk, Path(back))
    assert main(["bundle", "return", str(desk), back]) == 0
    assert main(["bundle", "merge", ws, str(inbox), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [one["state"] for one in told["files"]] == ["merged"] and len(told["content_sha256"]) == 64
    assert main(["bundle", "watch", ws, str(inbox), "--once"]) == 0
    assert main(["batch", "reopen", ws, "June", "--reviewer", "Bo"]) == 0
    assert "No slot of Bo in June is on a desk." in capsys.readouterr().out
    assert main(["bundle", "list", ws]) == 0
    assert "exported" in capsys.readouterr().out
    assert main(["bundle", "merge", ws, work]) == 1
    assert "1 file of 1 refused" in capsys.readouterr().err


def test_that_labels_of_who_was_renamed_or_left_while_the_desk_was_out_stay_with_their_person(
    home: Application, tmp_path: Path
) -> None:
    desks = desks_of(home, tmp_path)
    files = [label(desk, tmp_path / f"{desk.name}.back") for desk in desks[1:]]
    other = tmp_path / "unchanged"
    shutil.copytree(home.folder, other)
    home.reviewers.rename(2, "Boris")
    home.reviewers.add("Bo")
    home.reviewers.set_active(3, False)
    home.reviewers.set_licence(2, "MIT")
    assert [one.state for one in home.bundles.merge(files).value] == ["merged", "merged"]
    given = home.workspace.labels_by_reviewer()
    with Application.open(other) as app:
        app.bundles.merge(files)
        assert given == app.workspace.labels_by_reviewer() and given[2] > 0 and given[3] > 0
    with pytest.raises(BadInput, match="inactive"):
        home.batches.create("July", 1, BatchPolicy((1, 3)), 1)
    assert not [one for one in home.workspace.check().findings if one.serious]
