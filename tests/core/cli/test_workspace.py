"""The commands on a workspace, from an empty folder to a restored backup, and what they say when they cannot."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.services.application import Application
from core.services.importing import job
from tests.core.cli.conftest import Said

Call = Callable[..., Said]


@pytest.fixture
def ws(call: Call, tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    assert call("init", folder).code == 0
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Nine good rows, one bad one."""
    path = tmp_path / "mine.jsonl"
    rows = [{"prompt": f"Q{i}", "chosen": f"yes {i}", "rejected": f"no {i}"} for i in range(9)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"prompt": "Q"}\n')
    return path


def test_that_init_tells_a_new_workspace_from_one_that_was_there(call: Call, tmp_path: Path) -> None:
    first = call("init", tmp_path / "ws", "--name", "Mine", "--json").json()
    again = call("init", tmp_path / "ws", "--json").json()
    assert (first["created"], again["created"]) == (True, False)
    assert first["uuid"] == again["uuid"]
    assert "exists already" in call("init", tmp_path / "ws").out


def test_that_import_counts_add_up_and_a_second_one_adds_nothing(call: Call, ws: Path, data: Path) -> None:
    first = call("import", ws, data, "--json").json()
    assert [first[k] for k in ("rows", "imported", "duplicates", "rejected")] == [10, 9, 0, 1]
    assert Path(first["rejects_path"]).is_file()
    again = call("import", ws, data, "--json").json()
    assert [again[k] for k in ("rows", "imported", "duplicates", "rejected")] == [10, 0, 9, 1]
    said = call("import", ws, data).out
    assert "1  rejected: chosen is missing" in said
    assert call("account", ws, "--json").json()["adds_up"] is True
    assert "The counts add up." in call("account", ws).out


