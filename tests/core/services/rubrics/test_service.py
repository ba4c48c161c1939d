"""Rubrics: drafts, publishing, numbering, diffs, stale labels, YAML and templates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.errors import BadInput, ImmutableError, NotFound
from core.domain.rubric import ChangeLevel, Criterion, RubricBody, RubricState, problems
from core.services.application import Application
from core.services.rubrics import yaml_format
from core.store import rubrics as repository
from tests.fakes.workspaces import BODY, opened

NEW = replace(BODY, purpose="Which answer is more honest?")


@pytest.fixture
def app(tmp_path: Path):
    """A workspace with the rubric Helpful 1.0.0."""
    with opened(tmp_path / "ws") as app:
        yield app


def next_version(app: Application, level: ChangeLevel, body: RubricBody) -> str:
    """Publish the next version of Helpful and return its number."""
    draft = app.rubrics.new_draft(1).value
    app.rubrics.save_draft(draft.id, body)
    return app.rubrics.publish(draft.id, level, "because").value.number


def test_that_a_rubric_is_drafted_published_and_hashed(app: Application) -> None:
    draft = app.rubrics.create("Honest", NEW).value
    assert draft.state is RubricState.DRAFT
    published = app.rubrics.publish(draft.id).value
    assert (published.title, published.state) == ("Honest 1.0.0", RubricState.PUBLISHED)
    assert published.sha256 == NEW.sha256
    assert app.rubrics.version(published.id) == published
    assert [v.title for v in app.rubrics.published()] == ["Honest 1.0.0", "Helpful 1.0.0"]


def test_that_versions_are_numbered_by_level_from_the_newest(app: Application) -> None:
    bodies = [replace(BODY, purpose=f"Purpose {n}") for n in range(4)]
    levels = [ChangeLevel.MINOR, ChangeLevel.PATCH, ChangeLevel.MAJOR, ChangeLevel.MINOR]
    numbers = [next_version(app, level, body) for level, body in zip(levels, bodies, strict=True)]
    assert numbers == ["1.1.0", "1.1.1", "2.0.0", "2.1.0"]


def test_that_a_published_version_never_changes(app: Application) -> None:
    for attempt in (
        lambda: app.rubrics.save_draft(1, NEW),
        lambda: app.rubrics.publish(1, ChangeLevel.MINOR, "again"),
        lambda: app.rubrics.discard_draft(1),
    ):
        with pytest.raises(ImmutableError, match="published and never changes"):
            attempt()
    assert app.rubrics.version(1).body == BODY


def test_that_there_is_one_draft_a_rubric(app: Application) -> None:
    first, again = app.rubrics.new_draft(1), app.rubrics.new_draft(1)
    assert first.value.id == again.value.id
    assert first.value.based_on == 1
    assert first.changes
    assert not again.changes
    app.rubrics.discard_draft(first.value.id)
    assert app.rubrics.list()[0].draft is None


def test_that_an_unsound_draft_is_not_published_and_each_problem_is_named(app: Application) -> None:
    twice = Criterion("x", "X", "Which?")
    draft = app.rubrics.create("Broken", RubricBody(purpose=" ", criteria=(twice, twice), priority=("y",))).value
    with pytest.raises(BadInput, match=r"purpose is empty.*share one id.*unknown criteria: y"):
        app.rubrics.publish(draft.id)
    assert app.rubrics.version(draft.id).state is RubricState.DRAFT


def test_that_a_version_that_says_nothing_new_is_refused(app: Application) -> None:
    draft = app.rubrics.new_draft(1).value
    with pytest.raises(BadInput, match="nothing to publish"):
        app.rubrics.publish(draft.id, ChangeLevel.PATCH, "note")
    app.rubrics.save_draft(draft.id, NEW)
    with pytest.raises(BadInput, match="change note"):
        app.rubrics.publish(draft.id, ChangeLevel.PATCH)
    app.rubrics.save_draft(draft.id, NEW, "Honesty instead of help.")
    assert app.rubrics.publish(draft.id, ChangeLevel.MAJOR).value.change_note == "Honesty instead of help."


def test_that_names_are_taken_once_whatever_their_case(app: Application) -> None:
    with pytest.raises(BadInput, match="already a rubric"):
        app.rubrics.create("HELPFUL", NEW)
    with pytest.raises(BadInput, match="needs a name"):
        app.rubrics.create("  ", NEW)


def test_that_missing_rubrics_are_a_sentence(app: Application) -> None:
    with pytest.raises(NotFound):
        app.rubrics.version(77)
    with pytest.raises(NotFound):
        app.rubrics.new_draft(77)


def test_that_the_list_shows_draft_newest_and_stale_labels(app: Application) -> None:
    app.rubrics.new_draft(1)
    (summary,) = app.rubrics.list()
    assert summary.draft is not None
    assert summary.published is not None
    assert summary.published.title == "Helpful 1.0.0"
    assert summary.labels == {1: 0, 2: 0}
    assert (summary.stale, summary.imported) == (0, False)


def test_that_two_versions_are_compared_field_by_field(app: Application) -> None:
    next_version(app, ChangeLevel.MAJOR, NEW)
    (change,) = app.rubrics.diff(1, 2)
    assert (change.where, change.before, change.after) == ("purpose", BODY.purpose, NEW.purpose)


def test_that_the_labels_of_a_source_stand_under_a_stub_of_their_own(app: Application) -> None:
    context = app.store.write_context()

    def stub(name: str) -> str:
        return app.store.write(lambda s: repository.imported_version(s, name, "As the file says.", context), "x").title

    assert stub("hh-rlhf") == stub("hh-rlhf") == "hh-rlhf 1.0.0"
    assert stub("Helpful") == "Helpful (imported) 1.0.0", "an authored rubric is never taken for a stub"
    assert [v.title for v in app.rubrics.published()] == ["Helpful 1.0.0"]
    assert len(app.rubrics.published(imported=True)) == 3


def test_that_yaml_goes_out_and_comes_back_the_same(app: Application, tmp_path: Path) -> None:
    text = app.rubrics.to_yaml(1, tmp_path / "helpful.yaml")
    assert app.rubrics.from_yaml(text) == ("Helpful", BODY)
    assert app.rubrics.from_yaml(tmp_path / "helpful.yaml") == ("Helpful", BODY)


def test_that_a_yaml_file_becomes_a_rubric_or_its_next_version(app: Application, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(yaml_format.dump("helpful", NEW))
    assert app.rubrics.publish_yaml(path, ChangeLevel.MINOR, "Honest.").value.title == "Helpful 1.1.0"
    with pytest.raises(BadInput, match="nothing to publish"):
        app.rubrics.publish_yaml(path, ChangeLevel.MINOR, "Again.")
    assert app.rubrics.list()[0].draft is None, "a refused file leaves no draft behind"
    path.write_text(yaml_format.dump("Honest", NEW))
    assert app.rubrics.publish_yaml(path, ChangeLevel.MINOR).value.title == "Honest 1.0.0"


def test_that_the_templates_are_sound_and_complete(app: Application) -> None:
    templates = app.rubrics.templates()
    assert {t.key for t in templates} == {"helpful_harmless", "grounded_answers", "concise_instructions"}
    for template in templates:
        body = template.body
        assert problems(body) == []
        assert set(body.priority) == {c.id for c in body.criteria}
        assert body.tie_rule
        assert body.not_checked
        assert body.examples
        assert all(len(c.anchors) >= 3 for c in body.criteria)
        assert any(c.allowed for c in body.criteria)
        assert any(c.disallowed for c in body.criteria)
        assert yaml_format.parse(yaml_format.dump(template.name, body)) == (template.name, body)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "line 1"),
        ("just words", "not a rubric"),
        ("name: x\ncriteria: 5", "not a rubric"),
        ("purpose: p\ncriteria: []", "no name"),
        ("name: x\npurpose: p\ncriteria:\n- id: a\n", "not a rubric"),
        ("name: x\npurpose: p\nweight: 3\ncriteria: []", "unknown field 'weight'"),
        ("name: x\npurpose: p\ncriteria:\n- {id: a, name: A, question: Q, colour: red}", "unknown field 'colour'"),
        ("name: x\npurpose: &p q\ntie_rule: *p\ncriteria: []", "references"),
        ("name: !!python/object/apply:os.system ['true']\ncriteria: []", "line 1"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_that_yaml_that_is_no_rubric_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        yaml_format.parse(text)


def test_that_unreadable_rubric_files_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        yaml_format.read(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="not UTF-8"):
        yaml_format.read(tmp_path / "bad.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * (1 << 21))
    with pytest.raises(BadInput, match="larger"):
        yaml_format.read(tmp_path / "big.yaml")
