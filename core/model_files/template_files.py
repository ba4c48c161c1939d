"""What the files of a model folder say of its chat template, without loading the tokenizer (no torch, no transformers).

A run is created in the window and on the command line, where loading a tokenizer would take seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import bounded
from core.model_files.folder_check import read_object
from core.model_files.tokenizer_files import eos_ids

_SPECIALS = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token")
_MAX_TEMPLATE = 1024 * 1024
_HEAD = 16 << 20
_KEY = '"added_tokens"'


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A token that was added to a vocabulary, as ``tokenizers.AddedToken`` has it."""

    content: str
    special: bool


@dataclass(frozen=True, slots=True)
class TemplateFiles:
    """A chat template and the tokens that it may write; the names are those of a transformers tokenizer.

    Attributes:
        chat_template: its source; by name where the folder has several, "" without one.
        special_tokens_map: text of the special tokens by name.
        added_tokens_decoder: the added tokens by id.
        eos_token_id: of the tokenizer. pairwright_eos_ids: ids that end generation by the folder's files.
    """

    chat_template: str | dict[str, str]
    special_tokens_map: dict[str, str] = field(default_factory=dict)
    added_tokens_decoder: dict[int, NamedToken] = field(default_factory=dict)
    eos_token_id: int | None = None
    pairwright_eos_ids: tuple[int, ...] = ()


def template_files(model_dir: Path) -> TemplateFiles | None:
    """Return what the folder says of its template; None for a GGUF file, which has it inside.

    Raises:
        BadInput, ModelRefused: when a file cannot be read.
    """
    path = Path(model_dir)
    if not path.is_dir():
        return None
    config, older = (_object(path / name) for name in ("tokenizer_config.json", "special_tokens_map.json"))
    specials = {name: _text(config.get(name) or older.get(name)) for name in _SPECIALS}
    specials = {name: text for name, text in specials.items() if text}
    added = _added_tokens(path, config)
    eos = next((i for i, token in added.items() if token.content == specials.get("eos_token")), None)
    return TemplateFiles(_templates(path, config), specials, added, eos, eos_ids(path))


def _object(file: Path) -> dict[str, Any]:
    return read_object(file) if file.is_file() else {}


def _templates(path: Path, config: dict[str, Any]) -> str | dict[str, str]:
    """Return the template, or the templates by name, in the order in which transformers looks for them."""
    file, more = path / "chat_template.jinja", sorted((path / "additional_chat_templates").glob("*.jinja"))
    if file.is_file():
        default = bounded.read_text(file, _MAX_TEMPLATE)
        return {"default": default, **{f.stem: bounded.read_text(f, _MAX_TEMPLATE) for f in more}} if more else default
    found = config.get("chat_template")
    if isinstance(found, list):
        return {str(t.get("name")): str(t.get("template") or "") for t in found if isinstance(t, dict)}
    return found if isinstance(found, str) else ""


def _added_tokens(path: Path, config: dict[str, Any]) -> dict[int, NamedToken]:
    """Return the added tokens by id, from the start of ``tokenizer.json``, else from ``tokenizer_config.json``."""
    rows = _listed(path / "tokenizer.json")
    decoder = config.get("added_tokens_decoder")
    if not rows and isinstance(decoder, dict):
        rows = [{**row, "id": int(key)} for key, row in decoder.items() if isinstance(row, dict) and key.isdecimal()]
    return {row["id"]: NamedToken(row["content"], bool(row.get("special"))) for row in rows if _is_token(row)}


def _listed(file: Path) -> list[dict[str, Any]]:
    """Return the list ``added_tokens``, which stands before the vocabulary, without parsing the vocabulary."""
    if not file.is_file():
        return []
    head = bounded.read_head(file, _HEAD).decode("utf-8", "ignore")
    place = head.find(_KEY)
    begin = head.find("[", place)
    if place < 0 or begin < 0 or head[place + len(_KEY) : begin].strip() != ":":
        return []
    try:
        found = json.JSONDecoder().raw_decode(head, begin)[0]
    except (ValueError, RecursionError):
        return []
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _is_token(row: dict[str, Any]) -> bool:
    return type(row.get("id")) is int and isinstance(row.get("content"), str)


def _text(token: Any) -> str:
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")
