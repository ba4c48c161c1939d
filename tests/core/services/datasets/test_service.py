from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain import aggregation as why
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, ImmutableError, NotFound, UsageError
from core.domain.judgement import JudgementDraft
from core.domain.rubric import ChangeLevel
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store import datasets as repository
from tests.fakes.fresh import fresh
from tests.fakes.workspaces import BODY, opened, prefer

ALL = FreezePolicy(splits=(1.0, 0.0, 0.0))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


def row(number: int, *labels: Any, prompt: str = "") -> dict[str, Any]:
    named = {f"annotator{i}": label for i, label in enumerate(labels, 1)}
    return {"prompt": prompt or f"q{number}", "response1": f"one {number}", "response2": f"two {number}", **named}


def bring(app: Application, folder: Path, rows: list[dict[str, Any]], name: str = "mine", **options: Any) -> None:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    app.imports.run(path, fmt=options.pop("fmt", "table:one_based"), **{"consent": "granted"} | options)


def left(plan: Any) -> dict[str, int]:
    return {entry.reason: entry.count for entry in plan.left_out}


def test_that_a_plan_accounts_for_every_pair(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(1, 1, 1), row(2, 1, 2), row(3, 0, 0), row(4), row(5, 2, "both bad"), row(6, 2, None)])
    plan = app.datasets.plan(ALL)
    assert left(plan) == {why.WEAK: 1, why.TIE: 1, why.NOT_LABELLED: 1, why.NEITHER: 1}
    assert plan.counts["pairs"] == 6
    assert plan.counts["items"] + plan.counts["left_out"] == 6
    assert (plan.counts["several"], plan.counts["agree"], plan.counts["judgements"]) == (1, 1, 3)
    assert all(len(entry.pair_ids) == entry.count for entry in plan.left_out)


def test_that_freezing_stores_the_plan_and_the_judgements_behind_each_item(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(i, 1, 1 if i % 2 else 2, 1) for i in range(12)])
    policy = FreezePolicy(aggregation="majority")
    plan = app.datasets.plan(policy)
    version = app.datasets.freeze("first", policy, created_by="me").value
    assert version.title == "first v1"
    assert version.root_sha256 == plan.root_sha256
    assert (version.counts, version.left_out, version.policy) == (plan.counts, plan.left_out, policy)
    assert version.rubric_titles == ("mine 1.0.0",)
    items = app.datasets.items(version.id)
    assert [item.position for item in items] == list(range(12))
    assert [item.pair_sha256 for item in items] == sorted(item.pair_sha256 for item in items)
    assert all(len(item.judgement_ids) == 3 for item in items)
    assert {sum(item.split == split for item in items) for split in ("train",)} == {version.counts["train"]}
    assert app.datasets.items(version.id, after=9) == items[10:]


def test_that_the_chosen_text_is_the_one_that_was_preferred(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(i, 1 + i % 2) for i in range(20)])
    app.datasets.freeze("d", ALL)
    for pair in app.datasets.training_pairs("d"):
        number = int(pair.prompt.last_text[1:])
        assert (pair.chosen, pair.rejected) == ((f"one {number}", f"two {number}")[:: 1 if number % 2 == 0 else -1])
        assert pair.pair_id == str(app.pairs.detail(int(pair.pair_id)).id)


def test_that_the_same_inputs_have_the_same_hash_in_any_workspace_and_order(tmp_path: Path) -> None:
    rows = [row(i, 1 + i % 2) for i in range(9)]
    hashes = []
    for number, order in enumerate((rows, rows[::-1])):
        with fresh(tmp_path / f"ws{number}") as app:
            bring(app, tmp_path, order)
            hashes.append(app.datasets.freeze("d", FreezePolicy(seed=5)).value.root_sha256)
            again = app.datasets.freeze("d", FreezePolicy(seed=5)).value
            assert (again.number, again.root_sha256) == (2, hashes[-1])
            assert app.datasets.plan(FreezePolicy(seed=5)).same_as == "d v2"
            assert app.datasets.plan(FreezePolicy(seed=6)).same_as == ""
    assert hashes[0] == hashes[1]


def test_that_a_prompt_never_sits_in_two_splits_and_keeps_its_split_when_data_grow(
    app: Application, tmp_path: Path
) -> None:
    rows = [row(i, 1, prompt=f"prompt {i % 40}") for i in range(160)]
    bring(app, tmp_path, rows[:80])
    policy = FreezePolicy(splits=(0.5, 0.25, 0.25), seed=3)
    first = app.datasets.freeze("d", policy).value
    bring(app, tmp_path, rows, "more")
    second = app.datasets.freeze("d", policy).value
    assert (first.counts["items"], second.counts["items"]) == (80, 160)
    splits: dict[str, set[str]] = {}
    with app.store.read() as session:
        pairs = repository.training_pairs(session, second.id, ("train", "dev", "test"))
    for pair in pairs:
        splits.setdefault(pair.prompt.last_text, set()).add(pair.split)
    assert len(splits) == 40
    assert all(len(found) == 1 for found in splits.values())
    diff = app.datasets.diff(first.id, second.id)
    assert (len(diff.added), diff.removed, diff.moved, diff.same) == (80, (), (), 80)


