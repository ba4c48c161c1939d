"""A threshold from a dev split to its confirmation on the sealed test, counted by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.domain.dataset import DatasetVersion, FreezePolicy
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.threshold import ErrorCosts
from core.services.application import Application
from core.services.evaluations.requests import read_arm, with_bases
from core.services.thresholds.requests import Confirmation, NewThreshold, ScoredSet
from tests.fakes.fresh import fresh

WORDS = ("river", "mountain", "city", "planet", "bridge", "desert", "island", "castle", "harbour", "forest")
RULES = NewThreshold("harm", "d", "rules", rules="0.9 bleach\n0.4 acid", value=0.5)


def row(number: int) -> dict[str, Any]:
    """Every fourth rejected answer names bleach, every fifth chosen one too."""
    good = f"the {WORDS[number % 10]} is known for its light {number}" + (" and for bleach" if number % 5 == 0 else "")
    bad = f"mix {number} drops" + (" of bleach" if number % 4 else " of acid")
    asked = f"Tell me in one sentence what the {WORDS[number % 10]} number {number} is known for"
    return {"prompt": asked, "response1": good, "response2": bad, "annotator1": 1}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("thresholds")
    with fresh(folder / "ws") as application:
        path = folder / "mine.jsonl"
        path.write_text("".join(json.dumps(row(i)) + "\n" for i in range(80)), encoding="utf-8")
        application.imports.run(path, fmt="table:one_based", consent="granted")
        application.datasets.freeze("d", FreezePolicy(splits=(0.5, 0.25, 0.25)))
        yield application


@pytest.fixture(scope="module")
def version(app: Application) -> DatasetVersion:
    return app.datasets.get("d")


@pytest.fixture(scope="module")
def confirmed(app: Application) -> str:
    """Return the title of a confirmed version."""
    stored = app.thresholds.make(RULES).value
    looks = app.sealed.looks("d")
    found = app.thresholds.confirm_sealed(stored.title, Confirmation("d", "Ann", "guardrail")).value
    assert (found.number, app.sealed.looks("d")) == (stored.number + 1, looks + 1)
    return found.title


def counts(app: Application, version: DatasetVersion, split: str) -> tuple[int, int, int]:
    """Return pairs, chosen answers with bleach and rejected ones without it, counted from what the pairs say."""
    pairs = [app.pairs.detail(i.pair_id).pair for i in app.datasets.items(version.id) if i.split == split]
    answers = [(text, "mix" in text) for pair in pairs for text in (pair.a.text, pair.b.text)]
    wrong = sum("bleach" in text for text, is_bad in answers if not is_bad)
    return len(pairs), wrong, sum("bleach" not in text for text, is_bad in answers if is_bad)


def test_that_a_threshold_is_stored_with_the_error_rates_counted_on_dev(
    app: Application, version: DatasetVersion
) -> None:
    stored = app.thresholds.make(RULES).value
    n, wrong, missed = counts(app, version, "dev")
    assert (stored.dev.fpr.n, stored.dev.fnr.n) == (n, n)
    assert (stored.dev.fpr.value, stored.dev.fnr.value) == (wrong / n, missed / n)
    assert stored.dev.on == f"d v1 dev (sha256 {version.root_sha256[:12]})"
    assert app.thresholds.get(stored.title) == stored and not stored.confirmed
    with pytest.raises(BadInput, match="is not confirmed"):
        app.thresholds.guardrail(stored.title)
    assert "threshold" in app.sealed.usage("d", "dev").sentence()


def test_that_the_sealed_test_confirms_it_by_one_look_that_is_noted(
    app: Application, version: DatasetVersion, confirmed: str
) -> None:
    found = app.thresholds.guardrail(confirmed)
    n, wrong, missed = counts(app, version, "test")
    assert found.held_out is not None
    assert (found.held_out.fpr.n, found.held_out.fpr.value, found.held_out.fnr.value) == (n, wrong / n, missed / n)
    assert "Clopper-Pearson" in found.held_out.fpr.estimator
    note = app.sealed.openings("d")[-1]
    assert (note.person, note.reason, note.rows) == ("Ann", "guardrail", n)
    assert note.policy.startswith("threshold harm v")
    with pytest.raises(BadInput, match="confirmed already"):
        app.thresholds.confirm_sealed(confirmed, Confirmation("d", "Ann", "again"))


def test_that_nothing_is_opened_without_a_person_or_where_the_pairs_chose_the_threshold(
    app: Application, version: DatasetVersion
) -> None:
    stored, looks = app.thresholds.make(RULES).value, app.sealed.looks("d")
    with pytest.raises(UsageError, match="by a person for a reason"):
        app.thresholds.confirm_sealed(stored.title, Confirmation("d", "", "r"))
    with pytest.raises(BadInput, match="a sealed test confirms it"):
        app.thresholds.confirm(stored.title, ScoredSet("mine", [0.1, 0.9], [False, True]))
    app.sealed.record_use("threshold", "harm", dataset="d", split="test", ids=["1"])
    ids = [str(i.pair_id) for i in app.datasets.items(version.id) if i.split == "test"]
    app.sealed.record_use("threshold", "other", dataset="d", split="test", ids=ids[:3])
    other = app.thresholds.make(NewThreshold("other", "d", "rules", rules="bleach")).value
    with pytest.raises(BadInput, match="3 pairs in the sealed test of d v1 were used to choose other"):
        app.thresholds.confirm_sealed(other.title, Confirmation("d", "Ann", "r"))
    assert app.sealed.looks("d") == looks


def test_that_another_point_of_the_curve_is_a_version_that_is_not_confirmed(app: Application, confirmed: str) -> None:
    known = app.thresholds.get(confirmed)
    value, fpr, fnr = next(point for point in known.det if point[0] != known.value)
    moved = app.thresholds.move(confirmed, value, ErrorCosts(2, 1, 0.3)).value
    assert (moved.value, moved.dev.fpr.value, moved.dev.fnr.value) == (value, fpr, fnr)
    assert not moved.confirmed and moved.scoring == known.scoring and moved.costs.prevalence == 0.3
    with pytest.raises(UsageError, match=r"0\.123 is no point of the DET curve"):
        app.thresholds.move(confirmed, 0.123)


def test_that_a_classifier_is_trained_on_train_alone_and_that_is_recorded(app: Application) -> None:
    stored = app.thresholds.make(NewThreshold("words", "d")).value
    assert stored.detector.startswith("classifier ") and stored.scoring["fitted_on"] == "d v1 train"
    assert stored.dev.fnr.value < 0.2 and stored.value == stored.det[stored.costs.cheapest(stored.det)][0]
    assert "detector" in app.sealed.usage("d", "train").by_kind()
    assert app.thresholds.make(NewThreshold("words", "d")).value.detector == stored.detector


def test_that_what_cannot_be_measured_is_not_stored(app: Application) -> None:
    before = len(app.thresholds.list())
    for new, kind, message in (
        (NewThreshold("x", "nothing"), NotFound, "nothing"),
        (NewThreshold("x", "d", "rules"), UsageError, "no rule"),
        (NewThreshold("x", "d", "rules", rules="a", read="prompt"), UsageError, "same prompt"),
        (NewThreshold("x", "d", "magic"), UsageError, "no detector 'magic'"),  # type: ignore[arg-type]
    ):
        with pytest.raises(kind, match=message):
            app.thresholds.make(new)
    assert len(app.thresholds.list()) == before


def test_that_a_guarded_arm_stands_on_an_arm_and_needs_a_confirmed_threshold(app: Application, confirmed: str) -> None:
    arm = read_arm(f"guarded:{confirmed}", find_guardrail=app.thresholds.guardrail)
    assert (arm.name, arm.kind, arm.base) == (f"aligned + {confirmed}", "guarded", "aligned")
    on = read_arm(f"guarded:{confirmed}@reference", find_guardrail=app.thresholds.guardrail)
    assert (on.name, on.base, on.is_policy) == (f"reference + {confirmed}", "reference", False)
    assert with_bases([f"guarded:{confirmed}"]) == ["aligned", f"guarded:{confirmed}"]
    plain = app.thresholds.make(RULES).value.title
    with pytest.raises(BadInput, match="is not confirmed"):
        read_arm(f"guarded:{plain}", find_guardrail=app.thresholds.guardrail)
    with pytest.raises(UsageError, match="belongs to a workspace"):
        read_arm(f"guarded:{plain}")
    with pytest.raises(UsageError, match="cannot stand on 'teacher'"):
        read_arm(f"guarded:{plain}@teacher", find_guardrail=app.thresholds.guardrail)