def test_that_a_folder_stands_for_the_data_files_in_it_and_each_is_told(call: Call, ws: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    (folder / "inner").mkdir(parents=True)
    for number, name in enumerate(("a.jsonl", "inner/b.jsonl", "c.csv", "README.md", ".hidden.jsonl")):
        row = {"prompt": f"Q{number}", "chosen": "yes", "rejected": "no"}
        text = f"prompt,chosen,rejected\nQ{number},yes,no\n" if name.endswith("csv") else json.dumps(row) + "\n"
        (folder / name).write_text(text)
    (folder / "page.jsonl").write_text("<html></html>")
    said = call("import", ws, folder, "--json")
    told = said.json()
    assert said.code == 1
    assert [Path(entry["file"]).name for entry in told["files"]] == ["a.jsonl", "c.csv", "b.jsonl", "page.jsonl"]
    assert (told["rows"], told["imported"], told["failed"]) == (3, 3, 1)
    assert [Path(name).name for name in told["left_out"]] == ["README.md"]
    assert "HTML page" in told["files"][3]["error"]
    (folder / "page.jsonl").unlink()
    again = call("import", ws, folder / "a.jsonl", folder)
    assert again.code == 0
    assert "In total, 3 files: 3 rows, 0 imported, 3 duplicates" in again.out
    assert call("import", ws, tmp_path / "ws").code == 1


def test_that_an_interrupted_import_is_listed_and_goes_on(
    call: Call, ws: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", 4)
    asked = iter([False] + [True] * 9)
    with Application.open(ws) as app:
        stopped = app.imports.run(data, cancelled=lambda: next(asked)).value
    assert stopped.cancelled
    assert [source["import"] for source in call("sources", ws, "--json").json()] == ["stopped after 4 rows"]
    assert call("sources", ws, "--resume", "1", "--json").json()["imported"] == 9
    assert [source["import"] for source in call("sources", ws, "--json").json()] == ["done"]
    assert "is given up" in call("sources", ws, "--remove", "1").out
    assert call("sources", ws, "--resume", "1").code == 1


def test_that_the_pair_table_is_written_and_read_back(call: Call, ws: Path, data: Path, tmp_path: Path) -> None:
    call("import", ws, data)
    told = call("table", ws, tmp_path / "pairs.csv", "--json").json()
    assert (told["rows"], told["path"]) == (9, str(tmp_path / "pairs.csv"))
    assert call("import", ws, tmp_path / "pairs.csv", "--json").json()["duplicates"] == 9
    assert call("table", ws, tmp_path / "pairs.xlsx").code == 1


def test_that_no_table_or_list_replaces_a_file_that_is_there_unless_that_is_said(
    call: Call, ws: Path, data: Path, tmp_path: Path
) -> None:
    call("import", ws, data)
    mine, side = tmp_path / "mine.csv", tmp_path / "other.csv.manifest.json"
    mine.write_text("work of a year")
    side.write_text("{}")
    (tmp_path / "folder.csv").mkdir()
    commands = (
        ("table", ws, mine), ("quality", ws, "--export", mine), ("import", ws, data, "--dry-run", "--rejects", mine)
    )  # fmt: skip
    for command in commands:
        said = call(*command, "--json")
        assert (said.code, said.error()["error"]) == (1, f"{mine} exists already; nothing was written.")
        assert "--replace" in said.error()["hint"] and mine.read_text() == "work of a year"
    assert f"{side} exists already" in call("table", ws, tmp_path / "other.csv").err
    assert "is a folder; nothing was written" in call("table", ws, tmp_path / "folder.csv", "--replace").err
    assert not (tmp_path / "other.csv").exists() and side.read_text() == "{}"
    for command in commands:
        assert call(*command, "--replace").code == 0 and mine.read_text() != "work of a year"
        mine.write_text("work of a year")


def test_that_the_demo_is_told_of_a_wrong_place_or_setting_before_a_model_is_made(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.cli.demo.starter_model", lambda: pytest.fail("the model was made first"))
    (tmp_path / "file").write_text("kept")
    (tmp_path / "used" / "workspace").mkdir(parents=True)
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "summary.json").write_text("kept")
    for place, words in (
        ("file", "is a file"), ("file/inside", "could not be written"), ("used", "workspace exists already"),
        ("done", "summary.json exists already"),
    ):  # fmt: skip
        said = call("demo", "--headless", "--out", tmp_path / place, "--json")
        assert said.code in (1, 2) and words in said.error()["error"]
    assert call("demo", "--headless", "--out", tmp_path / "new", "--set", "beta=-1").code == 2
    assert (tmp_path / "file").read_text() == (tmp_path / "done" / "summary.json").read_text() == "kept"


def test_that_sources_are_listed_and_consent_is_withdrawn(call: Call, ws: Path, data: Path) -> None:
    assert call("sources", ws).out == "No sources yet.\n"
    call("import", ws, data, "--licence", "CC0", "--consent", "unknown")
    assert [s["consent"] for s in call("sources", ws, "--json").json()] == ["unknown"]
    assert "withdrawn" in call("sources", ws, "--consent", "1=withdrawn").out
    assert call("sources", ws, "--consent", "1=perhaps").code == 2
    assert call("sources", ws, "--consent", "7=granted").code == 1


def test_that_consent_that_nobody_stated_is_not_taken_for_granted(call: Call, ws: Path, data: Path) -> None:
    said = call("import", ws, data).out
    assert "consent unknown: a freeze leaves its pairs out" in said
    assert "sources WORKSPACE --consent 1=granted" in said
    refused = call("freeze", ws, "--name", "d", "--json")
    assert refused.code == 1
    assert "9 consent not stated" in refused.error()["hint"]
    call("sources", ws, "--consent", "1=granted")
    assert call("freeze", ws, "--name", "d", "--set", "splits=[1,0,0]", "--json").code == 0
    call("sources", ws, "--consent", "1=withdrawn")
    assert "9 consent withdrawn" in call("freeze", ws, "--name", "d", "--json").error()["hint"]


def test_that_the_log_tells_what_happened_newest_first(call: Call, ws: Path, data: Path) -> None:
    call("import", ws, data, "--consent", "granted")
    call("freeze", ws, "--name", "d", "--set", "splits=[1,0,0]")
    entries = call("log", ws, "--json").json()
    assert [entry["op"] for entry in entries][:2] == ["dataset.freeze", "import"]
    said = call("log", ws, "--limit", "1").out
    assert "Froze d v1: 9 items" in said
    assert said.count("\n") == 1
    assert call("log", ws, "--limit", "0").code == 2


def test_that_a_backup_is_listed_and_restored_to_a_new_place_only(
    call: Call, ws: Path, data: Path, tmp_path: Path
) -> None:
    call("import", ws, data)
    made = Path(call("backup", ws, "--json").json()["path"])
    assert [Path(b["path"]) for b in call("backup", ws, "--list", "--json").json()] == [made]
    assert call("restore", made, tmp_path / "again").code == 0
    assert call("check", tmp_path / "again", "--json").json()["counts"]["pairs"] == 9
    assert "not an empty folder" in call("restore", made, tmp_path / "again").err
    assert "There is no backup file" in call("restore", tmp_path / "none.db", tmp_path / "x").err
    assert call("restore", data, tmp_path / "x").code == 1
    assert not (tmp_path / "x").exists()


def test_that_the_backups_of_a_damaged_workspace_can_still_be_listed(call: Call, ws: Path) -> None:
    call("backup", ws)
    (ws / "workspace.db").write_bytes(b"rubbish" * 1000)
    assert call("check", ws).code == 1
    assert "manual" in call("backup", ws, "--list").out


def test_that_writing_commands_exit_3_while_another_has_the_workspace_and_reading_ones_work(
    call: Call, ws: Path, data: Path, tmp_path: Path
) -> None:
    call("import", ws, data, "--consent", "granted")
    call("freeze", ws, "--name", "d", "--set", "splits=[1,0,0]")
    rubric = tmp_path / "r.yaml"
    rubric.write_text(call("rubric", "template", "helpful_harmless").out)
    with Application.open(ws):
        for words in (("import", ws, data), ("freeze", ws, "--name", "d"), ("rubric", "publish", ws, rubric)):
            assert call(*words).code == 3
        assert call("backup", ws).code == 3
        said = call("freeze", ws, "--name", "d", "--json").error()["error"]
        assert said.startswith("This workspace is open in ") and f"process {os.getpid()} (this one)" in said
        reading = (("check", ws), ("account", ws), ("sources", ws), ("datasets", ws), ("rubric", "list", ws))
        for words in (*reading, ("runs", ws), ("export", ws, "d", tmp_path / "out"), ("datasets", "show", ws, "d")):
            assert call(*words).code == 0, words
        assert call("backup", ws, "--to", tmp_path / "copy.db").code == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("import", "WS", "none.jsonl"), 1, "cannot be read: No such file"),
        (("import", "WS"), 2, "FILES is missing."),
        (("import", "WS", "mine.jsonl", "--consent", "maybe"), 2, "Consent cannot be"),
        (("import", "none", "mine.jsonl"), 1, "holds no workspace"),
        (("freeze", "WS"), 2, "--name is missing."),
        (("freeze", "WS", "--name", "d", "--set", "min_strength=strong"), 2, "min_strength cannot be"),
        (("freeze", "WS", "--name", "d", "--set", "splits=1"), 2, "splits cannot be"),
        (("freeze", "WS", "--name", "d", "--set", "no_such=1"), 2, "Unknown freeze setting"),
        (("freeze", "WS", "--name", "d", "--set", "seed"), 2, "is no setting"),
        (("freeze", "WS", "--name", "d"), 1, "No pair passes this policy"),
        (("export", "WS", "d", "out"), 1, "There is no dataset version 'd'"),
        (("export", "WS", "d", "out", "--format", "csv"), 2, "no export format"),
        (("rubric", "publish", "WS", "none.yaml"), 1, "none.yaml does not exist"),
        (("rubric", "publish", "WS", "mine.jsonl", "--level", "huge"), 2, "level cannot be"),
        (("rubric", "show", "WS", "None 1.0.0"), 1, "There is no rubric version"),
        (("backup", "none", "--list"), 1, "There is no folder none"),
        (("import", "WS", "mine.jsonl", "--dry-run", "--rejects", "mine.jsonl"), 1, "is the file that is read"),
        (("no-such-command",), 2, "No such command"),
    ],
)
def test_that_every_failure_is_a_sentence_with_its_exit_code(
    call: Call, ws: Path, data: Path, words: tuple[str, ...], code: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    said = call(*(ws if word == "WS" else word for word in words))
    assert (said.code, sentence in said.err, "Traceback" in said.err) == (code, True, False), said.err
    assert sentence in call(*(ws if word == "WS" else word for word in words), "--json").error()["error"]


def test_that_a_refusal_of_the_system_and_a_mistake_of_ours_are_sentences_too(
    call: Call, ws: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "home"))

    def refuse(error: Exception) -> None:
        def opened(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(Application, "open", opened)

    refuse(OSError(5, "Input/output error", "/dev/disk"))
    said = call("check", ws)
    assert (said.code, "refused: Input/output error (/dev/disk)" in said.err) == (1, True)
    refuse(ZeroDivisionError("division by zero"))
    said = call("check", ws)
    assert said.code == 1
    assert "error in Pairwright (ZeroDivisionError: division by zero)" in said.err
    (log,) = (tmp_path / "home" / "logs").glob("error-*.log")
    assert "Traceback" in log.read_text()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are characters there")
def test_that_a_folder_whose_name_is_no_text_can_be_a_workspace(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    assert call("init", folder).code == 0
    assert call("check", folder).code == 0
    assert json.loads(call("backup", folder, "--list", "--json").out) == []
    assert "\\udce9" in call("import", folder, tmp_path / os.fsdecode(b"no\xe9.jsonl")).err


def test_that_a_list_of_backups_for_machines_has_counts(call: Call, ws: Path, data: Path) -> None:
    call("import", ws, data)
    call("backup", ws)
    (entry,) = [row for row in call("backup", ws, "--list", "--json").json() if row["why"] == "manual"]
    pairs = call("account", ws, "--json").json()["pairs"]
    assert entry["counts"]["pairs"] == pairs > 0
    assert {"labels", "judgements", "datasets", "reviewers", "rubric_versions"} <= entry["counts"].keys()
    assert entry["problem"] == ""


def test_that_lost_work_is_noted_checked_and_accepted(call: Call, ws: Path, data: Path, tmp_path: Path) -> None:
    shutil.copy(ws / "workspace.db", tmp_path / "older.db")
    call("import", ws, data)
    shutil.copy(tmp_path / "older.db", ws / "workspace.db")
    assert call("check", ws).code == 1
    assert "that had been saved by" in call("backup", ws).err
    said = call("check", ws)
    assert (said.code, "wrong: saved work:" in said.out) == (1, True)
    assert call("check", ws, "--accept-loss").code == 0
    assert call("check", ws).code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("datasets", "show", "{ws}", "9" * 30),
        ("datasets", "show", "{ws}", "9" * 5000),
        ("datasets", "show", "{ws}", "²"),
        ("log", "{ws}", "--limit", "9" * 25),
        ("log", "{ws}", "--limit", "-1"),
        ("sources", "{ws}", "--consent", "99999999999999999999=granted"),
        ("sources", "{ws}", "--consent", "-1=granted"),
        ("rubric", "show", "{ws}", "9" * 40),
        ("freeze", "{ws}", "--name", "a\x00b"),
        ("freeze", "{ws}", "--name", "a\u202eb"),
        ("freeze", "{ws}", "--name", "x" * 300),
        ("init", "{ws}2", "--name", "a\nb"),
    ],
    ids=lambda words: " ".join(words)[:40] if isinstance(words, tuple) else words,
)
def test_that_numbers_and_names_out_of_range_are_one_sentence(call: Call, ws: Path, words: tuple[str, ...]) -> None:
    said = call(*(word.replace("{ws}", str(ws)) for word in words))
    assert said.code in (1, 2)
    assert "error in Pairwright" not in said.err
    assert said.err.count("Error:") == 1


def test_that_a_rubric_with_a_number_of_5000_digits_is_one_sentence(call: Call, ws: Path, tmp_path: Path) -> None:
    rubric = tmp_path / "r.yaml"
    rubric.write_text(f"name: r\nscale: {'9' * 5000}\ncriteria: []\n")
    said = call("rubric", "publish", ws, rubric)
    assert (said.code, "cannot be read" in said.err, "error in Pairwright" in said.err) == (1, True, False)
