"""One pair beside the table: texts, where it came from, who said what of it, where it is used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.theme.theme import Theme
from app.widgets.containers import ScrollColumn
from app.widgets.labels import text_label
from app.widgets.safe_text import SafeText
from core.domain.judgement import Judgement, describe


class PairPreview(ScrollColumn):
    """A read-only view of one pair."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(margin=12, name="Preview of the pair")
        self.title = text_label("Choose a pair", "section")
        self.column.addWidget(self.title)
        self._heights: dict[str, int] = {}
        self._texts: dict[str, SafeText] = {}
        for part, height in (("Prompt", 120), ("Answer A", 190), ("Answer B", 190)):
            self.column.addWidget(text_label(part, "caption"))
            view = SafeText(theme, part, size=13)
            self._heights[part] = theme.px(height)
            self._texts[part] = view
            self.column.addWidget(view)
        self.column.addWidget(text_label("History", "section"))
        self.history = text_label("", "", wrap=True, selectable=True)
        self.column.addWidget(self.history)
        self.column.addStretch(1)

    def show_detail(self, detail: Any) -> None:
        """Show everything known of a pair."""
        self.title.setText(f"Pair {detail.id}")
        prompt = detail.pair.prompt
        self._texts["Prompt"].set_text(
            prompt.last_text
            if len(prompt.messages) == 1
            else "\n\n".join(f"{m.role.capitalize()}: {m.content}" for m in prompt.messages),
            mode="source",
        )
        self._texts["Answer A"].set_text(detail.pair.a.text, mode="rendered")
        self._texts["Answer B"].set_text(detail.pair.b.text, mode="rendered")
        for part, view in self._texts.items():
            document = view.document()
            document.setTextWidth(max(200, view.viewport().width()))
            view.setFixedHeight(min(self._heights[part], round(document.size().height()) + 6))
        self.history.setText("\n".join(history_lines(detail)))


def history_lines(detail: Any) -> list[str]:
    """Return where a pair came from, its judgements, and the datasets and runs that used it."""
    lines = [
        f"Found in {s.source.name}, row {s.row} ({s.source.licence or 'no licence stated'})" for s in detail.sources
    ]
    for side, response in (("A", detail.pair.a), ("B", detail.pair.b)):
        if response.generation is not None and (made := response.generation.to_plain()):
            words = ", ".join(f"{key} {_short(value)}" for key, value in made.items() if not isinstance(value, dict))
            lines.append(f"{side} was made by {words[:300]}")
    lines += [judgement_line(j) for j in detail.judgements]
    lines += [f"In {d.title}: {d.split}, chosen {d.chosen}, strength {d.strength:g}" for d in detail.datasets]
    lines += [f"In run {r.name} ({r.split})" for r in detail.runs]
    return lines


def judgement_line(judgement: Judgement) -> str:
    """Return a judgement in one line."""
    when = datetime.fromtimestamp(judgement.at_ms / 1000).strftime("%Y-%m-%d %H:%M")
    gone = "" if judgement.current else " (no longer current)"
    words = describe(judgement.draft) if judgement.kind == "label" else "taken back"
    return f"{when}  {judgement.reviewer.name}: {words}, under {judgement.rubric_title}{gone}"


def _short(value: object) -> str:
    """Return a value as text; a hash by its first digits, so that the line can be broken."""
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 and " " not in text else text
