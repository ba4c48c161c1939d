"""The team's way as a whole: labels of three desks, conflicts, a revised rubric, and what that makes of the data."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from core.services.application import Application
from tests.e2e.team_story import ByServices, Story, TableRow60, items_of, tell

pytestmark = pytest.mark.slow
ROWS = 60


def table(seed: int = 7) -> list[TableRow60]:
    """Return rows on which each reviewer follows a common verdict three times out of four."""
    rng, rows = random.Random(seed), []
    for n in range(ROWS):
        usual = rng.choice((0, 1, 1, 2, 2))
        said = tuple(usual if rng.random() < 0.75 else rng.choice((0, 1, 2)) for _ in range(3))
        rows.append(TableRow60(f"Rewrite sentence {n}.", f"Short form {n}.", f"A rather long form {n}.", said))  # type: ignore[arg-type]
    return rows


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(table(), tmp_path_factory.mktemp("team"), ByServices())


def test_that_both_orders_of_merging_give_the_same_labels_and_every_chain_verifies(story: Story) -> None:
    assert story.orders["home"] == story.orders["other"]
    for folder in (story.home, story.home.parent / "other", story.home.parent / "ben"):
        with Application.open(folder, read_only=True) as app:
            assert app.workspace.check().ok


def test_that_the_second_version_differs_by_exactly_what_the_items_say(story: Story) -> None:
    assert story.conflicts > 0 and story.stale > 0
    first, second = story.versions
    with Application.open(story.home, read_only=True) as app:
        old, new, diff = items_of(app, first), items_of(app, second), app.datasets.diff(first.id, second.id)
    both = set(old) & set(new)
    kind = {key: (old[key].is_tie, old[key].chosen) != (new[key].is_tie, new[key].chosen) for key in both}
    changed = {
        key: (old[key].strength, old[key].weight, old[key].target)
        != (new[key].strength, new[key].weight, new[key].target)
        for key in both
    }
    assert set(diff.added) == set(new) - set(old) and set(diff.removed) == set(old) - set(new)
    assert set(diff.flipped) == {key for key in both if kind[key]} and diff.flipped
    assert set(diff.restrengthened) == {key for key in both if changed[key] and not kind[key]}
    assert diff.rubrics_added == ("House 2.0.0",) and not diff.policy_changes


def test_that_only_labels_of_the_changed_clause_were_asked_for_again_and_nothing_is_stale_any_more(
    story: Story,
) -> None:
    with Application.open(story.home, read_only=True) as app:
        newest = app.rubrics.published()[0]
        assert newest.title == "House 2.0.0" and "Say that fewer words win." in newest.change_note
        assert [one.state for one in app.rubrics.requests()] == ["resolved"] and app.rubrics.stale(newest.id) == 0
        people = {one.id for one in app.reviewers.list() if one.name in ("ann", "ben", "cem")}
        again = [
            one
            for judged in app.pairs.judgements(app.pairs.ids()).values()
            for one in judged
            if one.rubric_version_id == newest.id and one.task == "relabel" and one.reviewer.id in people
        ]
    assert again and all(one.draft is not None and "plain" in one.draft.criteria for one in again)


def test_that_every_step_is_in_the_log(story: Story) -> None:
    with Application.open(story.home, read_only=True) as app:
        ops = Counter(one.op for one in app.workspace.activity(5000))
        labels = app.workspace.info().counts["judgements"]
    assert ops["batch.create"] == 1 and ops["batch.due"] == 1 and ops["bundle.export"] == 2 and ops["bundle.merge"] == 2
    assert ops["adjudicate.decide"] >= story.conflicts and ops["rubric.requests"] == 1
    assert ops["rubric.publish"] == 2 and ops["dataset.freeze"] == 2
    assert ops["label.commit"] > 0 and labels > 120
