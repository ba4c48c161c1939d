"""The parts of an HTML report: text from outside that cannot become markup, tables, and the document around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from core.domain.names import hidden_characters

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--text:#1a1d23;--soft:#4a5160;--line:#d5d9e0;--head:#f0f2f5;--accent:#2456c7;
--warn:#7a4b00;--warn-bg:#fff0cf;--bad:#a81d2b;--c0:#1a1d23;--c1:#8a6500;--c2:#79028e;--c3:#2456c7;--c4:#00745a;
--c5:#c2681f;--c6:#a81d2b;--c7:#566173}
@media (prefers-color-scheme:dark){:root{--bg:#15171c;--text:#e8eaee;--soft:#a7aebb;--line:#363b45;--head:#20242b;
--accent:#8ab0ff;--warn:#f0b84a;--warn-bg:#3a2a08;--bad:#ff8a94;--c0:#e8eaee;--c1:#e3bb4a;--c2:#e39cf5;--c3:#7fa8ff;
--c4:#35d3a6;--c5:#f09a55;--c6:#ff8a94;--c7:#9aa5b8}}
body{font:15px/1.5 system-ui,"DejaVu Sans",sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;
color:var(--text);background:var(--bg)}
h1{font-size:1.6em}h2{margin-top:2em;border-bottom:1px solid var(--line)}h3{margin:1.4em 0 .3em}
table{border-collapse:collapse;width:100%;margin:.6em 0;display:block;overflow-x:auto}
td,th{text-align:left;vertical-align:top;padding:.25em .7em;border-bottom:1px solid var(--line)}
th{background:var(--head);font-weight:600}td.other{background:var(--warn-bg);color:var(--warn);font-weight:600}
p.warning{background:var(--warn-bg);color:var(--warn);border-left:5px solid var(--warn);padding:.7em 1em;margin:.6em 0}
td.number{white-space:nowrap}td.number,td:first-child{overflow-wrap:normal}
p.note,.soft{color:var(--soft)}.outside{unicode-bidi:isolate;white-space:pre-wrap;overflow-wrap:anywhere}
summary{cursor:pointer;font-weight:600;margin:.8em 0}figure{margin:1em 0}figcaption{color:var(--soft)}
.first{font-weight:600;padding:.7em 1em;border-left:5px solid var(--c4);background:var(--head)}
.despite{border-color:var(--bad)}.failed{color:var(--bad)}.insufficient{color:var(--warn)}.passed{color:var(--c4)}
table.checks{display:table}table.checks td:first-child,table.checks td:nth-child(2){width:11em}
svg{width:100%;font-size:12px}svg text{fill:var(--text)}svg .tick,svg .unit{fill:var(--soft)}
.interval{stroke:var(--accent);stroke-width:2}.dot{fill:var(--accent)}.zero{stroke:var(--soft);stroke-dasharray:3 3}
.axis{stroke:var(--soft)}.grid{stroke:var(--line)}.limit{stroke:var(--bad);stroke-width:2}
.curve{fill:none;stroke-width:2}.dashed{stroke-dasharray:7 4}.band{opacity:.18;stroke:none}
"""
STYLE += "".join(
    f".s{n}{{stroke:var(--c{n})}}.f{n}{{fill:var(--c{n})}}svg text.t{n}{{fill:var(--c{n})}}" for n in range(8)
)
COLOURS = 8
"""Colours of curves; a ninth curve begins again with the first."""
_NUMBER = re.compile(r"[-−+±\[]{0,2}\d[-−+±\d.,e%\[\] ]{0,30}")
_SECURITY = "default-src 'none'; style-src 'unsafe-inline'"


def outside(text: object) -> str:
    """Return text as HTML that shows it and does nothing: markup escaped, hidden characters named.

    >>> outside("<b>a\\u202eb")
    '&lt;b&gt;a⟨U+202E⟩b'
    """
    shown = str(text)
    if not shown.isprintable():
        shown = "".join(f"⟨U+{ord(c):04X}⟩" if c not in "\n\t" and hidden_characters(c) else c for c in shown)
    return escape(shown, quote=True)


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph; ``kind`` is its class ("warning", "note")."""
    return f'<p class="{kind}">{outside(text)}</p>' if kind else f"<p>{outside(text)}</p>"


def table(rows: Iterable[Sequence[object]], head: Sequence[object] = (), other: Iterable[tuple[int, int]] = ()) -> str:
    """Return a table; every cell is text from outside.

    Args:
        rows: of cells.
        head: titles of the columns.
        other: row and column, from 0, of cells that are marked as other than the baseline's.
    """
    marked = set(other)
    titles = f"<tr>{''.join(f'<th>{outside(cell)}</th>' for cell in head)}</tr>" if head else ""
    body = "".join(
        "<tr>" + "".join(_cell(cell, (y, x) in marked) for x, cell in enumerate(row)) + "</tr>"
        for y, row in enumerate(rows)
    )
    return f"<table>{titles}{body}</table>" if body else ""


def _cell(cell: object, is_other: bool) -> str:
    """Return a cell; one that is a number or an interval is never broken into lines."""
    names = ("outside", "number" if _NUMBER.fullmatch(str(cell)) else "", "other" if is_other else "")
    return f'<td class="{" ".join(name for name in names if name)}">{outside(cell)}</td>'


def figure(svg: str, caption: str) -> str:
    """Return a plot with the sentence below it that says of what it is."""
    return f"<figure>{svg}<figcaption>{outside(caption)}</figcaption></figure>"


def folded(title: str, content: str) -> str:
    """Return a part that opens with a click; it needs no script."""
    return f"<details><summary>{outside(title)}</summary>{content}</details>"


def document(title: str, parts: Iterable[str]) -> str:
    """Return the whole file; its policy forbids scripts and everything that would be loaded."""
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_SECURITY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{outside(title)}</title><style>{STYLE}</style></head><body>"
    )
    return "\n".join([head, *parts, "</body></html>"])
