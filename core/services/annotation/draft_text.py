"""Drafts that no pair of the open workspace takes over, as a text for people: nothing filled in is lost in silence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.domain.clock import now_ms
from core.services.written_files import write_file

if TYPE_CHECKING:
    from core.services.annotation.views import UnsavedDraft

_WORDS = {
    "verdict": "Verdict",
    "strength": "Strength",
    "reason": "Reason",
    "criteria": "Criteria (negative: the left answer is better)",
    "rationale": "Rationale",
    "flags": "Flags",
    "confidence": "Confidence",
    "edits": "Improved texts",
    "spans": "Spans",
}


def draft_text(draft: UnsavedDraft, most: int = 0) -> str:
    """Return what was filled in and for which pair.

    Args:
        draft: the draft.
        most: characters of each text that are shown; 0 for all of them.
    """
    place = draft.presentation
    lines = [
        f"Pair {place.pair_id}, filled in by {draft.reviewer or f'reviewer {place.reviewer_id}'}, not stored.",
        *(f"{_WORDS.get(key, key)}: {_said(key, value)}" for key, value in draft.body.items() if value),
    ]
    for title, text in (("Prompt", draft.prompt), ("Left answer", draft.left), ("Right answer", draft.right)):
        if text:
            cut = f"{text[:most]}… ({len(text):,} characters)" if most and len(text) > most else text
            lines += ["", f"{title}:", cut]
    return "\n".join(lines)


def save_drafts(drafts: Iterable[UnsavedDraft], path: Path) -> Path:
    """Write drafts to a text file that was chosen in a dialog and return it; it appears complete or not at all.

    Raises:
        StorageFull, UserError: the file cannot be written.
    """
    head = f"Drafts of judgements that could not be stored, written at {now_ms()} ms UTC."
    text = "\n\n----\n\n".join([head, *(draft_text(draft) for draft in drafts)])
    write_file(path, f"{text}\n".encode())
    return path


def _said(key: str, value: Any) -> str:
    if key == "strength" and isinstance(value, int):
        return f"{abs(value)}, the {'left' if value < 0 else 'right'} answer is better"
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
