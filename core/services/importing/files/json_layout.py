"""Where the records of a JSON file stand: one a line, in a list, in one of several lists, column by column."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from core.domain.counting import counted
from core.domain.errors import BadInput
from core.services.importing.files.json_outline import Node, Outline, outline
from core.services.importing.limits import Limits, RowRejected, parse_json, printable

_BOM = b"\xef\xbb\xbf"
_LISTS = ("data", "rows", "records", "examples", "instances", "pairs", "items", "train", "results", "samples")
_NO_RECORDS = {"features", "fields", "schema", "columns", "index", "splits", "partial", "metadata", "licenses"}
_RECORD_KEYS = {
    "prompt", "question", "instruction", "history", "conversations", "messages", "chosen", "rejected", "response_a",
    "response1", "response_1", "completions", "responses", "input", "query", "options", "annotations", "generations",
    "preferred_output", "non_preferred_output", "conversation_a", "conversation_b", "orig_instruction",
}  # fmt: skip
_SPLIT = {"columns", "data"}
_STEP = 1 << 20
_SINGLE_QUOTES = re.compile(rb"\{\s*'")
_LOOKED = 20
ALL = "all"


@dataclass(frozen=True, slots=True)
class Part:
    """One list of a JSON file: its name, the offset behind its opening bracket, how many elements it has."""

    name: str
    at: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class JsonLayout:
    """How the records of a JSON file are laid out.

    Attributes:
        shape: ``rows`` (lists, or objects one after the other), ``by_id`` (an object whose values are the records),
            ``columns`` (an object with a list for each column).
        parts: the lists to read; empty for objects one after the other or one a line.
        names: of the columns, where a record is a list of values.
        others: lists of the file that are not read, with their counts.
        notes: for people, one sentence each.
    """

    kind: Literal["jsonl", "json"] = "jsonl"
    shape: Literal["rows", "by_id", "columns"] = "rows"
    parts: tuple[Part, ...] = ()
    names: tuple[str, ...] = ()
    others: tuple[Part, ...] = field(default=())
    notes: tuple[str, ...] = ()


Streams = Callable[[], Iterator[io.BufferedReader]]


def json_layout(
    name: str, head: bytes, first_line: bytes, streams: Streams, limits: Limits, part: str | None
) -> JsonLayout:
    """Return the layout of a JSON file.

    Args:
        name: of the file, for messages.
        head: its first bytes.
        first_line: its first line, whole unless it is above the limit.
        streams: opens the file from its beginning.
        limits: what a row may hold.
        part: name of the list to read where there are several.

    Raises:
        BadInput: when no record can be found in it, or the list asked for is not there.
    """
    start = head.replace(_BOM, b"").lstrip()
    first = _value(first_line, limits)
    alone = not head[len(first_line) :].strip()
    if start[:1] == b'"':
        return JsonLayout(notes=("Each row is JSON inside a JSON text; the text inside is read.",))
    if start[:1] == b"[":
        return _list_layout(name, head, first, alone)
    looks_whole = isinstance(first, dict) or (first is None and first_line.rstrip().endswith(b"}"))
    if looks_whole and not alone:
        return JsonLayout()
    if _SINGLE_QUOTES.match(start):
        raise BadInput(
            f"{name} is no JSON: names stand in single quotes, as Python prints a dictionary.",
            "Write it with json.dumps, one object a line.",
        )
    for stream in streams():
        found = outline(stream, head.index(b"{"))
        return _object_layout(name, found, streams, limits, part)
    raise AssertionError("a file has a stream")


def lines_behind(head: bytes, limits: Limits) -> bytes:
    """Return a file's first bytes from its first record on, where other lines stand before records of a line each.

    Logs print warnings above their rows, and a merge leaves its marks; each such line is a rejected row. Empty where
    the first line is a record, or fewer than two of the first lines are.
    """
    lines = head.split(b"\n")
    first = next((i for i, line in enumerate(lines[:_LOOKED]) if _is_row(line, limits)), 0)
    records = sum(_is_row(line, limits) for line in lines[first : first + _LOOKED]) if first else 0
    return b"\n".join(lines[first:]) if records > 1 else b""


def _is_row(line: bytes, limits: Limits) -> bool:
    line = line.strip()
    return line.startswith(b"{") and line.endswith(b"}") and isinstance(_value(line, limits), dict)


def _value(line: bytes, limits: Limits) -> object:
    try:
        return parse_json(line.replace(_BOM, b""), limits)
    except RowRejected:
        return None


def _list_layout(name: str, head: bytes, first: object, alone: bool) -> JsonLayout:
    """Return the layout of a file that begins with a list: all records, or one record a line as a list of values."""
    if isinstance(first, list) and first and not alone and not any(isinstance(item, dict) for item in first):
        names = tuple(str(item) for item in first)
        texts = all(isinstance(item, str) for item in first)
        if texts and len(set(names)) == len(names) and not _RECORD_KEYS.isdisjoint(n.strip().lower() for n in names):
            return JsonLayout(names=names, notes=("Each line is a list; the first one names the columns.",))
        if not (texts and str(first[0]).lstrip().startswith("{")):
            raise BadInput(
                f"Each line of {name} is a list of {counted(len(first), 'value')} without names, so what they "
                "mean is not known.",
                'Write each line as an object, such as {"prompt": "...", "chosen": "...", "rejected": "..."}, '
                "or put a line with the names of the columns first.",
            )
    return JsonLayout("json", parts=(Part("", head.index(b"[") + 1),))


def _object_layout(name: str, found: Outline, streams: Streams, limits: Limits, part: str | None) -> JsonLayout:
    """Return the layout of a file that begins with an object over several lines, or that is one object."""
    top = found.top
    if found.more or not top.closed:
        lists = top.lists()
        if not top.closed and lists and not _is_record(top):
            return _wrapped(name, lists, part)
        return JsonLayout("json")
    if set(top.keys) >= _SPLIT and top.children and _is_split(top):
        return _split_layout(top, streams, limits)
    if _is_column_wise(top):
        return JsonLayout("json", "columns", notes=("The file holds a list for each column; it is read row by row.",))
    if _is_record(top):
        return JsonLayout("json")
    lists = [node for node in top.lists() if not _holds_messages(node)]
    if lists:
        return _wrapped(name, lists, part)
    if any(_holds_messages(node) for node in top.lists()):
        return JsonLayout("json")
    if top.count and len(top.children) == len(top.keys) and all(child.mark == "{" for child in top.children):
        note = f"The file holds {counted(top.count, 'record')} by id; each id is kept in the column id."
        return JsonLayout("json", "by_id", (Part("", top.at, top.count),), notes=(note,))
    keys = ", ".join(printable(key)[:30] for key in top.keys[:8])
    if '"' in top.kinds:
        return JsonLayout("json")
    raise BadInput(
        f"{name} is one object with the keys {keys or 'none'}; no list of records was found in it.",
        "Write a list of objects, or one object a line.",
    )


def _is_record(top: Node) -> bool:
    """Say whether an object is a record of its own: it has the keys of one, and one of them holds text or messages."""
    known = [kind for key, kind in zip(top.keys, top.kinds, strict=True) if key.lower() in _RECORD_KEYS]
    others = [child for child in top.lists() if child.path.lower() not in _RECORD_KEYS and _named(child)]
    if {"fields", "responses"} <= set(top.keys):  # one record of Argilla
        return True
    if not known:
        return False
    return any(kind in ('"', "[") for kind in known) and not (others and '"' not in known)


def _holds_messages(node: Node) -> bool:
    """Say whether the elements of a list are the turns of a conversation."""
    keys = set(node.children[0].keys) if node.first == "{" and node.children else set()
    return not keys.isdisjoint(("role", "from")) and not keys.isdisjoint(("content", "value"))


def _named(node: Node) -> bool:
    return node.path.rsplit(".", 1)[-1].lower() in _LISTS and node.first == "{"


def _is_column_wise(top: Node) -> bool:
    """Say whether every value is a list of the same length, or an object with the same numbers for keys."""
    columns = top.children
    if len(columns) < 2 or len(columns) != len(top.keys) or len({child.count for child in columns}) != 1:
        return False
    if all(child.mark == "[" for child in columns):
        return not any(child.first == "{" for child in columns) and any(
            child.first == '"' or child.first == "[" for child in columns
        )
    numbered = [str(number) for number in range(min(columns[0].count, 3))]
    return bool(numbered) and all(child.mark == "{" and child.keys[: len(numbered)] == numbered for child in columns)


def _is_split(top: Node) -> bool:
    marks = {child.path: child for child in top.children}
    return all(key in marks and marks[key].mark == "[" for key in _SPLIT) and marks["data"].first == "["


def _split_layout(top: Node, streams: Streams, limits: Limits) -> JsonLayout:
    """Return the layout that pandas calls "split": names, index and values apart."""
    nodes = {child.path: child for child in top.children}
    names = tuple(str(item) for item in _elements(streams, nodes["columns"], limits))
    data = nodes["data"]
    note = 'The file holds the names of the columns and the values apart, as pandas writes with orient="split".'
    return JsonLayout("json", parts=(Part("data", data.at, data.count),), names=names, notes=(note,))


def _elements(streams: Streams, node: Node, limits: Limits) -> list[object]:
    """Return the elements of a short list of texts."""
    for stream in streams():
        skip(stream, node.at)
        data = stream.read(limits.line_bytes)
        end = data.find(b"]")
        try:
            found = parse_json(b"[" + data[: end + 1], limits)
        except RowRejected:
            return []
        return found if isinstance(found, list) else []
    return []


def skip(stream: io.BufferedReader, count: int) -> None:
    """Read over some bytes without keeping them."""
    while count > 0 and (piece := stream.read(min(count, _STEP))):
        count -= len(piece)


def _wrapped(name: str, lists: list[Node], part: str | None) -> JsonLayout:
    """Return the layout of a wrapper: the list asked for, else the likely one; the others are named."""
    likely = [node for node in lists if node.path.rsplit(".", 1)[-1].lower() not in _NO_RECORDS] or lists
    rows = [node for node in likely if node.first == "{"] or likely
    if part == ALL:
        chosen = rows
    elif part is not None:
        chosen = [node for node in rows if part in (node.path, node.path.rsplit(".", 1)[-1])]
        if not chosen:
            known = ", ".join(printable(node.path) for node in rows[:12])
            raise BadInput(f"{name} holds no list {part!r}.", f"Its lists: {known}.")
    else:
        chosen = [min(rows, key=_rank)]
    others = [node for node in rows if node not in chosen]
    read = " and ".join(_shown(node) for node in chosen)
    notes = [f"The records stand in the list {read}."]
    if others:
        left = ", ".join(_shown(node) for node in others[:12])
        words = "the lists" if len(others) > 1 else "the list"
        notes.append(f"Not read: {words} {left}; --list NAME reads another one, --list all every one.")
    return JsonLayout(
        "json",
        parts=tuple(Part(node.path, node.at, node.count) for node in chosen),
        others=tuple(Part(node.path, node.at, node.count) for node in others),
        notes=tuple(notes),
    )


def _rank(node: Node) -> tuple[int, int]:
    """Return what puts the list first that most likely holds the records: by its name, then by its length."""
    parts = node.path.lower().split(".")
    known = [_LISTS.index(word) for word in parts[-1:] if word in _LISTS]
    return (known[0] if known else len(_LISTS), -node.count)


def _shown(node: Node) -> str:
    return f"{printable(node.path)[:60]} ({node.count:,})"
