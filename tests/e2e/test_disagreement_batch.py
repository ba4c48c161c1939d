"""Two real runs on opposite labels, and a batch of the pairs on which they disagree, by command from end to end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.app import main
from tests.tiny_models import save_tiny

pytestmark = pytest.mark.slow
SETTINGS = ["--set", "steps=12", "--set", "batch_size=4", "--set", "lr=0.02", "--set", "lora_r=4", "--set", "warmup=0",
            "--set", "device=cpu", "--set", "threads=1", "--set", "max_length=128", "--set", "sample_every=0",
            "--set", "kl_every=0", "--set", "eval_every=6", "--set", "probe_pairs=12"]  # fmt: skip
TOPICS = ("a bicycle chain", "sourdough bread", "prime numbers", "the tides", "café hours", "a night train")
PAIRS, TURNED = 12, range(0, 12, 2)
"""Pairs, and those of them that the second file labels the other way round."""


def margin_for_first(folder: Path, first: Path) -> dict[int, float]:
    """Return pair -> the last margin in a run's ledger, of any look, for the answer that the first run learns."""
    with sqlite3.connect(folder / "ledger.sqlite") as ledger:
        last = dict(ledger.execute("SELECT pair_id, margin FROM pair_rows ORDER BY id").fetchall())
    own, told = (
        {row["pair_id"]: row["chosen"] for row in map(json.loads, (place / "pairs.jsonl").read_text().splitlines())}
        for place in (folder, first)
    )
    return {int(key): value if own[key] == told[key] else -value for key, value in last.items()}


def test_that_a_batch_takes_exactly_the_pairs_on_which_two_runs_disagree_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "home"))
    ws = tmp_path / "ws"

    def done(*words: object) -> str:
        capsys.readouterr()
        code, said = main([str(word) for word in words]), capsys.readouterr()
        assert code == 0, said.err
        return said.out

    runs = trained(done, ws, tmp_path)
    folders = [ws / "runs" / run for run in runs]
    a, b = (margin_for_first(folder, folders[0]) for folder in folders)
    assert set(a) == set(b) == set(range(1, PAIRS + 1))
    apart = {key for key in a if a[key] * b[key] < 0}
    assert 2 <= len(apart) < PAIRS, "the runs learned opposite labels of some pairs and the same ones of others"
    order = sorted(a, key=lambda key: (key not in apart, -abs(a[key] - b[key])))

    words = ("batch", "create", ws, "--reviewer", "Bo", "--label", "any", "--order", "disagreement", "--limit", 4,
             "--run", "first", "--run", runs[1], "--gold", 0, "--retest", 0, "--second", 0, "--seed", 5)  # fmt: skip
    done(*words, "--name", "by rule", "--random-share", 0)
    done(*words, "--name", "mixed", "--random-share", 0.25)
    rules, (ruled, mixed) = stored(ws)
    assert dict(ruled) == dict.fromkeys(order[:4], "rule")
    random = [pair for pair, picked in mixed if picked == "random"]
    left = [pair for pair in order if pair not in random]
    assert len(random) == 1, "a quarter of four, kept apart from what the rule picks"
    assert {pair for pair, picked in mixed if picked == "rule"} == set(left[:3])
    assert [(rule["order"], rule["runs"], rule["random_share"]) for rule in rules] == [
        ("disagreement", runs, 0.0), ("disagreement", runs, 0.25),
    ]  # fmt: skip


def trained(done: Callable[..., str], ws: Path, place: Path) -> list[str]:
    """Import the pairs with two sets of labels, freeze each, train a run on each; return the ids of the runs."""
    model = save_tiny(place / "model")
    done("init", ws)
    for name, turned in (("first", ()), ("second", TURNED)):
        rows = [
            {"prompt": f"{n}. Explain {TOPICS[n % 6]}, part {n * 7919}.", "response_a": f"Start with {n}.",
             "response_b": f"No {n}.", "winner": "b" if n in turned else "a"}
            for n in range(PAIRS)
        ]  # fmt: skip
        file = place / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        done("import", ws, file, "--consent", "granted")
    voices = [one["id"] for one in json.loads(done("reviewers", ws, "--json")) if one["kind"] == "imported"]
    done("reviewers", ws, "--add", "Bo")
    body = place / "rubric.yaml"
    body.write_text(done("rubric", "template", "helpful_harmless"))
    done("rubric", "publish", ws, body)
    for name, voice in zip(("first", "second"), voices, strict=True):
        done("freeze", ws, "--name", name, "--set", "splits=[1,0,0]", "--set", f"reviewer_ids={voice}")
        done("train", ws, "--dataset", f"{name} v1", "--model", model, "--name", name, *SETTINGS)
    return [one["id"] for name in ("first", "second") for one in json.loads(done("runs", ws, "--json"))
            if one["name"] == name]  # fmt: skip


def stored(ws: Path) -> tuple[list[dict[str, Any]], list[list[tuple[int, str]]]]:
    """Return the rules of the batches as stored, and (pair, how it was picked) of their slots."""
    with sqlite3.connect(f"file:{ws / 'workspace.db'}?mode=ro", uri=True) as db:
        rules = [json.loads(text) for (text,) in db.execute("SELECT policy FROM batch ORDER BY id")]
        slots = [
            db.execute("SELECT pair_id, picked FROM batch_slot WHERE batch_id=? ORDER BY number", (number,)).fetchall()
            for number in (1, 2)
        ]
    return rules, slots
