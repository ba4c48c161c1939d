from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.conversation import Prompt
from core.domain.dataset import DatasetVersion, FreezePolicy
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.run_config import RunConfig
from core.domain.suite import Suite, SuiteItem
from core.evaluation.sealed_test import open_sealed
from core.services.application import Application
from core.services.runs.views import RunInfo, RunRequest
from tests.fakes.fresh import fresh
from tests.patience import LIMIT_S

POLICY = FreezePolicy(splits=(0.4, 0.3, 0.3))
QUICK = RunConfig().with_values({"steps": 4, "batch_size": 2, "eval_every": 2, "checkpoint_every": 2})
QUESTIONS = ("river", "mountain", "city", "planet", "bridge", "desert", "island", "castle", "harbour", "forest")


def row(number: int, prompt: str = "", answers: tuple[str, str] = ("", ""), label: int | None = 1) -> dict[str, Any]:
    asked = prompt or f"Tell me in one sentence what the {QUESTIONS[number % 10]} number {number} is known for"
    first, second = (text or f"answer {word} to {number}" for text, word in zip(answers, ("one", "two"), strict=True))
    return {"prompt": asked, "response1": first, "response2": second, **({"annotator1": label} if label else {})}


def bring(app: Application, folder: Path, rows: list[dict[str, Any]], name: str = "mine") -> None:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    app.imports.run(path, fmt="table:one_based", consent="granted")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        application.runs.engine = "tests.fakes.scripted_engine:train"
        bring(application, tmp_path, [row(i) for i in range(40)])
        yield application


@pytest.fixture
def version(app: Application) -> DatasetVersion:
    return app.datasets.freeze("d", POLICY).value


def test_items(app: Application, version: DatasetVersion) -> list[int]:
    return [item.pair_id for item in app.datasets.items(version.id) if item.split == "test"]


test_items.__test__ = False  # type: ignore[attr-defined]


def finished(app: Application, folder: Path, dataset_id: int, **settings: Any) -> RunInfo:
    model = folder / "model"
    if not model.exists():
        model.mkdir()
        (model / "config.json").write_text("{}")
        (model / "model.safetensors").write_bytes(b"weights")
    config = QUICK.with_values(settings)
    info = app.runs.create(RunRequest(str(model), dataset_id=dataset_id, config=config, name=str(settings))).value
    app.runs.start(info.run_id, "thread")
    assert app.runs.wait(info.run_id, LIMIT_S) == 0
    return info


def test_that_the_evaluator_gets_all_it_needs_to_open_the_test(app: Application, version: DatasetVersion) -> None:
    place = app.sealed.seal_version("d v1")
    assert (place.title, place.rows) == ("d sealed test v1", version.counts["test"])
    opening = open_sealed(
        place.path, place.keys, person="Ann", reason="r", policy="p", expected_sha256=place.sha256, evaluation="e"
    )
    assert [int(item.id) for item in opening.suite.items] == test_items(app, version)
    assert app.sealed.looks("d v1") == 1
    view = app.sealed.view(version.id)
    assert (view.looks, view.rows, view.usage.sentence()) == (1, place.rows, "Used to tune: none.")
    assert view.to_plain()["used_to_tune"] == "none"


def test_that_a_version_without_a_test_split_is_told_so(app: Application) -> None:
    app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0)))
    for ask in (app.sealed.seal_version, app.sealed.view, app.sealed.leaks_of):
        with pytest.raises(NotFound, match="d v1 has no test split"):
            ask("d")


def test_that_a_clean_workspace_has_no_leak(app: Application, version: DatasetVersion) -> None:
    report = app.sealed.leaks_of(version.id)
    assert not report.blocks, report.sentence()
    counts = version.counts
    assert (report.tested, report.compared["train"], report.compared["dev"]) == (
        counts["test"],
        counts["train"],
        counts["dev"],
    )
    assert report.compared["imports"] == 0


