"""The demo: stated rules, a built workspace that opens with this version and adds up."""

import errno
from pathlib import Path

import pytest

from core.domain.errors import StorageFull, UserError, WorkspaceInUse
from core.domain.judgement import Verdict
from core.services.application import Application
from core.services.demo.answers import demo_prompts
from core.services.demo.labels import complete, rule_plain, rule_steps, steps
from core.services.demo.opening import built_demo, open_demo

LIST = "1. Turn the water off.\n2. Take the handle off.\n3. Change the washer."
TALK = "Taps drip when a washer is worn. Change it and the tap is quiet again."
BROKEN = "1. Turn the water off.\n2. Take the handle off.\n3. Change the"


def test_that_steps_are_counted_and_capped():
    assert steps(LIST) == 3
    assert steps("\n".join(f"{n}. do it" for n in range(20))) == 9


def test_that_a_text_that_breaks_off_is_not_complete():
    assert complete(TALK)
    assert not complete(BROKEN)


def test_that_the_two_rules_disagree_on_a_list_that_breaks_off():
    assert rule_steps(BROKEN, TALK).preferred == "A"
    assert rule_plain(BROKEN, TALK).preferred == "B"


def test_that_equal_answers_are_a_tie():
    assert rule_steps(TALK, TALK).verdict is Verdict.TIE


def test_that_swapping_the_answers_swaps_the_sign():
    assert rule_steps(LIST, TALK).strength == -rule_steps(TALK, LIST).strength


@pytest.fixture
def demo(monkeypatch, tmp_path):
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path))
    with Application.open(open_demo()) as app:
        yield app


def test_that_the_demo_is_copied_whole_and_kept_until_reset(monkeypatch, tmp_path):
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path))
    place = open_demo()
    (place / "mine").write_text("kept")
    assert (open_demo() / "mine").exists()
    assert not (open_demo(reset=True) / "mine").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name != "cache"] == [place.name]


def test_that_a_demo_in_use_is_not_reset_under_its_window(demo):
    with pytest.raises(WorkspaceInUse):
        open_demo(reset=True)
    assert demo.pairs.count() > 0
    assert (demo.folder / "workspace.db").is_file()


def test_that_a_demo_is_not_taken_over_while_its_new_copy_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path))
    place = open_demo()
    refused = []

    def built():
        with pytest.raises(WorkspaceInUse):
            Application.open(place)
        refused.append(True)
        return built_demo()

    monkeypatch.setattr("core.services.demo.opening.built_demo", built)
    open_demo(reset=True)
    assert refused == [True]
    Application.open(place).close()


@pytest.mark.parametrize("reset", [False, True])
def test_that_what_lies_in_place_of_a_lost_demo_is_kept(monkeypatch, tmp_path, reset):
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path))
    place = open_demo()
    (place / "workspace.db").unlink()
    (place / "backups").mkdir(exist_ok=True)
    (place / "backups" / "mine.db").write_text("kept")
    assert open_demo(reset=reset) == place
    assert (place / "workspace.db").is_file()
    assert not (place / "backups" / "mine.db").exists()
    assert [p.read_text() for p in tmp_path.glob("*/backups/mine.db")] == ["kept"]


def test_that_a_demo_that_cannot_be_put_in_place_leaves_the_old_one_there(monkeypatch, tmp_path):
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path))
    place = open_demo()
    (place / "mine").write_text("kept")
    rename = Path.rename

    def refuse(path, target):
        if path.name.startswith(".tmp-"):
            raise OSError(errno.EACCES, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(UserError):
        open_demo(reset=True)
    assert (place / "mine").read_text() == "kept"
    assert [p.name for p in tmp_path.iterdir() if p.name != "cache"] == [place.name]


def test_that_a_demo_copy_that_fails_leaves_nothing(monkeypatch, tmp_path):
    def full(_source, target):
        target.mkdir()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("core.services.demo.opening.shutil.copytree", full)
    with pytest.raises(StorageFull):
        open_demo()
    assert [p.name for p in (tmp_path / "home").rglob("*") if p.name not in ("cache", "unfinished")] == []


def test_that_the_built_demo_opens_and_adds_up(demo):
    assert demo.workspace.check().ok
    assert demo.workspace.info().counts["pairs"] == 2 * len(demo_prompts())


def test_that_the_built_demo_has_the_newest_schema_and_is_read_without_an_upgrade():
    with Application.open(built_demo(), read_only=True) as app:  # else: open a copy for writing and put its file here
        assert app.workspace.info().counts["pairs"] == 208


def test_that_the_demo_has_two_published_versions_and_reviewers_who_disagree(demo):
    assert len(demo.rubrics.published()) == 2
    from core.services.pairs.service import PairFilter

    assert demo.pairs.count(PairFilter(label="disagree")) > 0


def test_that_a_point_of_the_demo_run_leads_back_to_label_clause_and_reviewer(demo):
    (run,) = demo.runs.list()
    assert run.state == "finished"
    worst = demo.runs.lineage(run.run_id).rows(demo.runs.reader(run.run_id).worst(1))[0]
    assert worst.prompt in demo_prompts()
    assert worst.reviewers
    assert "Workshop help desk 2.0.0" in worst.clause
