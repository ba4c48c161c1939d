from __future__ import annotations

import io
import json

import pytest

from core.cli.failures import report
from core.cli.output import json_text, printable, say, say_json

HOSTILE = "a\x1b]52;c;ZXZpbA==\x07 b\x9b2J c\r d\u202e e\u2066 f\x7f"
SHOWN = r"a\x1b]52;c;ZXZpbA==\x07 b\x9b2J c\r d\u202e e\u2066 f\x7f"


def test_that_text_from_outside_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    report(HOSTILE)
    said = capsys.readouterr()
    assert (said.out, said.err) == (f"{SHOWN}\n", f"Error: {SHOWN}\n")


def test_that_json_commands_no_terminal_and_reads_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"prompt": HOSTILE})
    report(HOSTILE, as_json=True)
    said = capsys.readouterr()
    assert not {chr(n) for n in (*range(32), *range(127, 160))} & set(said.out.strip() + said.err.strip())
    assert (json.loads(said.out)["prompt"], json.loads(said.err)["error"]) == (HOSTILE, HOSTILE)


@pytest.mark.parametrize("text", ["two\nlines\tand a tab", "שלום\u200f!", "👩\u200d🚀 naïve 中文"])
def test_that_texts_of_every_script_are_printed_as_they_are(text: str) -> None:
    assert printable(text, io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) == text
    assert json.loads(json_text(text)) == text
