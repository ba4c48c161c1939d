from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core import durable
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput
from core.services.application import Application
from tests.fakes.fresh import fresh

POLICY = FreezePolicy(
    aggregation="majority",
    keep_ties=True,
    soft_targets=True,
    strength_targets=True,
    strength_weights=True,
    agreement_weights=True,
    seed=2,
    splits=(0.5, 0.25, 0.25),
)
SPLITS = ("train", "dev", "test")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


def fill(app: Application, folder: Path) -> None:
    """Bring single and several turns, ties, disagreement, odd characters and generation records."""
    rows: list[dict[str, Any]] = []
    for i in range(40):
        prompt: Any = f"q{i} \u202e =1+1\n"
        if i % 3 == 0:
            prompt = [
                {"role": "system", "content": "s"},
                {"role": "user", "content": f"\n\nHuman: {i}"},
                {"role": "assistant", "content": ""},
                {"role": "user", "content": "go on"},
            ]
        labels = {"annotator1": 1 + i % 2, "annotator2": (0, 1, 2)[i % 3], "annotator3": 1 + i % 2}
        models = {"model_a": "big", "model_b": "small", "score_a": i / 3, "score_b": 0}
        rows.append({"prompt": prompt, "response1": f"one 👩‍🔬 {i}", "response2": f"two {i}", **labels, **models})
    rows.append({"prompt": "tie", "response1": "x", "response2": "", "annotator1": 0, "annotator2": 0, "annotator3": 1})
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    app.imports.run(path, fmt="table:one_based", consent="granted")


@pytest.mark.parametrize("fmt", ["jsonl", "parquet"])
def test_that_export_import_export_gives_the_same_bytes(app: Application, tmp_path: Path, fmt: Any) -> None:
    fill(app, tmp_path)
    app.datasets.freeze("d", POLICY)
    app.datasets.export("d", tmp_path / "first", fmt, unseal=True)
    with fresh(tmp_path / "other") as other:
        for split in SPLITS:
            report = other.imports.run(tmp_path / "first" / f"{split}.{fmt}", name="again", consent="granted").value
            assert (report.fmt, report.rejected, report.duplicates) == ("pairwright", 0, 0)
        other.datasets.freeze("d", POLICY)
        other.datasets.export("d", tmp_path / "second", fmt, unseal=True)
    for split in SPLITS:
        name = f"{split}.{fmt}"
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_that_the_folder_verifies_and_its_counts_are_those_of_the_files(app: Application, tmp_path: Path) -> None:
    fill(app, tmp_path)
    version = app.datasets.freeze("d", POLICY).value
    report = app.datasets.export("d", tmp_path / "out", unseal=True)
    identity = durable.verify_folder(tmp_path / "out")
    assert identity["root_sha256"] == version.root_sha256
    for split in SPLITS:
        written = (tmp_path / "out" / f"{split}.jsonl").read_text(encoding="utf-8").count("\n")
        assert written == version.counts[split] == identity["counts"][split] == report.files[f"{split}.jsonl"]
    assert report.files["judgements.jsonl"] == version.counts["judgements"]


def test_that_the_test_split_stays_sealed_unless_asked_for(app: Application, tmp_path: Path) -> None:
    fill(app, tmp_path)
    version = app.datasets.freeze("d", POLICY).value
    report = app.datasets.export("d", tmp_path / "out")
    assert report.sealed == version.counts["test"] > 0
    assert not (tmp_path / "out" / "test.jsonl").exists()
    text = (tmp_path / "out" / "judgements.jsonl").read_text(encoding="utf-8")
    exported = {json.loads(line)["pair_sha256"] for line in text.splitlines()}
    sealed = {item.pair_sha256 for item in app.datasets.items("d") if item.split == "test"}
    assert not exported & sealed
    assert "is sealed" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_that_a_line_has_the_columns_of_trl(app: Application, tmp_path: Path) -> None:
    fill(app, tmp_path)
    app.datasets.freeze("d", POLICY)
    app.datasets.export("d", tmp_path / "out", "parquet", unseal=True)
    rows = [row for split in SPLITS for row in pq.read_table(tmp_path / "out" / f"{split}.parquet").to_pylist()]
    for row in rows:
        assert row["prompt"][-1]["role"] == "user"
        assert [m["role"] for m in (*row["chosen"], *row["rejected"])] == ["assistant", "assistant"]
        assert row["strengths"] == sorted(row["strengths"], reverse=True)
        assert row["is_tie"] == (row["strength"] == 0)
        assert 0.5 <= row["target"] <= 1
    assert any("score" in row["chosen_generation"] for row in rows)


