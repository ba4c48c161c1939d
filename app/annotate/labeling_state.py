"""What is on the labelling screen: the pair, the pairs that wait, the form, the queue. No widgets, no services."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from app.annotate.judgement_form import JudgementForm, ScreenSide, StoredForm
from app.annotate.press_guard import DoublePressGuard
from app.annotate.queue_choice import QueueChoice
from app.annotate.verdict_scale import SCALE_STRENGTHS
from core.domain.judgement import JudgementDraft
from core.domain.rubric import RubricVersion
from core.services.annotation.views import PresentationView, QueueInfo

IDLE_CUT_S = 60.0
"""Of a longer time between two acts, only this much counts as work."""
KEPT_DECISIONS = 10
"""Last decisions that the keys [ and ] go through."""


class LabelingState:
    """The state that the controllers change and the views show.

    Args:
        clock: returns seconds, monotonic.

    Attributes:
        presentation: the pair on the screen, or None.
        earlier_id: the stored judgement that the screen shows to read or amend; None for a pair of the queue.
        form: what is filled in for ``presentation``.
        waiting: pairs fetched ahead, next one first.
        paused: whether the reviewer hid the pair and stopped the clock.
        choice: what the reviewer chose to label.
        queue: the open queue, or None.
        rubrics: every published version by its id.
        rubric: the version whose criteria are shown.
        focused: place of the criterion that takes the verdict keys; -1 for the overall verdict.
        recent_ids: the reviewer's last judgements, newest first.
        bookmarked: pairs that the reviewer bookmarked.
        saving: commits that are not stored yet.
        answered: pairs that left the screen since a queue was last asked for.
        on_screen: the presentation whose texts the view shows; what is stored must be the answer to it.
        amending: whether the reviewer asked to amend the earlier judgement that is shown.
        stepping: whether another pair was asked for (a step back, undo, redo) and is not shown yet.
        returned: whether this pair came back because an amendment was stored, not because it was asked for.
        decisions: the pairs that were judged since the window was opened, by judgement, to look at them at once.
        criteria_seen: tells whether the criteria can be seen; the page sets it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.presentation: PresentationView | None = None
        self.earlier_id: int | None = None
        self.form = JudgementForm()
        self.waiting: deque[PresentationView] = deque()
        self.paused = False
        self.choice = QueueChoice()
        self.queue: QueueInfo | None = None
        self.rubrics: Mapping[int, RubricVersion] = {}
        self.rubric: RubricVersion | None = None
        self.focused = -1
        self.recent_ids: tuple[int, ...] = ()
        self.bookmarked: set[int] = set()
        self.saving = 0
        self.answered: set[int] = set()
        self.on_screen = ""
        self.amending = False
        self.stepping = False
        self.returned = False
        self.decisions: dict[int, PresentationView] = {}
        self._step = 0
        self.criteria_seen: Callable[[], bool] = lambda: True
        self.presses = DoublePressGuard(lambda: self.clock())
        self._shown_at = self._acted_at = self._active_s = 0.0
        self._touched = self._acted = False
        self._initial: StoredForm = self.form.to_stored()

    # Pairs that wait

    def add_waiting(self, presentations: Iterable[PresentationView]) -> None:
        """Put fetched pairs behind those that wait; a pair that is here already is left out."""
        known = {p.presentation_uid for p in self.waiting}
        if self.presentation is not None:
            known.add(self.presentation.presentation_uid)
        self.waiting.extend(p for p in presentations if p.presentation_uid not in known)

    def replace_waiting(self, presentations: Iterable[PresentationView]) -> None:
        """Put the pairs of a queue that was opened again in place of those that wait.

        A pair that waits with a draft keeps it. The pair on the screen and pairs that were answered while the queue
        was opened are left out.
        """
        with_draft = {p.presentation_uid: p for p in self.waiting if p.draft}
        shown = self.presentation if self.earlier_id is None else None
        left_out = self.answered | ({shown.pair_id} if shown is not None else set())
        self.waiting.clear()
        self.add_waiting(with_draft.get(p.presentation_uid, p) for p in presentations if p.pair_id not in left_out)

    def drop(self, pair_id: int) -> None:
        """Remove a pair that was answered another way from the screen and from those that wait."""
        self.waiting = deque(p for p in self.waiting if p.pair_id != pair_id)
        if self.presentation is not None and self.presentation.pair_id == pair_id:
            self.clear()

    # The pair on the screen

    def advance(self) -> bool:
        """Show the next pair that waits; return whether there was one. Without one, nothing is shown."""
        if self.waiting:
            self.show(self.waiting.popleft())
        else:
            self.clear()
        return self.presentation is not None

    def show(self, presentation: PresentationView, earlier_id: int | None = None) -> None:
        """Show a pair with its former answer or its draft; ``earlier_id`` names the judgement that is looked at."""
        form = JudgementForm()
        if presentation.answer is not None:
            form = JudgementForm.from_draft(presentation.answer, presentation.left_is)
        elif presentation.draft:
            form = JudgementForm.from_stored(presentation.draft)
        self._take(presentation, form, earlier_id)

    def clear(self) -> None:
        """Show nothing."""
        self._take(None, JudgementForm(), None)

    def put_back(self, presentation: PresentationView, form: JudgementForm, earlier_id: int | None) -> None:
        """Show a pair again whose commit failed, with everything that was filled in."""
        self.set_aside()
        self.show(presentation, earlier_id)
        self.form = form
        self._touched = True
        self.presses.note_surprise()

    def set_aside(self) -> None:
        """Put the pair on the screen in front of those that wait; an earlier judgement is only closed."""
        if self.presentation is not None and self.earlier_id is None:
            draft = dict(self.form.to_stored())
            self.waiting.appendleft(replace(self.presentation, draft=draft, answer=None))
        self.presentation = None

    @property
    def can_answer(self) -> bool:
        """Whether a pair is shown, its texts can be seen, and no other pair is about to take its place."""
        return self.presentation is not None and not self.paused and not self.stepping

    @property
    def is_on_screen(self) -> bool:
        """Whether the view shows the texts of the pair that the form answers."""
        return self.presentation is not None and self.presentation.presentation_uid == self.on_screen

    @property
    def dropped_note(self) -> str:
        """What is lost when the earlier judgement on the screen is left now, as a sentence, or empty."""
        if self.presentation is None or self.earlier_id is None or not self.changed:
            return ""
        return f"The change of pair {self.presentation.pair_id} was not submitted and is dropped. "

    def shows_pair(self, pair_id: int) -> bool:
        """Whether this pair is on the screen."""
        return self.presentation is not None and self.presentation.pair_id == pair_id

    def text_of(self, side: ScreenSide) -> str:
        """Return the answer on a side, empty without a pair."""
        if self.presentation is None:
            return ""
        return self.presentation.left if side == "left" else self.presentation.right

    # Steps to another pair, which take a moment

    def begin_step(self) -> int:
        """Note that another pair was asked for: until it is shown no key answers. Return the number of the step."""
        self._step += 1
        self.stepping = True
        return self._step

    def awaits(self, step: int) -> bool:
        """Whether the pair of this step is still the one that was asked for last."""
        return self.stepping and step == self._step

    def end_step(self) -> None:
        """Note that the pair on the screen stays after all."""
        self.stepping = False

    def remember(self, judgement_id: int, presentation: PresentationView, replaced: int | None) -> None:
        """Note a stored judgement as the newest; ``replaced`` is the one that it amends.

        A pair that was labelled again is read when it is looked at: it comes with the earlier label then.
        """
        self.decisions.pop(replaced or 0, None)
        if presentation.changed is None:
            self.decisions[judgement_id] = presentation
        for old in list(self.decisions)[:-KEPT_DECISIONS]:
            del self.decisions[old]
        others = (key for key in self.recent_ids if key not in (replaced, judgement_id))
        self.recent_ids = (judgement_id, *others)[:KEPT_DECISIONS]

    def forget_decisions(self) -> None:
        """Note that stored judgements changed in a way that is not known here."""
        self.decisions.clear()
        self.recent_ids = ()

    # The rubric

    @property
    def criterion_ids(self) -> tuple[str, ...]:
        """The criteria that are shown, in order."""
        return () if self.rubric is None else tuple(criterion.id for criterion in self.rubric.body.criteria)

    @property
    def focused_id(self) -> str | None:
        """The criterion that takes the verdict keys; None for the overall verdict."""
        return self.criterion_ids[self.focused] if self.focused >= 0 else None

    @property
    def strengths(self) -> tuple[int, ...]:
        """The strengths that the rubric's scale offers."""
        return SCALE_STRENGTHS[7 if self.rubric is None else self.rubric.body.scale]

    def focus(self, place: int) -> None:
        """Let the criterion at a place take the verdict keys; outside the list the nearest place counts."""
        self.focused = max(-1, min(place, len(self.criterion_ids) - 1))

    def focus_next(self) -> None:
        """Focus the next criterion, after the last one the overall verdict."""
        following = self.focused + 1
        self.focus(following if following < len(self.criterion_ids) else -1)

    @property
    def under_other_rubric(self) -> bool:
        """Whether the pair on the screen is judged under another rubric version than the queue's."""
        if self.presentation is None or self.queue is None:
            return False
        return self.presentation.rubric_version_id != self.queue.settings.rubric_version_id

    @property
    def rubric_note(self) -> str:
        """Under which other rubric version the answer on the screen was given, as the end of a sentence, or empty."""
        if self.presentation is None or not self.under_other_rubric:
            return ""
        version = self.rubrics.get(self.presentation.rubric_version_id)
        return f", made under {version.title}" if version is not None else ", made under another rubric"

    # What was done

    def act(self) -> JudgementForm:
        """Count the time since the last act as work; return the form, which is about to change."""
        now = self.clock()
        self._active_s += min(now - self._acted_at, IDLE_CUT_S) if not self.paused else 0.0
        self._acted_at = now
        self._touched, self._acted, self.returned = True, True, False
        return self.form

    def resume(self) -> None:
        """Show the pair again after a pause; the key that did so is not an answer."""
        self.act()
        self.paused, self._acted = False, False
        self.presses.note("submit")

    @property
    def touched(self) -> bool:
        """Whether anything was done on the pair since it was shown."""
        return self._touched

    @property
    def changed(self) -> bool:
        """Whether the form differs from what it held when the pair was shown."""
        return self.form.to_stored() != self._initial

    def is_double_press(self, key: str, within_s: float) -> bool:
        """Whether ``key`` just sent a pair away, or a pair came unasked, and nothing was done on this one."""
        return not self._acted and self.presses.repeats(key, within_s)

    def draft(self) -> JudgementDraft:
        """Return the judgement in canonical sides, ready to be stored.

        Raises:
            BadInput: no verdict is chosen, or the parts contradict each other.
            ValueError: no pair is shown.
        """
        if self.presentation is None:
            raise ValueError("no pair is shown")
        return self.act().to_draft(
            self.presentation.left_is,
            shown_ms=round(1000 * (self.clock() - self._shown_at)),
            active_ms=round(1000 * self._active_s),
        )

    def _take(self, presentation: PresentationView | None, form: JudgementForm, earlier_id: int | None) -> None:
        self.presentation, self.form, self.earlier_id = presentation, form, earlier_id
        self._shown_at = self._acted_at = self.clock()
        self._active_s = 0.0
        self._touched = self._acted = self.amending = self.stepping = self.returned = False
        self._initial = form.to_stored()
