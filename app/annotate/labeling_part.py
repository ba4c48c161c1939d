"""What every controller of the labelling screen has: the window's context, the state and the signals."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject

from app.annotate.labeling_signals import LabelingSignals
from app.annotate.labeling_state import LabelingState
from app.context import AppContext


@dataclass(frozen=True, slots=True)
class LabelingContext:
    """What the controllers share. ``signals`` is their parent object, and the initiator of their changes."""

    app: AppContext
    state: LabelingState
    signals: LabelingSignals


class LabelingPart(QObject):
    """Base of the controllers: they change the state, call services and announce what changed."""

    def __init__(self, context: LabelingContext) -> None:
        super().__init__(context.signals)
        self._context, self._state, self._signals = context.app, context.state, context.signals