def test_that_a_leak_planted_in_train_imports_or_a_suite_blocks(
    app: Application, version: DatasetVersion, tmp_path: Path
) -> None:
    first = test_items(app, version)[0]
    pair = app.pairs.detail(first).pair
    text = pair.prompt.last_text
    copy = row(90, text.upper(), (pair.b.text, f" {pair.a.text} "))
    rows = [copy, row(91, f"Please: {text}, thank you"), row(92, text, ("another answer", "and a third one"))]
    bring(app, tmp_path, rows, "later")
    report = app.sealed.leaks_of(version.id)
    assert {(hit.test_id, hit.place, hit.exact) for hit in report.hits} == {(str(first), "imports", True)}
    suite = Suite("mine", 1, (SuiteItem("s1", Prompt.from_text(f"{text}?"), "open"),))
    app.suites.add(suite)
    hits = app.sealed.leaks_of(version.id).hits
    assert ("s1", "mine v1", "prompt") in {(hit.other_id, hit.place, hit.matched) for hit in hits}
    assert app.sealed.leaks_of(version.id, suites=()).compared.keys() == {"train", "dev", "imports"}


def test_that_a_near_copy_in_train_is_named_with_both_ids(app: Application, tmp_path: Path) -> None:
    long = " ".join(f"{a} {b}" for a in ("red", "green", "blue") for b in QUESTIONS)
    bring(app, tmp_path, [row(60 + i, f"{long} {word}") for i, word in enumerate("xyzqvw")], "near")
    version = app.datasets.freeze("d", FreezePolicy(splits=(0.5, 0.0, 0.5), seed=1)).value
    splits = {item.pair_id: item.split for item in app.datasets.items(version.id) if item.pair_id > 40}
    assert len(set(splits.values())) == 2
    hits = app.sealed.leaks_of(version.id).hits
    expected = {(str(t), str(r)) for t in splits for r in splits if (splits[t], splits[r]) == ("test", "train")}
    assert {(hit.test_id, hit.other_id) for hit in hits} == expected
    assert {hit.place for hit in hits} == {"train"}


def test_that_the_pairs_of_a_run_on_another_version_are_compared(
    app: Application, version: DatasetVersion, tmp_path: Path
) -> None:
    other = app.datasets.freeze("other", FreezePolicy(splits=(0.9, 0.1, 0.0), seed=3)).value
    run = finished(app, tmp_path, other.id)
    own = finished(app, tmp_path, version.id, beta=0.3)
    report = app.sealed.leaks_of(version.id, run_ids=[run.run_id, own.run_id])
    assert report.items == {str(pair_id) for pair_id in test_items(app, version)}
    assert {hit.place for hit in report.hits} == {f"run {run.name}"}
    suite = Suite("s", 1, (SuiteItem("s1", app.pairs.detail(1).pair.prompt, "open"),))
    by_suite = app.sealed.leaks_of_suite(suite, ["other"], run_ids=[own.run_id])
    assert {hit.other_id for hit in by_suite.hits} == {"1"}


