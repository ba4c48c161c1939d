"""What the controllers of the labelling screen announce. Views connect to it; they never hold a controller."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class LabelingSignals(QObject):
    """One object for all controllers; what changed is read from ``LabelingState``.

    Signals:
        queue_opened(): a queue was opened.
        nothing_to_label(str): there is no pair to show; a key of ``empty_states.EMPTY_STATES`` says why.
        presentation_changed(): another pair is shown, with its form and its rubric.
        form_changed(): something was filled in.
        focus_changed(): another criterion takes the verdict keys.
        span_added(): the selected words became a span.
        paused_changed(bool): the pair was hidden, or is shown again.
        message(str): a message to the reviewer; it stays until the form changes.
        save_state_changed(str, str): whether the last judgement is stored: what is shown, and what a screen reader
            says (empty for nothing).
        decision_replaced(int): the earlier decision on the screen was changed by undo or redo; the judgement that
            counts now.
        panel_wanted(): a criterion is to be answered, so it must be seen.
        steps_changed(): a judgement was stored or taken back, so that progress and history must be read again.
        status_read(object): the ``ReviewerStatus`` that was read; None without queue or reviewer.
        picked(int, int): the first pick of a pair in conflict was stored: the pair and the rubric version of the queue.
        gold_answered(int, int): an item of a quiz or of practising was answered: the pair and its rubric version.
        bookmarks_changed(): the pair on the screen may be bookmarked or not.
    """

    queue_opened = Signal()
    nothing_to_label = Signal(str)
    presentation_changed = Signal()
    form_changed = Signal()
    focus_changed = Signal()
    span_added = Signal()
    paused_changed = Signal(bool)
    message = Signal(str)
    save_state_changed = Signal(str, str)
    decision_replaced = Signal(int)
    panel_wanted = Signal()
    steps_changed = Signal()
    status_read = Signal(object)
    picked = Signal(int, int)
    gold_answered = Signal(int, int)
    bookmarks_changed = Signal()
