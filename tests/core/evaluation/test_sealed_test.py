from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core import durable
from core.domain.conversation import Prompt
from core.domain.errors import BadInput, NotFound, StorageFull, UsageError
from core.domain.suite import Suite, SuiteItem
from core.evaluation import openings, sealed_test
from core.evaluation.openings import count_looks, read_notes
from core.evaluation.sealed_test import SealedOpening, check_sealed, open_sealed, write_sealed

SUITE = Suite(
    "safety sealed test",
    2,
    tuple(
        SuiteItem(
            f"id{i}",
            Prompt.from_text(f"secret question {i}"),
            "preference",
            {"source": "x"},
            chosen=f"good {i}",
            rejected=f"bad {i}",
            target=0.75,
            is_tie=i == 2,
        )
        for i in range(4)
    ),
    "dataset",
)
ASK = {"person": "Ann", "reason": "release 3", "policy": "run-7 step 40"}


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "ws" / "sealed" / "abc.sealed"
    (tmp_path / "ws").mkdir(mode=0o700)
    write_sealed(path, tmp_path / "keys", SUITE, "abc")
    return path


def keys(sealed: Path) -> Path:
    return sealed.parents[2] / "keys"


def opened(sealed: Path, **more: object) -> SealedOpening:
    return open_sealed(sealed, keys(sealed), **(ASK | more))  # type: ignore[arg-type]


def test_that_an_opened_test_holds_the_items_that_were_sealed(sealed: Path) -> None:
    assert opened(sealed, expected_sha256=SUITE.sha256).suite == SUITE
    assert check_sealed(sealed).contents_sha256 == SUITE.sha256


def test_that_neither_a_text_nor_an_id_of_an_item_stands_in_the_file(sealed: Path) -> None:
    data = sealed.read_bytes()
    assert not any(word in data for word in (b"secret", b"good 1", b"bad", b"id1"))


@pytest.mark.skipif(sys.platform == "win32", reason="rights of Unix")
def test_that_file_key_and_notes_are_private_to_their_owner(sealed: Path) -> None:
    opened(sealed)
    (key,) = keys(sealed).iterdir()
    (note,) = openings.notes_folder(sealed).iterdir()
    for path in (sealed, key, note):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_that_an_opening_says_who_when_why_which_rows_and_which_policy(sealed: Path) -> None:
    opened(sealed)
    opened(sealed, ids=["id3", "id1"])
    part = opened(sealed, limit=2)
    assert [item.id for item in part.suite.items] == ["id0", "id1"]
    first, second, third = read_notes(sealed)
    assert (first.person, first.reason, first.policy, first.rows, first.which) == (*ASK.values(), 4, "all")
    assert (second.rows, second.which, third.rows, third.which) == (2, "id3 id1", 2, "first 2")
    assert first.at_ms <= second.at_ms and first.title == SUITE.title
    assert (first.root_sha256, first.contents_sha256) == ("abc", SUITE.sha256)


@pytest.mark.parametrize("missing", ["person", "reason", "policy"])
def test_that_a_test_is_not_opened_without_person_reason_and_policy(sealed: Path, missing: str) -> None:
    with pytest.raises(UsageError, match=missing):
        opened(sealed, **{missing: " "})
    assert read_notes(sealed) == []


def test_that_a_resumed_evaluation_is_one_look_and_another_policy_a_second_one(sealed: Path) -> None:
    for evaluation, policy in (("e1", "p"), ("e1", "p"), ("e1", "q"), ("", "p"), ("", "p")):
        opened(sealed, evaluation=evaluation, policy=policy)
    notes = read_notes(sealed)
    assert (len(notes), count_looks(notes)) == (5, 4)


def test_that_nothing_is_decrypted_when_the_note_cannot_be_written(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageFull("There is no room left.")

    monkeypatch.setattr(openings.durable, "write_json", full)
    monkeypatch.setattr(sealed_test, "_decrypted", lambda *_: pytest.fail("decrypted without a note"))
    with pytest.raises(StorageFull):
        opened(sealed)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_that_a_process_killed_while_it_decrypts_has_left_its_note(sealed: Path) -> None:
    code = (
        "import os; from core.evaluation import sealed_test as s\n"
        "s._decrypted = lambda *_: os.kill(os.getpid(), 9)\n"
        f"from pathlib import Path; s.open_sealed(Path({str(sealed)!r}), Path({str(keys(sealed))!r}), **{ASK!r})"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    (note,) = read_notes(sealed)
    assert note.person == "Ann"


def test_that_a_damaged_note_still_counts_as_an_opening(sealed: Path) -> None:
    opened(sealed)
    opened(sealed)
    first, second = sorted(openings.notes_folder(sealed).iterdir())
    first.write_text("half a no")
    damaged, whole = read_notes(sealed)
    assert (damaged.uid, damaged.person, damaged.root_sha256) == (first.stem, "not known", "abc")
    assert whole.uid == second.stem and count_looks([damaged, whole]) == 2


def test_that_a_flipped_byte_is_found_without_opening(sealed: Path) -> None:
    data = bytearray(sealed.read_bytes())
    data[-5] ^= 1
    sealed.write_bytes(data)
    with pytest.raises(BadInput, match=r"abc\.sealed was altered.*not opened.*as it was.*moved? it away"):
        opened(sealed)
    assert read_notes(sealed) == []


@pytest.mark.parametrize("field", ["title", "root_sha256", "rows", "contents_sha256", "created_ms", "nonce"])
def test_that_an_altered_header_does_not_open(sealed: Path, field: str) -> None:
    head, cipher = sealed.read_bytes().split(b"\n", 1)
    plain = json.loads(head)
    value = plain[field]
    plain[field] = value + 1 if isinstance(value, int) else value[::-1]
    sealed.write_bytes(json.dumps(plain).encode() + b"\n" + cipher)
    with pytest.raises(BadInput, match="altered"):
        opened(sealed)


def test_that_another_test_in_its_place_is_refused_before_it_is_opened(sealed: Path) -> None:
    write_sealed(sealed, keys(sealed), Suite("safety sealed test", 2, SUITE.items[:3], "dataset"), "abc")
    with pytest.raises(BadInput, match=r"holds other items than the test split of safety sealed test v2"):
        opened(sealed, expected_sha256=SUITE.sha256)
    assert read_notes(sealed) == []


def test_that_a_missing_or_foreign_key_is_named(sealed: Path, tmp_path: Path) -> None:
    (key,) = keys(sealed).iterdir()
    durable.write_json(key, {"format": 1, "key": "00" * 32})
    with pytest.raises(BadInput, match="holds another key"):
        opened(sealed)
    key.unlink()
    with pytest.raises(NotFound, match=r"key of the sealed test.*is not at"):
        opened(sealed)
    assert read_notes(sealed) == []


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[1]\nx", b'{"format": 9}\nx', bytes(range(128, 228))])
def test_that_a_file_that_is_no_sealed_test_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.sealed"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="not a sealed test"):
        check_sealed(path)
    with pytest.raises(BadInput, match="does not exist"):
        check_sealed(tmp_path / "nothing.sealed")


def test_that_ids_that_the_test_lacks_are_counted(sealed: Path) -> None:
    with pytest.raises(NotFound, match="lacks 1 item, among them other"):
        opened(sealed, ids=["id1", "other"])