def test_that_runs_used_their_train_split_and_dev_for_the_best_checkpoint_and_beta(
    app: Application, version: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(app.runs, "start", lambda *_: None)
        patch.setattr(app.runs, "wait", lambda *_: 0)
        finished(app, tmp_path, version.id, best_metric="loss")  # it is created and was never started
    assert app.sealed.usage("d", "train").uses == ()
    finished(app, tmp_path, version.id, best_metric="loss", beta=0.1)
    assert app.sealed.usage("d", "dev").by_kind() == {"early_stop": version.counts["dev"]}
    finished(app, tmp_path, version.id, best_metric="loss", beta=0.2)
    finished(app, tmp_path, version.id, beta=0.4)
    report = app.sealed.usage("d", "dev")
    assert report.by_kind() == {"early_stop": version.counts["dev"], "beta": version.counts["dev"]}
    assert sorted(use.kind for use in report.uses) == ["beta", "beta", "early_stop", "early_stop"]
    assert app.sealed.usage("d", "train").by_kind() == {"train": version.counts["train"]}
    assert app.sealed.usage("d").sentence() == "Used to tune: none."


def test_that_a_deleted_run_keeps_what_it_used_and_a_restored_one_counts_once(
    app: Application, version: DatasetVersion, tmp_path: Path
) -> None:
    run = finished(app, tmp_path, version.id, best_metric="loss")
    before = app.sealed.usage("d", "dev").by_kind()
    app.runs.housekeeping.delete(run.run_id)
    assert app.sealed.usage("d", "dev").by_kind() == before == {"early_stop": version.counts["dev"]}
    app.runs.housekeeping.restore(run.run_id)
    assert len(app.sealed.usage("d", "dev").uses) == 1
    app.runs.housekeeping.delete(run.run_id)
    assert sum(event.op == "item.use" for event in app.workspace.activity(50)) == 2  # train and early_stop


def test_that_a_test_item_of_this_version_that_was_dev_in_another_is_an_offender(
    app: Application, version: DatasetVersion, tmp_path: Path
) -> None:
    other = app.datasets.freeze("other", FreezePolicy(splits=(0.3, 0.7, 0.0), seed=3)).value
    finished(app, tmp_path, other.id, best_metric="loss")
    dev = {item.pair_id for item in app.datasets.items(other.id) if item.split == "dev"}
    mine = set(test_items(app, version))
    report = app.sealed.usage("d")
    assert report.by_kind() == {"train": len(mine - dev), "early_stop": len(mine & dev)}
    assert f"early_stop {len(mine & dev)} of {len(mine)}" in report.sentence()


def test_that_recorded_uses_are_kept_for_good_and_counted_by_item(app: Application, version: DatasetVersion) -> None:
    some = [str(item.pair_id) for item in app.datasets.items(version.id) if item.split == "dev"][:3]
    app.sealed.record_use("threshold", "refusals at 0.7", by_id="t1", dataset="d", ids=some[:2])
    app.sealed.record_use("threshold", "refusals at 0.8", dataset="d", ids=some[1:])
    app.sealed.record_use("detector", "tf-idf", suite="mine", note="fitted")
    report = app.sealed.usage("d", "dev")
    assert report.by_kind() == {"threshold": 3}
    assert [(use.by, use.items, use.derived) for use in report.uses] == [
        ("refusals at 0.7", 2, False),
        ("refusals at 0.8", 2, False),
    ]
    suite = Suite("mine", 2, (SuiteItem("s1", Prompt.from_text("q"), "open"),))
    assert app.sealed.usage_of_suite(suite).by_kind() == {"detector": 1}
    assert [event.op for event in app.workspace.activity(3)] == ["item.use"] * 3


@pytest.mark.parametrize(
    ("kind", "by", "more"),
    [
        ("guess", "x", {"suite": "s"}),
        ("beta", " ", {"suite": "s"}),
        ("beta", "x", {}),
        ("beta", "x", {"suite": "s", "dataset": "d"}),
    ],
)
def test_that_a_use_names_what_it_is_and_of_what(
    app: Application, version: DatasetVersion, kind: Any, by: str, more: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        app.sealed.record_use(kind, by, **more)


def test_that_a_run_folder_holds_no_test_item(app: Application, version: DatasetVersion, tmp_path: Path) -> None:
    info = finished(app, tmp_path, version.id)
    pairs = app.runs.reader(info.run_id).folder.pairs()
    assert {pair.split for pair in pairs} == {"train", "dev"}
    texts = [app.pairs.detail(pair_id).pair.prompt.last_text.encode() for pair_id in test_items(app, version)]
    files = [path for path in Path(info.folder).rglob("*") if path.is_file()]
    assert not any(text in path.read_bytes() for path in files for text in texts)


def test_that_a_tampered_file_is_refused_by_every_use_of_it(app: Application, version: DatasetVersion) -> None:
    place = app.sealed.seal_version(version.id)
    data = bytearray(place.path.read_bytes())
    data[len(data) // 2] ^= 1
    place.path.write_bytes(data)
    for ask in (app.sealed.seal_version, app.sealed.view):
        with pytest.raises(BadInput, match="was altered"):
            ask(version.id)
    assert [f.check for f in app.workspace.check().findings if f.serious] == ["sealed tests"]
