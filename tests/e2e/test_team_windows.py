"""The team's way through real windows, all labels and decisions by keys; on votes of PandaLM where they are at hand."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from core.services.application import Application
from tests.app.annotate.conftest import LabelingSession
from tests.e2e.team_story import Says, Story, TableRow60, items_of, tell, total_of
from tests.e2e.test_team_story import ROWS, table

pytestmark = pytest.mark.slow
PANDALM = Path(__file__).resolve().parents[3] / "shared" / "data" / "pandalm_3annotators.jsonl.gz"
LEFT, TIE, RIGHT = Qt.Key.Key_2, Qt.Key.Key_4, Qt.Key.Key_6


@dataclass
class InWindows:
    """People who press keys in the real window."""

    main_window: Callable[..., Any]
    qtbot: Any

    @contextmanager
    def at(self, folder: Path) -> Iterator[WindowDesk]:
        """Open a window with a workspace, and close it at the end."""
        running = self.main_window(workspace=folder, place="annotate")
        try:
            session = LabelingSession(running, self.qtbot)
            session.stop_clock()
            yield WindowDesk(session, running.context.services)
            running.settle()
            assert running.unexpected == []
        finally:
            running.shut()


@dataclass
class WindowDesk:
    """A window with a workspace, and who sits in front of it."""

    session: LabelingSession
    app: Application

    def answer(self, who: int, batch: int, says: Says) -> None:
        """Answer by keys until the queue says that there is nothing left."""
        session = self._take(who)
        if batch:
            session.page.show_item(batch=batch, title="Week 1")
        else:
            session.page.take_queue("stale")
        while shown := self._shown():
            strength, clauses = says.of(shown)
            key = self._key(strength, shown)
            session.press(Qt.Key.Key_J, *(key for _ in clauses))
            if len(clauses) < len(session.state.criterion_ids):
                session.press(Qt.Key.Key_K, Qt.Key.Key_K)
            session.press(key, Qt.Key.Key_Return)
            session.stored()

    def decide(self, who: int, version_id: int, request: str) -> int:
        """Pick first, then choose cause and outcome by keys."""
        session, count = self._take(who), 0
        session.context.actions.run("annotate.adjudicate")
        mode = session.page.adjudicate
        while shown := self._shown():
            session.press(self._key(total_of(self.app, version_id, shown.pair_id), shown), Qt.Key.Key_Return)
            session.reach(lambda: mode.on)
            if request and not count:
                bar = mode.view.bar
                session.press(Qt.Key.Key_2, Qt.Key.Key_8)
                bar.clauses.setCurrentIndex(bar.clauses.findData("plain"))
                session.qtbot.keyClicks(bar.request, request)
            else:
                session.press(Qt.Key.Key_3, Qt.Key.Key_7)
            session.press(Qt.Key.Key_Return)
            session.reach(lambda: not mode.on)
            session.stored()
            count += 1
        return count

    def _take(self, who: int) -> LabelingSession:
        name = next(one.name for one in self.app.reviewers.list() if one.id == who)
        self.session.context.session.set_reviewer(who, name)
        self.session.running.settle()
        return self.session

    def _shown(self) -> Any:
        session = self.session
        session.running.settle()
        if session.shown is not None:
            session.page.first_focus().setFocus()
        return session.shown

    @staticmethod
    def _key(strength: int, shown: Any) -> Qt.Key:
        return TIE if not strength else LEFT if (strength < 0) == (shown.left_is == "A") else RIGHT


def rows() -> Sequence[TableRow60]:
    """Return 60 pairs of PandaLM with different texts and the votes of its three reviewers, or made-up ones."""
    if not PANDALM.is_file():
        return table()
    with gzip.open(PANDALM, "rt", encoding="utf-8") as lines:
        found = {}
        for row in map(json.loads, lines):
            prompt = f"{row['instruction']}\n\n{row['input']}".strip()
            first, second = row["response1"], row["response2"]
            votes = tuple(int(row[f"annotator{n}"]) for n in (1, 2, 3))
            texts = {one.strip() for one in (first, second) if isinstance(one, str)} - {""}
            if len(texts) == 2:
                found.setdefault(prompt, TableRow60(prompt, first, second, votes))  # type: ignore[arg-type]
    return sorted(found.values(), key=lambda row: len(row.prompt + row.first + row.second))[:ROWS]


def alpha_nominal(votes: Sequence[Sequence[int]]) -> float:
    """Return Krippendorff's alpha by its coincidence matrix: 1 - (n - 1) * sum o_ck / sum n_c n_k, c not k."""
    pairs: dict[tuple[int, int], float] = {}
    for said in (one for one in votes if len(one) > 1):
        for a, b in itertools.permutations(said, 2):
            pairs[a, b] = pairs.get((a, b), 0.0) + 1 / (len(said) - 1)
    sums = {c: sum(v for (a, _), v in pairs.items() if a == c) for c in {a for a, _ in pairs}}
    n = sum(sums.values())
    seen = sum(v for (a, b), v in pairs.items() if a != b)
    by_chance = (n**2 - sum(one**2 for one in sums.values())) / (n - 1)
    return 1 - seen / by_chance


def votes_under(app: Application, title: str) -> list[list[int]]:
    """Return for each pair the side (-1, 0, 1) that each of the three named last under a version."""
    found: dict[int, dict[int, int]] = {}
    for pair_id, history in app.pairs.judgements(app.pairs.ids()).items():
        for one in history:
            if one.draft and one.rubric_title == title and one.task in ("label", "relabel"):
                strength = one.draft.strength or 0
                found.setdefault(pair_id, {})[one.reviewer.id] = (strength > 0) - (strength < 0)
    return [list(said.values()) for said in found.values()]


@pytest.mark.timeout(3600)
def test_that_three_people_come_from_pairs_to_a_second_version_by_keys(
    main_window: Callable[..., Any], qtbot: Any, tmp_path: Path
) -> None:
    story = tell(rows(), tmp_path, InWindows(main_window, qtbot))
    assert story.orders["home"] == story.orders["other"] and story.conflicts > 0 and story.stale > 0
    with Application.open(story.home, read_only=True) as app:
        _check(app, story)


def _check(app: Application, story: Story) -> None:
    assert app.workspace.check().ok
    first, second = story.versions
    old, new, diff = items_of(app, first), items_of(app, second), app.datasets.diff(first.id, second.id)
    assert set(diff.added) == set(new) - set(old) and set(diff.removed) == set(old) - set(new)
    turned = {k for k in set(old) & set(new) if (old[k].is_tie, old[k].chosen) != (new[k].is_tie, new[k].chosen)}
    assert set(diff.flipped) == turned and diff.rubrics_added == ("House 2.0.0",)
    assert app.rubrics.stale(app.rubrics.published()[0].id) == 0
    groups = app.quality.report().groups["version"]
    for title in ("House 1.0.0", "House 2.0.0"):
        votes = votes_under(app, title)
        assert groups[title].measures["alpha_nominal"].value == pytest.approx(alpha_nominal(votes)), title
        assert groups[title].items == sum(len(said) > 1 for said in votes)
    log = {one.op for one in app.workspace.activity(5000)}
    assert {"batch.create", "bundle.export", "bundle.merge", "batch.due", "label.commit", "adjudicate.decide"} <= log
    assert {"rubric.requests", "rubric.publish", "dataset.freeze"} <= log
