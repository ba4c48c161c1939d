"""Freezing: the policy as a form, and beside it what a freeze under that policy would take and leave out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.data.freeze_form import FreezeForm
from app.data.freeze_plan import FreezePlanView
from app.widgets.containers import ScrollColumn
from app.widgets.dialog import BaseDialog
from app.widgets.folding_split import FoldingSplit
from core.domain.dataset import FreezePlan, FreezePolicy
from core.domain.errors import UserError


class FreezeDialog(BaseDialog):
    """Shows a form beside its plan, which is read again after every change of the form.

    Args:
        parent: a widget of the window.
        context: reads the plan.
        form: the name and the policy; the caller reads them from it.
    """

    def __init__(self, parent: QWidget, context: AppContext, form: FreezeForm) -> None:
        size = QSize(context.theme.px(980), context.theme.px(660))
        super().__init__(parent, "Freeze a dataset version", size=size, settings=context.settings)
        self._context, self.form = context, form
        self._items = 0
        self._planned: FreezePolicy | None = None
        self.plan = FreezePlanView()
        scroll = ScrollColumn(margin=2, name="Policy")
        scroll.column.addWidget(form)
        scroll.column.addStretch(1)
        to_end = partial(scroll.ensureWidgetVisible, form.only)
        form.only.toggled.connect(lambda on: on and QTimer.singleShot(0, self, to_end))
        self.column.addWidget(FoldingSplit((scroll, self.plan), (480, 480), least=(24, 20), grows=None), 1)
        self.freeze = self.add_buttons("Freeze")
        self.freeze.setEnabled(False)
        form.changed.connect(self._read_plan)
        form.name.textChanged.connect(lambda _: self._enable_freeze())
        form.signers.currentIndexChanged.connect(lambda _: self._enable_freeze())
        self._read_plan()

    def _read_plan(self) -> None:
        self._planned = None
        try:
            self._planned = policy = self.form.policy()
        except UserError as error:
            self._show_problem(error)
            return
        service = self._context.services.datasets
        self._context.tasks.query(
            lambda: service.plan(policy),
            partial(self._if_current, policy, self._show_plan),
            partial(self._if_current, policy, self._show_problem),
            owner=self,
            key="plan",
        )

    def _if_current(self, policy: FreezePolicy, show: Callable[[Any], None], result: Any) -> None:
        """Show a result unless the form says something else by now."""
        if policy == self._planned:
            show(result)

    def _show_plan(self, plan: FreezePlan) -> None:
        self.plan.show_plan(plan)
        self._items = plan.counts.get("items", 0)
        self._enable_freeze()

    def _show_problem(self, error: Exception) -> None:
        self.plan.show_problem(str(error))
        self._items = 0
        self._enable_freeze()

    def _enable_freeze(self) -> None:
        """Enable the button when the dataset has a name and at least one item."""
        named = bool(self.form.name.text().strip())
        signed = not self.form.sign_off.wanted or bool(self.form.signer)
        self.freeze.setEnabled(named and signed and self._items > 0)
        missing = f"Somebody other than {self.form.sign_off.editor or 'who labelled last'} must sign it off."
        self.freeze.setToolTip("A dataset needs a name." if not named else "" if signed else missing)
