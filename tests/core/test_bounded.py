from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import bounded
from core.cli.run_settings import with_template_arguments
from core.domain.errors import BadInput
from core.runs.input_pairs import read_pairs
from core.services.generations.prompts import prompts_of_file
from core.services.rubrics import yaml_format
from core.services.runs.charter_file import read_charter

READERS: dict[str, Callable[[Path], Any]] = {
    "rubric": yaml_format.read,
    "pairs of a run": read_pairs,
    "template argument": lambda path: with_template_arguments([], [f"tools=@{path}"]),
    "text": lambda path: bounded.read_utf8(path, 100),
    "prompts": prompts_of_file,
    "charter": lambda path: read_charter(path),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", READERS)
def test_that_a_pipe_named_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(BadInput, match=r"no file|not a regular file"):
        READERS[name](tmp_path / "pipe.txt")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs the device")
@pytest.mark.parametrize("name", READERS)
def test_that_an_endless_device_is_refused_before_memory_fills(tmp_path: Path, name: str) -> None:
    (tmp_path / "zero.txt").symlink_to("/dev/zero")
    with pytest.raises(BadInput, match=r"no file|not a regular file"):
        READERS[name](tmp_path / "zero.txt")


@pytest.mark.parametrize("name", READERS)
def test_that_text_in_another_encoding_is_refused_and_not_altered(tmp_path: Path, name: str) -> None:
    (tmp_path / "latin.txt").write_bytes("Zürich\n".encode("latin-1"))
    with pytest.raises(BadInput, match=r"UTF-8|not JSON"):
        READERS[name](tmp_path / "latin.txt")


def test_that_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "marked.txt").write_bytes(b"\xef\xbb\xbfa\r\n")
    assert bounded.read_utf8(tmp_path / "marked.txt", 100) == "a\r\n"


def test_that_a_file_of_gigabytes_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BadInput, match="larger than 64 MiB"):
        bounded.read_json(tmp_path / "large.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1' + "0" * 5000 + "}", "thousands of digits"),
        ("{" + ", ".join(f'"{n}": 0' for n in range(50_000)) + ', "49999": 1}', "names '49999' twice"),
        ("[" * 100_000, "levels deep"),
    ],
)
def test_that_json_that_would_cost_much_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        bounded.parse_json(text.encode(), "x.json")