def test_that_the_sealed_test_split_is_never_handed_to_a_training(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(i, 1) for i in range(20)])
    app.datasets.freeze("d", FreezePolicy(splits=(0.4, 0.1, 0.5)))
    assert {pair.split for pair in app.datasets.training_pairs("d")} <= {"train", "dev"}
    with pytest.raises(UsageError, match="sealed"):
        app.datasets.training_pairs("d", ("test",))
    with pytest.raises(UsageError, match="no split 'exam'"):
        app.datasets.training_pairs("d", ("exam",))


def test_that_consent_that_nobody_stated_counts_as_none_and_takes_back_none(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(1, 1), row(2, 1)], "granted")
    bring(app, tmp_path, [row(2, 1), row(3, 1)], "unstated", consent="unknown")
    plan = app.datasets.plan(ALL)
    assert left(plan) == {why.NO_CONSENT: 1}
    assert plan.counts["items"] == 2


def test_that_pairs_without_consent_are_left_out(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(1, 1), row(2, 1)], "one")
    bring(app, tmp_path, [row(2, 1), row(3, 1)], "two")
    before = app.datasets.freeze("d", ALL).value
    app.imports.set_consent(2, "withdrawn")
    after = app.datasets.freeze("d", ALL).value
    assert left(after) == {why.CONSENT_WITHDRAWN: 2}
    diff = app.datasets.diff(before.id, after.id)
    assert len(diff.removed) == 2
    assert set(diff.removed) == set(after.left_out[0].pair_ids)

    # Until 0.3.0 this took the withdrawn source too. Who withdraws says so to everybody: no policy may overrule it.
    plan = app.datasets.plan(replace(ALL, require_consent=False))
    assert left(plan) == {why.CONSENT_WITHDRAWN: 2}
    app.imports.set_consent(2, "unknown")
    plan = app.datasets.plan(replace(ALL, require_consent=False))
    assert plan.counts["items"] == 3
    assert any("without granted consent" in note for note in plan.notes)


def test_that_sources_and_reviewers_can_be_chosen(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(1, 1, 2)], "one")
    bring(app, tmp_path, [row(2, 1)], "two")
    plan = app.datasets.plan(replace(ALL, source_ids=(1,), reviewer_ids=(1,)))
    assert plan.counts["items"] == 1
    assert left(plan) == {why.OTHER_SOURCE: 1}
    nobody = app.datasets.plan(replace(ALL, reviewer_ids=(99,)))
    assert left(nobody) == {why.OTHER_REVIEWER: 2}


def test_that_labels_under_another_version_are_left_out_and_unknown_versions_refused(
    app: Application, tmp_path: Path
) -> None:
    bring(app, tmp_path, [row(1, 1)], "one")
    bring(app, tmp_path, [row(2, 1)], "two")
    plan = app.datasets.plan(replace(ALL, rubric_version_ids=(1,)))
    assert (plan.counts["items"], left(plan)) == (1, {why.OTHER_RUBRIC: 1})
    with pytest.raises(BadInput, match="not published"):
        app.datasets.plan(replace(ALL, rubric_version_ids=(77,)))


def test_that_a_freeze_without_items_is_refused_and_says_why(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(1, 0)])
    with pytest.raises(BadInput, match="No pair passes") as caught:
        app.datasets.freeze("d", ALL)
    assert "1 tie" in caught.value.hint
    with pytest.raises(BadInput, match="needs a name"):
        app.datasets.freeze("  ", ALL)
    assert app.datasets.list() == []


def test_that_few_prompts_and_empty_answers_are_pointed_out(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [{**row(1, 1), "response2": ""}])
    notes = app.datasets.plan(FreezePolicy()).notes
    assert sum("split is empty" in note for note in notes) == 2
    assert any("an answer is empty: #1" in note for note in notes)


def test_that_versions_are_found_by_id_title_and_name(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(1, 1)])
    first = app.datasets.freeze("the v set", ALL).value
    second = app.datasets.freeze("The V Set", ALL).value
    assert second.title == "the v set v2"
    assert app.datasets.get(first.id) == app.datasets.get("the v set v1") == first
    assert app.datasets.get("the v set") == second
    assert [version.number for version in app.datasets.list()] == [1, 2]
    for missing in (99, "the v set v3", "none", ""):
        with pytest.raises(NotFound):
            app.datasets.get(missing)


def test_that_a_frozen_version_cannot_be_changed(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(1, 1)])
    app.datasets.freeze("d", ALL)
    for statement in ("DELETE FROM dataset_item", "UPDATE dataset_item SET chosen='A'", "UPDATE dataset SET note='x'"):
        with pytest.raises(ImmutableError):
            app.store.write(lambda session, sql=statement: session.connection().exec_driver_sql(sql), "meddling")


