"""The tab *Cycle*: the shown evaluation beside the one before it, or which step makes a comparison possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget

from app.context import AppContext
from app.evaluate.cycle_sides import Side, chosen_sides, read_sides
from app.evaluate.cycle_view import CycleView
from app.evaluate.figures import ItemsPlace
from app.widgets.containers import ScrollColumn
from app.widgets.messages import EmptyState
from core.services.evaluations.views import EvaluationInfo

if TYPE_CHECKING:  # it loads the store, which the window does not wait for
    from core.services.releases.cycle import Cycle

_NOTHING, _VIEW = range(2)


class CyclePart(QStackedWidget):
    """Reads what can be compared when it is shown.

    Signals:
        items_wanted(ItemsPlace): items of the shown evaluation are wanted.
    """

    items_wanted = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._info: EvaluationInfo | None = None
        self._is_read = False
        self.view = CycleView(context, self._compare)
        self.nothing = EmptyState(
            context.theme,
            "compare",
            "Nothing to compare with yet",
            "A cycle goes from one evaluation or release to the next: what changed in policy, data and measurement, "
            "and what each change bought. Measure another policy on the same suites.",
            main=("New evaluation…", lambda: context.actions.run("evaluate.new")),
        )
        empty = ScrollColumn(name="No cycle yet")
        empty.column.addWidget(self.nothing, 1)
        self.addWidget(empty)
        self.addWidget(self.view)
        self.view.items_wanted.connect(self._open)

    def set_evaluation(self, info: EvaluationInfo) -> None:
        """Take another evaluation; it is compared when this is shown."""
        if self._info is None or info.evaluation_id != self._info.evaluation_id:
            self._is_read = False
        self._info = info

    def forget(self) -> None:
        """Read again when it is shown next: a release was made, or an evaluation is finished."""
        self._is_read = False

    def set_table(self, on: bool) -> None:
        """Show the chart as a table, or as the chart."""
        self.view.set_table(on)

    def read(self) -> None:
        """Read what is not read yet."""
        if self._info is None or self._is_read:
            return
        self._is_read = True
        services, id_ = self._context.services, self._info.evaluation_id
        self._context.tasks.query(
            lambda: read_sides(services), lambda sides: self._show(id_, sides), owner=self, key="sides"
        )

    def _show(self, evaluation_id: str, sides: list[Side]) -> None:
        if self._info is None or evaluation_id != self._info.evaluation_id:
            return
        self.setCurrentIndex(_VIEW if len(sides) > 1 else _NOTHING)
        if len(sides) > 1:
            self.view.set_sides(sides, *chosen_sides(sides, evaluation_id))

    def _compare(
        self, old: str, new: str, done: Callable[[Cycle], object], failed: Callable[[Exception], None]
    ) -> object:
        service = self._context.services.releases
        return self._context.tasks.query(lambda: service.cycle(old, new), done, failed, owner=self, key="cycle")

    def _open(self, place: ItemsPlace) -> None:
        """Show the items of a suite where the shown evaluation is one of both sides."""
        info, cycle = self._info, self.view.cycle
        if info is None or cycle is None:
            return
        shown = {side.record.evaluation_id for side in (cycle.old, cycle.new)}
        if info.evaluation_id in shown and place.suite in [suite.title for suite in info.record.suites]:
            self.items_wanted.emit(place)
