"""The parts of a measured evaluation as tabs, each made when it is first shown or asked for."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal

from app.context import AppContext
from app.evaluate.cycle_part import CyclePart
from app.evaluate.evidence_view import EvidenceView
from app.evaluate.failures_part import FailuresPart
from app.evaluate.gate_view import GateView
from app.evaluate.items_view import ItemsView
from app.evaluate.matrix_view import MatrixView
from app.evaluate.proxies_part import ProxiesPart
from app.evaluate.votes_part import VotesPart
from app.widgets.labels import restyle
from app.widgets.lazy_part import LazyPart, LazyTabs

_LARGE = 1.5
"""Text zoom above which the titles of the tabs stand closer."""


@dataclass(frozen=True, slots=True)
class PartPlaces:
    """The places of the parts."""

    evidence: LazyPart[EvidenceView]
    matrix: LazyPart[MatrixView]
    items: LazyPart[ItemsView]
    votes: LazyPart[VotesPart]
    proxies: LazyPart[ProxiesPart]
    failures: LazyPart[FailuresPart]
    gate: LazyPart[GateView]
    cycle: LazyPart[CyclePart]


class PartTabs(LazyTabs):
    """Evidence, matrix, items, votes, proxies, failures, gate and cycle.

    Attributes:
        places: where the parts are or will be; what is done to parts that exist goes through it.

    Signals:
        begun(QWidget): a part was made; it is connected and told what to show.
    """

    begun = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__(context.theme)
        self._context = context
        self.setDocumentMode(True)
        self.setAccessibleName("The evaluation")
        self.tabBar().setAccessibleName("Parts of the evaluation")
        context.theme.changed.connect(self._fit_tabs)
        self._fit_tabs()
        begin = self.begun.emit
        self.places = PartPlaces(
            evidence=self.add_part("Evidence", lambda: EvidenceView(context), begin),
            matrix=self.add_part("Matrix", lambda: MatrixView(context), begin),
            items=self.add_part("Items", lambda: ItemsView(context), begin),
            votes=self.add_part("Votes", lambda: VotesPart(context), begin),
            proxies=self.add_part("Proxies", lambda: ProxiesPart(context), begin),
            failures=self.add_part("Failures", lambda: FailuresPart(context), begin),
            gate=self.add_part("Gate", lambda: GateView(context), begin),
            cycle=self.add_part("Cycle", lambda: CyclePart(context), begin),
        )

    def _fit_tabs(self) -> None:
        """Stand the titles closer where the text is large, so that a small window shows all of them."""
        tight = "true" if self._context.theme.zoom > _LARGE else "false"
        if self.tabBar().property("tight") != tight:
            self.tabBar().setProperty("tight", tight)
            restyle(self.tabBar())

    @property
    def evidence(self) -> EvidenceView:
        """The numbers as charts and tables."""
        return self.places.evidence.part

    @property
    def matrix(self) -> MatrixView:
        """Templates x languages."""
        return self.places.matrix.part

    @property
    def items(self) -> ItemsView:
        """The items of a suite."""
        return self.places.items.part

    @property
    def votes(self) -> VotesPart:
        """What people said."""
        return self.places.votes.part

    @property
    def proxies(self) -> ProxiesPart:
        """The register of proxies and the judges."""
        return self.places.proxies.part

    @property
    def failures(self) -> FailuresPart:
        """The failure queue."""
        return self.places.failures.part

    @property
    def gate(self) -> GateView:
        """What the gate says."""
        return self.places.gate.part

    @property
    def cycle(self) -> CyclePart:
        """The evaluation beside the one before it."""
        return self.places.cycle.part
