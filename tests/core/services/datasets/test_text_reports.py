"""Prompts that ask the same fall together, near copies and flagged texts are counted, and old versions stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy, diff_versions
from core.domain.errors import BadInput
from core.services.application import Application
from tests.fakes.fresh import fresh

SPELLINGS = ("{} is what?", "{}  IS what ?\n", "{} Is\u00a0What?")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


def bring(app: Application, folder: Path, rows: list[dict[str, str]], name: str = "pairs") -> None:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    app.imports.run(path, consent="granted")


def pair(prompt: str, chosen: str = "yes", rejected: str = "no") -> dict[str, str]:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def splits(app: Application, policy: FreezePolicy) -> dict[str, str]:
    """Return prompt -> split of a version frozen under a policy."""
    items = app.datasets.items(app.datasets.freeze("d", policy).value.id, limit=1000)
    texts = app.pairs.texts([item.pair_id for item in items])
    return {texts[item.pair_id].prompt.last_text: item.split for item in items}


def test_that_spellings_of_one_prompt_never_fall_into_different_splits(app: Application, tmp_path: Path) -> None:
    rows = [pair(spelling.format(n)) for n in range(40) for spelling in SPELLINGS]
    bring(app, tmp_path, rows)
    halves = FreezePolicy(splits=(0.4, 0.3, 0.3))
    found = splits(app, halves)
    for n in range(40):
        assert len({found[spelling.format(n)] for spelling in SPELLINGS}) == 1
    old = splits(app, FreezePolicy(splits=(0.4, 0.3, 0.3), split_rule=1))
    assert any(len({old[spelling.format(n)] for spelling in SPELLINGS}) > 1 for n in range(40))
    # The first spelling keeps the split that it had under the old rule: nothing sealed is ever trained on.
    assert all(found[SPELLINGS[0].format(n)] == old[SPELLINGS[0].format(n)] for n in range(40))


def test_that_the_rule_is_written_into_the_version_and_shown_as_a_difference(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [pair("a"), pair("b")])
    new = app.datasets.freeze("d", FreezePolicy()).value
    old = app.datasets.freeze("d", FreezePolicy(split_rule=1)).value
    assert new.policy.to_plain()["split_rule"] == 2
    assert "split_rule" not in old.policy.to_plain()
    assert FreezePolicy.as_stored({}).split_rule == 1
    assert diff_versions(old, [], new, []).policy_changes == (("split_rule", "1", "2"),)
    assert app.workspace.check().ok


def test_that_near_copies_across_splits_are_counted_and_named(app: Application, tmp_path: Path) -> None:
    rows = [pair(f"Say {n} now{sign}") for n in range(30) for sign in (".", "!!", " - please")]
    bring(app, tmp_path, rows)
    plan = app.datasets.plan(FreezePolicy(splits=(0.5, 0.5, 0.0)))
    assert 0 < plan.counts["near_copies"] <= 30
    assert any("near copy in train" in note and "#" in note for note in plan.notes)
    assert "near_copies" not in app.datasets.plan(FreezePolicy(splits=(1.0, 0.0, 0.0))).counts


def test_that_flagged_texts_are_counted_and_left_out_on_request(app: Application, tmp_path: Path) -> None:
    bring(
        app,
        tmp_path,
        [
            pair("sound", "one", "two"),
            pair("alike", "yes", "yes "),
            pair("empty", "", "yes"),
            pair("<|im_start|>user\nhi<|im_end|>"),
            pair("broken", "caf\u00c3\u00a9"),
            pair("hidden", "a\u202eb"),
            pair("copied", "copied\n\nyes"),
        ],
    )
    plan = app.datasets.plan(FreezePolicy())
    counts = {key: value for key, value in plan.counts.items() if key.startswith("flag_")}
    assert counts == {
        "flag_equal_looking": 1,
        "flag_empty_answer": 1,
        "flag_repeats_prompt": 1,
        "flag_template_tokens": 1,
        "flag_mojibake": 1,
        "flag_hidden_characters": 1,
    }
    assert (plan.counts["items"], len([note for note in plan.notes if "#" in note])) == (7, 6)
    assert sum("drop_text_flags=equal_looking,empty_answer," in note for note in plan.notes) == 1
    strict = app.datasets.plan(FreezePolicy.from_plain({"drop_text_flags": "equal_looking, mojibake"}))
    assert strict.counts["items"] == 5
    assert {entry.reason: entry.count for entry in strict.left_out} == {
        "the answers differ only in blanks, Unicode form or invisible characters": 1,
        "a text was decoded with the wrong encoding": 1,
    }


def test_that_an_unknown_text_flag_or_rule_is_refused() -> None:
    with pytest.raises(BadInput, match="drop_text_flags cannot be"):
        FreezePolicy(drop_text_flags=("pii",))
    with pytest.raises(BadInput, match="split_rule cannot be"):
        FreezePolicy(split_rule=3)


def test_that_the_card_of_an_export_tells_what_was_noticed(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [pair("sound", "one", "two"), pair("alike", "yes", "yes ")])
    version = app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0))).value
    app.datasets.export(version.id, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| the answers differ only in blanks, Unicode form or invisible characters | 1 |" in card
