"""The page of evidence: help and safety, slices, refusals, length, KL, and every number as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate import beside_figures, bridge_figures, reliability_chart
from app.evaluate.audited import audit_words
from app.evaluate.figures import OVER_POINTS, SAFE_POINTS, SLICE_POINTS, Figures, ItemsPlace, row_cells
from app.evaluate.guarded_figures import guarded_rows
from app.evaluate.reliability_chart import ReliabilityChart
from app.widgets.buttons import action_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.flow import EvenFlow
from app.widgets.labels import Chip, text_label
from app.widgets.plots.chart_card import ChartCard, FigureTable, TableRow
from app.widgets.plots.interval_chart import IntervalChart
from app.widgets.plots.safety_plane import SafetyPlane
from core.domain.bought import Bought
from core.domain.evaluation_record import suite_words

_LEAST_CARD = 380
"""Pixels, at 100 % text size, below which two cards do not stand beside each other."""
_REFUSAL_HEADS = (
    "Suite", "Arm", "Full %,\nraw", "Full %,\ncorrected", "Full + partial\n%, raw", "Full + partial\n%, corrected", "n",
    "Test",
)  # fmt: skip
_GUARDED_HEADS = ("Suite", "Arm", "Number", "With − without [95 %]", "n", "Test")
_ALL_HEADS = ("Suite", "Metric", "Arm", "Value [95 %]", "n", "Δ to reference [95 %]", "Test", "Estimator")


class EvidenceView(ScrollColumn):
    """Shows the evidence. ``items_wanted(ItemsPlace)`` fires for a point, a row or a bar that is opened."""

    items_wanted = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__(margin=12, spacing=10, name="Evidence")
        self._context, self._theme = context, context.theme
        theme = context.theme
        self._shown: Mapping[str, Any] | None = None
        self.plane, self.reliability = SafetyPlane(theme), ReliabilityChart(theme)
        self.forest = IntervalChart(theme, "Slices", "aligned − reference, points →", least=20)
        self.length = IntervalChart(theme, "Length", "arm − reference, tokens →", least=4)
        self.kl = IntervalChart(theme, "KL", "KL(policy || reference), nats per answer →", least=2)
        self.bridge = IntervalChart(theme, "Bridge", "other items, new − old version, points →", least=10)
        self.cards = {
            "plane": ChartCard(
                context, "Help × safety", self.plane, ("Arm", "Over-refusal [95 %], n", "Safe refusal [95 %], n")
            ),
            "forest": ChartCard(context, "Slices", self.forest, ("Slice", "Δ points [95 %], n")),
            "length": ChartCard(context, "Length", self.length, ("Suite", "Δ tokens [95 %], n")),
            "kl": ChartCard(context, "KL", self.kl, ("Suite", "nats [95 %], n")),
            "reliability": ChartCard(context, "Calibration", self.reliability, reliability_chart.HEADS),
            "bridge": ChartCard(context, "Bridge between suite versions", self.bridge, bridge_figures.HEADS),
        }
        self.beside = FigureTable(context, "Length, memory, language and cost", beside_figures.HEADS)
        self._beside_card = Card("Length, memory, language and cost")
        self.refusals = FigureTable(context, "Refusals", _REFUSAL_HEADS)
        self.guarded = FigureTable(context, "Guardrails", _GUARDED_HEADS, most=10)
        self.numbers = FigureTable(context, "All numbers", _ALL_HEADS, most=14)
        self.audit = action_button(context.actions, "evaluate.audit", text="Audit queue", theme=theme)
        self.audited = text_label("", "caption", wrap=True)
        self.refusal_mark, self.no_refusals = Chip(""), text_label("", "muted", wrap=True)
        self._refusal_card, self._numbers_card = Card("Refusal"), Card("All numbers")
        self._place()
        self._connect()

    def _place(self) -> None:
        top, low = (EvenFlow(spacing=10, least=lambda: self._theme.px(_LEAST_CARD)) for _ in range(2))
        for flow, keys in ((top, ("plane", "forest")), (low, ("reliability", "length", "kl"))):
            for key in keys:
                flow.addWidget(self.cards[key])
        self._refusal_card.add_to_head(self.refusal_mark)
        self._refusal_card.add_to_head(self.audit)
        about = "Two numbers for each kind of request: full, and full + partial, which is the headline."
        self._refusal_card.add(text_label(about, "hint", wrap=True))
        self._refusal_card.add(self.audited)
        self._refusal_card.add(self.refusals)
        self._refusal_card.add(self.no_refusals)
        self._numbers_card.add(self.numbers)
        self._beside_card.add(text_label(beside_figures.ABOUT, "hint", wrap=True))
        self._beside_card.add(self.beside)
        self._guarded_card = Card("Guardrails")
        about = "Each arm with its guardrail against the same arm without it, on the same items."
        self._guarded_card.add(text_label(about, "hint", wrap=True))
        self._guarded_card.add(self.guarded)
        middle, last = (self._refusal_card, self._guarded_card), (self._beside_card, self._numbers_card)
        self._rows = [_framed(top), *middle, _framed(low), self.cards["bridge"], *last]
        for part in self._rows[:2]:
            self.column.addWidget(part)
        self.add_later(self._rows[2:])
        self.column.addStretch(1)

    def _connect(self) -> None:
        self.plane.opened.connect(lambda _: self.items_wanted.emit(ItemsPlace(self._figures.plane_suites[0])))
        for chart in (self.forest, self.length, self.kl, self.reliability, self.bridge):
            chart.opened.connect(self.items_wanted)
        for table in (self.refusals, self.guarded, self.numbers, self.beside):
            table.opened.connect(self._open_row)
        for card in self.cards.values():
            card.suite_wanted.connect(lambda suite: self.items_wanted.emit(ItemsPlace(suite)))
            card.enlarged.connect(self._enlarge)

    def _open_row(self, row: TableRow) -> None:
        self.items_wanted.emit(ItemsPlace(row.suite))

    def _enlarge(self, wanted: ChartCard, on: bool) -> None:
        """Let one card fill the page, or show all again."""
        for card in self.cards.values():
            is_there = card is not self.cards["bridge"] or bool(card.table.rows)
            card.setVisible(is_there and (card is wanted or not on))
            card.head.enlarge.setChecked(on and card is wanted)
        self._refusal_card.setVisible(not on)
        self._beside_card.setVisible(not on and bool(self.beside.rows))
        self._numbers_card.setVisible(not on)
        self._guarded_card.setVisible(not on and bool(self.guarded.rows))

    def set_table(self, on: bool) -> None:
        """Show every chart as a table, or as the chart."""
        for card in self.cards.values():
            card.set_table(on)

    def show_evidence(self, evidence: Mapping[str, Any]) -> None:
        """Show the numbers of an evaluation; the same ones stay as they are."""
        if evidence is self._shown:
            return
        self._shown = evidence
        self._figures = figures = Figures(evidence)
        raw = next((mark for mark in figures.watermarks if "not audited" in mark), "")
        self._show_plane(figures, raw)
        self._show_forest(figures)
        self._show_reliability(figures)
        self.beside.show_rows(beside_figures.beside_rows(figures))
        self._beside_card.setVisible(bool(self.beside.rows))
        rows = figures.changes_of("length")
        self.length.show_rows(rows)
        about = "Longer answers are easily liked more; read a win rate beside this."
        self.cards["length"].show_figures(row_cells(rows), about=about, missing="No arm answered beside the reference.")
        rows = figures.levels_of("sequence_kl")
        words = f"budget {figures.budget:g} nats" if figures.budget else "no budget was set"
        self.kl.show_rows(rows, limit=figures.budget or math.nan)
        self.cards["kl"].show_figures(
            row_cells(rows), about=f"Of sampled answers; {words}.", missing="No KL was asked for."
        )
        self.refusals.show_rows(figures.refusal_rows())
        self.refusals.setVisible(bool(self.refusals.rows))
        self._show_audit(figures, raw)
        self.no_refusals.setText("" if self.refusals.rows else _NO_REFUSALS)
        self.no_refusals.setVisible(not self.refusals.rows)
        self.guarded.show_rows(guarded_rows(figures.suites))
        self._guarded_card.setVisible(bool(self.guarded.rows))
        self.numbers.show_rows(figures.all_rows())
        self._read_bridges(evidence)

    def _read_bridges(self, evidence: Mapping[str, Any]) -> None:
        """Read what the policy scores on two versions of a suite, where both were measured."""
        self._show_bridges([])
        if not bridge_figures.has_versions(evidence["suites"]):
            return
        services, id_ = self._context.services, str(evidence.get("evaluation_id", ""))

        def show(found: Sequence[Bought]) -> None:
            if self._shown is evidence:
                self._show_bridges(found)

        self._context.tasks.query(lambda: services.releases.bridges(id_), show, owner=self, key="bridges")

    def _show_bridges(self, found: Sequence[Bought]) -> None:
        self.bridge.show_rows(bridge_figures.bridge_chart(found))
        rows = bridge_figures.bridge_rows(found)
        self.cards["bridge"].show_figures(rows, about=bridge_figures.ABOUT, missing="")
        self.cards["bridge"].setVisible(bool(rows))

    def _show_audit(self, figures: Figures, raw: str) -> None:
        """Show whether the rates are corrected, how far the audit is, and why a rate is not given."""
        is_corrected = bool(figures.audit) and not raw
        self.refusal_mark.set_chip(raw or ("corrected by an audit" if is_corrected else ""), "warn" if raw else "ok")
        poor = [mark for mark in figures.watermarks if "too often wrong" in mark]
        self.audited.setText(". ".join(part for part in (audit_words(figures.audit), *poor) if part))
        self.audited.setVisible(bool(self.audited.text()))
        self.audit.setVisible(bool(self.refusals.rows))

    def _show_plane(self, figures: Figures, raw: str) -> None:
        points = figures.plane()
        self.plane.show_points(points, over=OVER_POINTS, safe=SAFE_POINTS)
        about = f"Hatched is vetoed: more than {OVER_POINTS:g} points over-refused, or {SAFE_POINTS:g} less refused."
        rows = [TableRow((point.name, *_rates(point.words)), figures.plane_suites[0]) for point in points]
        self.cards["plane"].show_figures(rows, about=about, missing=_NO_REFUSALS, mark=raw)

    def _show_reliability(self, figures: Figures) -> None:
        suite = reliability_chart.largest(figures)
        self.reliability.show_points(reliability_chart.points_of(figures, suite) if suite else ())
        self.cards["reliability"].show_figures(
            reliability_chart.rows_of(figures),
            about=reliability_chart.about_of(figures, suite) if suite else "",
            missing="It needs at least 10 pairs that people ranked, such as a sealed test or held-out pairs.",
        )

    def _show_forest(self, figures: Figures) -> None:
        rows, found = figures.forest(), figures.sliced()
        limit = -SLICE_POINTS if found and found[1] != "over_refusal" else SLICE_POINTS
        self.forest.show_rows(rows, limit=limit if rows else math.nan)
        about = ""
        if found:
            about = f"{found[2]} on {suite_words(found[0])}, {figures.aligned} − reference"
            about += f"; vetoed beyond {SLICE_POINTS:g} points."
        about = " ".join(filter(None, [about, beside_figures.detectable_words(figures), *figures.alarms()]))
        self.cards["forest"].show_figures(
            row_cells(rows), about=about, missing="Nothing on these suites is compared with the reference."
        )


_NO_REFUSALS = "No refusals were measured: they need a suite of benign requests and one of harmful ones."


def _rates(words: str) -> list[str]:
    """Return both rates of a point without their names."""
    parts = words.partition(": ")[2].split("; ")
    return [part.removeprefix("over-refusal ").removeprefix("safe refusal ") for part in parts]


def _framed(flow: EvenFlow) -> QWidget:
    frame = QWidget()
    column = QVBoxLayout(frame)
    column.setContentsMargins(0, 0, 0, 0)
    column.addLayout(flow)
    return frame