def test_that_ultrafeedback_and_argilla_files_bring_the_same_pairs_and_sides_back(
    app: Application, tmp_path: Path
) -> None:
    fill(app, tmp_path)
    app.datasets.freeze("d", FreezePolicy(aggregation="majority", keep_ties=True, splits=(1.0, 0.0, 0.0)))
    items = {item.pair_sha256: item for item in app.datasets.items("d")}
    judged = [said for item in items for said in _sides(app, item)]
    for form, fmt in (("ultrafeedback", "scored"), ("argilla", "argilla")):
        app.datasets.export("d", tmp_path / form, form=form)
        assert form == "argilla" or "`overall_score`" in (tmp_path / form / "README.md").read_text(encoding="utf-8")
        with fresh(tmp_path / f"ws {form}") as other:
            report = other.imports.run(tmp_path / form / "train.jsonl", name="again", consent="granted").value
            assert (report.fmt, report.rejected, report.imported) == (fmt, 0, len(items)), form
            if form == "argilla":
                assert sorted(side for key in _hashes(other) for side in _sides(other, key)) == sorted(judged)
                continue
            found = {key: _sides(other, key) for key in _hashes(other)}
            wanted = {key: [0 if item.is_tie else 1 if item.chosen == "B" else -1] for key, item in items.items()}
            assert found == wanted, "the side of each item, and a tie where it is one"


def _hashes(app: Application) -> list[str]:
    with app.store.read() as session:
        return [key for (key,) in session.connection().exec_driver_sql("SELECT sha256 FROM pair")]


def _sides(app: Application, pair_sha256: str) -> list[int]:
    """Return the side of each label of a pair: -1 for A, 1 for B, 0 for a tie; sorted."""
    query = """SELECT coalesce(sign(j.strength),0) FROM judgement j JOIN pair p ON p.id=j.pair_id
        WHERE p.sha256=? ORDER BY 1"""
    with app.store.read() as session:
        return [side for (side,) in session.connection().exec_driver_sql(query, (pair_sha256,))]


def test_that_soft_labels_hold_how_the_labels_are_spread(app: Application, tmp_path: Path) -> None:
    fill(app, tmp_path)
    app.datasets.freeze("d", FreezePolicy(aggregation="majority", keep_ties=True, splits=(1.0, 0.0, 0.0)))
    app.datasets.export("d", tmp_path / "soft", form="soft")
    text = (tmp_path / "soft" / "train.jsonl").read_text(encoding="utf-8")
    for row in map(json.loads, text.splitlines()):
        sides = _sides(app, row["pair_sha256"])
        shares = [sides.count(side) / len(sides) for side in (-1, 0, 1)]
        assert [row["p_a"], row["p_tie"], row["p_b"]] == pytest.approx(shares) and row["labels"] == len(sides) == 3
        assert row["entropy_bits"] == pytest.approx(-sum(p * math.log2(p) for p in shares if p))
    assert "p_tie" in (tmp_path / "soft" / "README.md").read_text(encoding="utf-8")
    for form, fmt, why in (("soft", "parquet", "written as JSONL"), ("csv", "jsonl", "no export form 'csv'")):
        with pytest.raises(BadInput, match=why):
            app.datasets.export("d", tmp_path / "out", fmt, form=form)  # type: ignore[arg-type]
        assert not (tmp_path / "out").exists()


def test_that_the_card_tells_who_judged_what_was_left_out_and_the_rubric(app: Application, tmp_path: Path) -> None:
    fill(app, tmp_path)
    version = app.datasets.freeze("a|b: 'c'", FreezePolicy(min_strength=1.5)).value
    app.datasets.export(version.id, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\npretty_name: 'a|b: ''c'' v1'\n")
    assert "| mine annotator1 | imported | that of the sources | unknown | mine 1.0.0 |" in card
    assert "Which response does the source prefer?" in card
    assert version.root_sha256 in card
    assert all(entry.reason in card for entry in version.left_out)
    assert "stand on more than one judgement" in card


def test_that_an_existing_folder_and_an_unknown_format_are_refused(app: Application, tmp_path: Path) -> None:
    fill(app, tmp_path)
    app.datasets.freeze("d", POLICY)
    (tmp_path / "out").mkdir()
    with pytest.raises(BadInput, match="exists already"):
        app.datasets.export("d", tmp_path / "out")
    with pytest.raises(BadInput, match="no export format"):
        app.datasets.export("d", tmp_path / "new", "xml")  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_that_an_export_that_fails_leaves_nothing_behind(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.services.datasets import export

    fill(app, tmp_path)
    app.datasets.freeze("d", POLICY)
    monkeypatch.setattr(export, "_write_jsonl", lambda path, _lines: path.write_text(""))
    with pytest.raises(RuntimeError, match="holds 0 rows"):
        app.datasets.export("d", tmp_path / "out" / "deep")
    assert not (tmp_path / "out" / "deep").exists()
    assert not list(tmp_path.rglob(".tmp-*"))


def test_that_reading_an_export_back_into_its_own_workspace_adds_no_reviewer(app: Application, tmp_path: Path) -> None:
    fill(app, tmp_path)
    version = app.datasets.freeze("d", POLICY).value
    app.datasets.export("d", tmp_path / "out")
    report = app.imports.run(tmp_path / "out" / "train.jsonl").value
    assert (report.imported, report.duplicates, report.judgements) == (0, version.counts["train"], 0)
    assert app.datasets.plan(POLICY).root_sha256 == version.root_sha256