def test_that_a_label_that_arrives_between_plan_and_write_is_in_the_freeze(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(app, tmp_path, [row(1, 1)])
    real = app.datasets._frozen

    def late(policy: FreezePolicy) -> Any:
        ready = real(policy)
        bring(app, tmp_path, [row(2, 1)], "late")
        return ready

    monkeypatch.setattr(app.datasets, "_frozen", late)
    version = app.datasets.freeze("d", ALL).value
    assert version.counts["items"] == len(app.datasets.items(version.id)) == 2


def test_that_a_diff_tells_flips_strengths_and_moves(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [row(i, 1, 1 if i else 2) for i in range(6)])
    one = app.datasets.freeze("d", replace(ALL, reviewer_ids=(1,), seed=1)).value
    two = app.datasets.freeze("d", replace(ALL, reviewer_ids=(2,), splits=(0.0, 1.0, 0.0))).value
    diff = app.datasets.diff(one.id, "d v2")
    assert len(diff.flipped) == 1
    assert {(old, new) for _, old, new in diff.moved} == {("train", "dev")}
    assert ("seed", "1", "0") in diff.policy_changes
    assert diff.same == 0
    assert not diff.empty
    assert app.datasets.diff(two.id, two.id).empty
    weighted = app.datasets.freeze("d", replace(ALL, reviewer_ids=(1,), strength_weights=True, seed=1)).value
    assert app.datasets.diff(one.id, weighted.id).empty  # all labels have the neutral strength


def label(app: Application, folder_pairs: dict[int, JudgementDraft], version_id: int = 1) -> None:
    """Label pairs through an annotation queue as Ann."""
    queue = app.annotation.open_queue(QueueSettings(1, version_id))
    for shown in app.annotation.next(queue, 99):
        if shown.pair_id in folder_pairs:
            app.annotation.commit(shown.presentation_uid, folder_pairs[shown.pair_id])


@pytest.fixture
def labelled(tmp_path: Path) -> Iterator[Application]:
    """Give a workspace of six pairs, the reviewer Ann and the rubric Helpful 1.0.0."""
    with opened(tmp_path / "labelled") as application:
        yield application


def test_that_flagged_pairs_are_left_out(labelled: Application) -> None:
    label(labelled, {1: prefer(2, flags=("pii",)), 2: prefer(-2, flags=("names_model",)), 3: prefer(1)})
    plan = labelled.datasets.plan(ALL)
    assert left(plan) == {"flagged: personal data": 1, why.NOT_LABELLED: 3}
    assert plan.counts["items"] == 2
    assert labelled.datasets.plan(replace(ALL, drop_flags=("names_model",))).counts["items"] == 2


def test_that_labels_turn_stale_with_a_major_version_and_not_with_a_minor_one(labelled: Application) -> None:
    label(labelled, {1: prefer(2), 2: prefer(-2)})
    draft = labelled.rubrics.new_draft(1).value
    changed = replace(BODY, tie_rule="Say tie when both help.")
    labelled.rubrics.publish(labelled.rubrics.save_draft(draft.id, changed).value.id, ChangeLevel.MINOR, "Tie rule.")
    assert labelled.datasets.plan(ALL).counts["items"] == 2
    draft = labelled.rubrics.new_draft(1).value
    changed = replace(BODY, purpose="Which answer is kinder?")
    labelled.rubrics.publish(labelled.rubrics.save_draft(draft.id, changed).value.id, ChangeLevel.MAJOR, "Kindness.")
    assert left(labelled.datasets.plan(ALL)) == {why.NOT_LABELLED: 4, why.STALE_RUBRIC: 2}
    accepted = labelled.datasets.plan(replace(ALL, rubric_version_ids=(1,)))
    assert accepted.counts["items"] == 2
    assert any("older meaning" in note for note in accepted.notes)


def test_that_a_retracted_label_does_not_count_until_it_is_redone(labelled: Application) -> None:
    label(labelled, {1: prefer(2), 2: prefer(2)})
    labelled.annotation.undo(1)
    assert labelled.datasets.plan(ALL).counts["items"] == 1
    labelled.annotation.redo(1)
    assert labelled.datasets.plan(ALL).counts["items"] == 2


def test_that_a_label_made_here_outranks_the_one_that_came_with_the_file(labelled: Application, tmp_path: Path) -> None:
    texts = labelled.pairs.detail(1).pair
    record = {"prompt": texts.prompt.last_text, "chosen": texts.a.text, "rejected": texts.b.text}
    bring(labelled, tmp_path, [record], fmt="trl")
    label(labelled, {1: prefer(3)})
    labelled.datasets.freeze("d", ALL)
    (item,) = labelled.datasets.items("d")
    assert (item.chosen, item.strength) == ("B", 3.0)
    both = labelled.datasets.plan(replace(ALL, rubric_version_ids=(1, 2), min_strength=0.0))
    assert (both.counts["items"], both.counts["judgements"]) == (1, 2)
