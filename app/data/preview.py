"""One pair beside the table: its texts, sources, judgements, dataset versions and runs."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QVBoxLayout

from app.local_time import local_time
from app.theme.theme import Theme
from app.widgets.containers import Card, ScrollColumn, clear_layout
from app.widgets.conversation import conversation_text
from app.widgets.height_fit import HeightFit
from app.widgets.labels import text_label
from app.widgets.safe_text import SafeText
from core.domain.judgement import CANNOT_JUDGE_REASONS, FLAGS, SPAN_TAGS, Judgement, JudgementDraft, describe
from core.domain.pair_table import PairDetail
from core.domain.pair_tags import SEPARATOR
from core.domain.text_flags import FLAG_WORDS, flag_named

TEXTS = (("Prompt", 120), ("Answer A", 190), ("Answer B", 190))
"""The texts of a pair, and how many design pixels each may take before it scrolls."""


class PairPreview(ScrollColumn):
    """A read-only view of one pair: its texts on a card, its history on another."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(margin=6, spacing=10, name="Preview of the pair")
        texts, self._history_card = Card(), Card("History")
        self.title = text_label("Choose a pair", "section")
        texts.add(self.title)
        self._texts: dict[str, SafeText] = {}
        for part, height in TEXTS:
            texts.add(text_label(part, "caption"))
            view = SafeText(theme, part, size=13)
            self._texts[part] = view
            HeightFit([view], partial(theme.px, height))
            texts.add(view)
        self._blocks = QVBoxLayout()
        self._blocks.setSpacing(8)
        self._history_card.add(self._blocks)
        self.column.addWidget(texts)
        self.column.addWidget(self._history_card)
        self.column.addStretch(1)
        self._history_card.hide()

    def show_detail(self, detail: PairDetail) -> None:
        """Show everything known of a pair."""
        self.title.setText(f"Pair {detail.id}")
        text, roles = conversation_text(detail.pair.prompt.messages)
        self._texts["Prompt"].set_text(text, mode="formulas", extra=roles)
        self._texts["Answer A"].set_text(detail.pair.a.text, mode="rendered")
        self._texts["Answer B"].set_text(detail.pair.b.text, mode="rendered")
        clear_layout(self._blocks)
        for title, lines in history(detail):
            self._blocks.addWidget(text_label(title, "caption"))
            for line in lines:
                self._blocks.addWidget(text_label(line, "", wrap=True, selectable=True))
        self._history_card.show()


MADE_CHARS = 600
"""Characters shown of how an answer was made."""


def history(detail: PairDetail) -> list[tuple[str, list[str]]]:
    """Return title and lines: judgements, the datasets and runs that used the pair, where it came from."""
    made = []
    for side, response in (("A", detail.pair.a), ("B", detail.pair.b)):
        if response.generation is not None and (plain := response.generation.to_plain()):
            known = {**plain.get("extra", {}), **plain}  # the run and its checkpoint first
            words = ", ".join(f"{key} {_short(value)}" for key, value in known.items() if not isinstance(value, dict))
            made.append(f"{side}: {words[:MADE_CHARS]}")
    blocks = [
        ("Tags", [SEPARATOR.join(detail.tags)] if detail.tags else []),
        ("What looks wrong", [_sentence(FLAG_WORDS[flag_named(key)]) for key in detail.text_flags]),
        ("Judgements, oldest first", [judgement_line(j) for j in detail.judgements]),
        (
            "Dataset versions",
            [f"{d.title}: {d.split}, chosen {d.chosen}, strength {d.strength:g}" for d in detail.datasets],
        ),
        ("Runs", [f"{r.name} ({r.split})" for r in detail.runs]),
        (
            "Found in",
            [f"{s.source.name}, row {s.row} ({s.source.licence or 'no licence stated'})" for s in detail.sources],
        ),
        ("How the answers were made", made),
    ]
    return [(title, lines) for title, lines in blocks if lines]


def judgement_line(judgement: Judgement) -> str:
    """Return a judgement: reviewer, verdict, rubric version, time, and what else it holds."""
    gone = "" if judgement.current else " · no longer counts"
    words = describe(judgement.draft) if judgement.kind == "label" else "taken back"
    more = said(judgement.draft) if judgement.draft is not None and judgement.kind == "label" else ""
    head = f"{judgement.reviewer.name}: {words} · {judgement.rubric_title} · {local_time(judgement.at_ms)}{gone}"
    return f"{head}\n{more}" if more else head


def said(draft: JudgementDraft) -> str:
    """Return what a judgement holds beside its verdict: reason, rationale, flags, spans, an edit."""
    parts = [CANNOT_JUDGE_REASONS.get(draft.reason, ""), f"“{draft.rationale}”" if draft.rationale else ""]
    parts += [FLAGS[flag] for flag in draft.flags]
    parts += [f"{SPAN_TAGS.get(s['tag'], s['tag'])} in {s['side']}" for s in draft.spans]
    parts.append("an improved text" if draft.edit else "")
    return " · ".join(part for part in parts if part)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _short(value: object) -> str:
    """Return a value as text; a hash by its first digits, so that the line can be broken."""
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 and " " not in text else text
