"""A model folder from elsewhere costs neither time nor memory before it is refused with a sentence."""

from __future__ import annotations

import contextlib
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


def gguf(path: Path, *, layers: int = 2, tensors: dict[str, tuple[int, ...]] | None = None, **entries: Any) -> Path:
    """Write a GGUF file of a small Llama: entries of its header, tensors filled with zeros, all sizes of 8."""
    numbers = {"block_count": layers, "embedding_length": 8, "feed_forward_length": 16, "context_length": 64} | entries
    shapes = tensors or {"token_embd.weight": (8, 4), "blk.0.attn_q.weight": (8, 8), "blk.1.attn_q.weight": (8, 8)}

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    raw = struct.pack("<4sIQQ", b"GGUF", 3, len(shapes), 2 + len(numbers))
    raw += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    raw += text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 4) + b"".join(map(text, "abcd"))
    for key, value in numbers.items():
        raw += text(f"llama.{key}") + struct.pack("<IQ", 10, value)
    for name, shape in shapes.items():
        raw += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, 0)
    path.write_bytes(raw + b"\0" * 4096)
    return path


def test_that_a_sound_gguf_header_passes(tmp_path: Path) -> None:
    assert check_model(gguf(tmp_path / "m.gguf")).model_type == "gguf"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layers": 10**9}, "block_count is 1,000,000,000, and its weights have 2 layers"),
        ({"layers": 1}, "block_count is 1, and its weights have 2 layers"),
        ({"embedding_length": 4096}, "embedding_length is 4,096"),
        ({"embedding_length": 16}, "embedding_length is 16, and its embeddings have 8"),
        ({"feed_forward_length": 10**12}, "feed_forward_length is 1,000,000,000,000"),
        ({"context_length": 1 << 40}, "context_length is 1,099,511,627,776"),
        ({"expert_count": 1 << 62}, "expert_count"),
        ({"tensors": {"token_embd.weight": (8, 3), "blk.1.x": (8, 8)}}, "4 tokens, and its embeddings have 3 rows"),
        ({"tensors": {"token_embd.weight": (8, 1 << 50)}}, "has the shape"),
        ({"tensors": {"token_embd.weight": (8, 4, 1, 1, 1)}}, "has 5 dimensions"),
    ],
)
def test_that_a_gguf_header_that_does_not_describe_its_weights_is_refused_before_a_model_is_built(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ModelRefused) as caught:
        check_model(gguf(tmp_path / "m.gguf", **changes))
    assert told in caught.value.message


def test_that_a_cut_or_altered_gguf_header_is_refused_with_a_sentence(tmp_path: Path) -> None:
    whole = gguf(tmp_path / "m.gguf").read_bytes()
    length = len(whole) - 4096
    for size in range(0, length, 7):
        (tmp_path / "m.gguf").write_bytes(whole[:size])
        with pytest.raises(ModelRefused, match="damaged or cut short"):
            check_model(tmp_path / "m.gguf")
    for place in range(4, length):
        raw = bytearray(whole)
        raw[place] ^= 0x80
        (tmp_path / "m.gguf").write_bytes(raw)
        with contextlib.suppress(ModelRefused):
            check_model(tmp_path / "m.gguf")
