"""A model folder from elsewhere costs neither time nor memory before it is refused with a sentence."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import bounded
from core.domain.errors import BadInput, ModelRefused
from core.model_files.folder_check import check_model
from core.model_files.model_info import describe

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices as files")


@pytest.fixture
def folder(tiny_llama_dir: Path, tmp_path: Path) -> Path:
    """A copy of the tiny Llama that a test may change."""
    return Path(shutil.copytree(tiny_llama_dir, tmp_path / "model"))


def edit(folder: Path, **changes: Any) -> None:
    """Change entries of config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def sparse(path: Path, size: int) -> None:
    """Make a file that has a size and no content."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def header(path: Path, text: bytes) -> None:
    """Write a safetensors file with this header and no tensors."""
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def tensor(**changes: Any) -> bytes:
    """Return a header with one tensor."""
    return json.dumps({"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0], **changes}}).encode()


def linked(path: Path, to: str) -> None:
    """Replace a file by a link."""
    path.unlink(missing_ok=True)
    path.symlink_to(to)


def piped(path: Path) -> None:
    """Replace a file by a pipe that nobody writes to."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)


G = 1 << 30
WEIGHTS = "model.safetensors"
HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe as JSON": (lambda f: piped(f / "extra.json"), "not a regular file"),
    "a pipe as config": (lambda f: piped(f / "config.json"), "config.json"),
    "a pipe as template": (lambda f: piped(f / "chat_template.jinja"), "not a regular file"),
    "a pipe as tokenizer": (lambda f: piped(f / "tokenizer.json"), "not a regular file"),
    "a pipe as weights": (lambda f: piped(f / WEIGHTS), "not a regular file"),
    "a pipe below": (lambda f: ((f / "sub").mkdir(), piped(f / "sub" / "x")), "not a regular file"),
    "a device as JSON": (lambda f: linked(f / "extra.json", "/dev/zero"), "not a regular file"),
    "a device as README": (lambda f: linked(f / "README.md", "/dev/zero"), "not a regular file"),
    "a device as template": (lambda f: linked(f / "chat_template.jinja", "/dev/zero"), "not a regular file"),
    "an endless template": (lambda f: sparse(f / "chat_template.jinja", 3 * G), "larger than"),
    "another endless template": (lambda f: sparse(f / "more.jinja", 3 * G), "larger than"),
    "endless merges": (lambda f: sparse(f / "merges.txt", 3 * G), "larger than"),
    "an endless tokenizer": (lambda f: sparse(f / "tokenizer.json", 3 * G), "larger than"),
    "an endless config": (lambda f: sparse(f / "config.json", 3 * G), "larger than"),
    "a deep config": (lambda f: (f / "config.json").write_text("[" * 100_000), "nested"),
    "a deep JSON beside it": (lambda f: (f / "x.json").write_text('{"a":' * 90_000 + "1" + "}" * 90_000), "nested"),
    "a key twice": (lambda f: (f / "config.json").write_text('{"model_type":"llama","model_type":"gpt2"}'), "twice"),
    "a config that is a list": (lambda f: (f / "config.json").write_text("[]"), "JSON object"),
    "a config that is no UTF-8": (lambda f: (f / "config.json").write_bytes(b'{"a":"\xff"}'), "not readable JSON"),
    "a header of 85 MB": (lambda f: header(f / WEIGHTS, b'{"a":"' + b" " * 85_000_000 + b'"}'), "larger than that"),
    "a deep header": (lambda f: header(f / WEIGHTS, b'{"a":' * 50_000), "header is not readable"),
    "a header that is a list": (lambda f: header(f / WEIGHTS, b"[[1,2]]"), "header is not readable"),
    "a tensor twice": (lambda f: header(f / WEIGHTS, tensor()[:-1] + b"," + tensor()[1:]), "header is not readable"),
    "negative shapes": (
        lambda f: header(f / WEIGHTS, tensor(shape=[-2, -2], data_offsets=[0, 16]) + b" " * 16),
        "header is not readable",
    ),
    "a shape of fractions": (lambda f: header(f / WEIGHTS, tensor(shape=[0.0])), "header is not readable"),
    "a shape of words": (lambda f: header(f / WEIGHTS, tensor(shape="ab")), "header is not readable"),
    "a shape beyond all": (lambda f: header(f / WEIGHTS, tensor(shape=[2**62, 2**62])), "header is not readable"),
    "a billion layers": (lambda f: edit(f, num_hidden_layers=10**9), "num_hidden_layers"),
    "one layer more": (lambda f: edit(f, num_hidden_layers=3), "num_hidden_layers"),
    "one layer less": (lambda f: edit(f, num_hidden_layers=1), "num_hidden_layers"),
    "minus one layer": (lambda f: edit(f, num_hidden_layers=-1), "is no size"),
    "no layer": (lambda f: edit(f, num_hidden_layers=0), "is no size"),
    "true layers": (lambda f: edit(f, num_hidden_layers=True), "is no size"),
    "layers in words": (lambda f: edit(f, num_hidden_layers="many"), "is no size"),
    "a huge inner size": (lambda f: edit(f, intermediate_size=10**9), "intermediate_size"),
    "a huge width": (lambda f: edit(f, hidden_size=2**40), "hidden_size"),
    "a negative width": (lambda f: edit(f, hidden_size=-64), "is no size"),
    "a billion heads": (lambda f: edit(f, num_attention_heads=10**9), "num_attention_heads"),
    "a huge head": (lambda f: edit(f, head_dim=10**9), "head_dim"),
    "a billion experts": (lambda f: edit(f, num_local_experts=10**9), "num_local_experts"),
    "another vocabulary": (lambda f: edit(f, vocab_size=10**6), "vocab_size"),
    "a vocabulary that is one short": (
        lambda f: edit(f, vocab_size=json.loads((f / "config.json").read_text())["vocab_size"] - 1),
        "vocab_size",
    ),
    "an endless context": (lambda f: edit(f, max_position_embeddings=10**12), "max_position_embeddings"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_that_a_hostile_folder_is_refused_with_a_sentence(folder: Path, name: str) -> None:
    harm, words = HOSTILE[name]
    harm(folder)
    with pytest.raises((ModelRefused, BadInput), match=words) as refused:
        describe(folder)
    assert len(refused.value.message) < 400


def test_that_only_the_head_of_a_model_card_is_read(folder: Path) -> None:
    sparse(folder / "README.md", 3 * G)
    with (folder / "README.md").open("r+b") as card:
        card.write(b"---\nlicense: apache-2.0\n---\n")
    assert describe(folder).licence == "apache-2.0"


def test_that_links_to_plain_files_and_to_nothing_are_fine(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / WEIGHTS, tmp_path / "blob")
    linked(folder / WEIGHTS, str(tmp_path / "blob"))
    linked(folder / "gone.json5", str(tmp_path / "nowhere"))
    assert check_model(folder).weight_bytes > 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"a":"]]]\\"[[["}', {"a": ']]]"[[['}),
        (b'\xef\xbb\xbf{"a":[1,{"b":null}]}', {"a": [1, {"b": None}]}),
        (b'{"line":"a\\n\\\\"}', {"line": "a\n\\"}),
    ],
)
def test_that_brackets_in_texts_do_not_count_as_depth(tmp_path: Path, text: bytes, found: Any) -> None:
    assert bounded.parse_json(text, "x") == found
    bounded.require_shallow(text, "x", 3)


def test_that_a_file_that_is_too_large_or_not_plain_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert bounded.read_bytes(tmp_path / "x", 5) == b"12345"
    with pytest.raises(BadInput, match="larger than"):
        bounded.read_bytes(tmp_path / "x", 4)
    for name in (".", "none"):
        with pytest.raises(BadInput):
            bounded.read_bytes(tmp_path / name, 4)
