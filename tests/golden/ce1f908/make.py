"""Make ``files.tar.xz`` and ``facts.json``. Runs with the code of commit ce1f908 only; see README.md.

git worktree add /tmp/old ce1f908
PYTHONPATH=/tmp/old python tests/golden/ce1f908/make.py
"""

# ruff: noqa: E402, I001
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import csv
import json
import lzma
import os
import platform
import random
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

ROOT = Path("/tmp/ce1f908")
"""Where everything is made; absolute names in the files begin with it."""
os.environ["PAIRWRIGHT_HOME"] = str(ROOT / "home")
platform.node = lambda: "workshop"  # type: ignore[assignment]

from observe import digest, run_facts, series, workspace_facts

from core.domain.dataset import FreezePolicy
from core.domain.judgement import JudgementDraft, Task, Verdict
from core.domain.rubric import ChangeLevel, Criterion, Example, RubricBody
from core.domain.run_config import LOSSES, RunConfig
from core.domain.run_record import Charter
from core.runs.control_file import request
from core.runs.driver import Drive, drive
from core.runs.folder import RunFolder
from core.runs.reader import RunReader
from core.services.annotation import AnnotationService, QueueSettings
from core.services.application import Application
from core.services.model_export import export_run
from core.services.run_views import RunRequest
from tests.tiny_models import save_tiny, tiny_pairs

HERE = Path(__file__).resolve().parent
MODEL, WORKSPACE = ROOT / "models" / "tiny", ROOT / "workspace"
BARE, ADAPTER = ROOT / "bare-run", ROOT / "adapter-export"
COMMON: dict[str, Any] = {
    "lr": 3e-3,
    "batch_size": 4,
    "lora_r": 2,
    "max_length": 256,
    "eval_every": 3,
    "kl_every": 4,
    "sample_every": 4,
    "probe_pairs": 4,
    "kl_prompts": 2,
    "kl_max_new_tokens": 6,
    "threads": 1,
    "device": "cpu",
    "seed": 7,
}
BARE_SETTINGS: dict[str, Any] = {
    **COMMON,
    "steps": 6,
    "loss": "ipo",
    "template": "none",
    "dtype": "float64",
    "checkpoint_every": 3,
    "keep_checkpoints": 1,
    "forward": "separate",
    "clip": 0.5,
    "weight_decay": 0.01,
    "scheduler": "cosine",
    "lora_targets": "q_proj,v_proj",
    "rpo_alpha": 0.1,
}
BODY = RubricBody(
    purpose="Which answer helps the person who asked more?",
    criteria=(
        Criterion("facts", "Facts", "Which answer has fewer errors?", {"-3": "B is wrong throughout"}, ("dates",)),
        Criterion("brief", "Brevity", "Which answer says it in fewer words?", disallowed=("one word",)),
    ),
    priority=("facts", "brief"),
    tie_rule="Call it a tie when neither would be chosen twice in a row.",
    examples=(Example("Is 91 prime?", "No: 7 times 13.", "Yes.", "The better one is right."),),
    not_checked="Tone.",
)


def main() -> None:
    """Make the files, look at them, let copies go on, and write both results."""
    shutil.rmtree(ROOT, ignore_errors=True)
    save_tiny(MODEL, "smollm")
    facts: dict[str, Any] = {"settings": window_settings(ROOT / "home"), "runs": {}}
    with Application.open(WORKSPACE, create=True, name="Old workspace") as app:
        fill(app)
        label(app)
        datasets(app)
        runs = make_runs(app)
        rubrics_afterwards(app)
        facts["workspace"] = workspace_facts(app)
        facts["runs"] = {name: run_facts(app, run_id) for name, run_id in runs.items()}
        facts["run_ids"] = runs
        app.datasets.export("helpful v2", ROOT / "dataset-export")
        app.workspace.backup(ROOT / "backup.db")
    bare_run()
    shutil.rmtree(ROOT / "home" / "cache", ignore_errors=True)
    for worker in ROOT.rglob(".lock"):
        worker.unlink()
    pack()
    facts["bare"] = {"series": series(RunReader(BARE)), "fingerprint": RunReader(BARE).record().fingerprint}
    facts["continued"] = go_on(runs)
    facts["fingerprints"] = fingerprints()
    facts["tables"] = tables(WORKSPACE / "workspace.db")
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    (HERE / "facts.json").write_text(text + "\n", encoding="utf-8")


def window_settings(folder: Path) -> dict[str, Any]:
    """Store another value than the default for every setting of the window, and return all of them."""
    from PySide6.QtCore import QByteArray

    from app.settings.schema import SETTINGS
    from app.settings.store import Settings

    folder.mkdir(parents=True)
    settings = Settings(folder)
    for row in SETTINGS:
        other = {
            "bool": not row.default,
            "choice": next((value for value, _ in row.choices if value != row.default), None),
            "int": row.low + row.step,
            "float": row.low + row.step,
            "text": "something else",
        }
        settings.set(row.key, other[row.kind])
    settings.set_shortcut("annotate.skip", "Ctrl+J")
    settings.set_state("recent_workspaces", [str(WORKSPACE), "/tmp/another"])
    settings.set_state("geometry", QByteArray(b"\x01\x02geometry"))
    settings.sync()
    return {"values": {row.key: settings.get(row.key) for row in SETTINGS}, "shortcuts": settings.shortcuts}


def fill(app: Application) -> None:
    """Import two files: preferences, and a table with winners and one bad row."""
    preferences, table = ROOT / "preferences.jsonl", ROOT / "table.csv"
    pairs = [*tiny_pairs(16), *tiny_pairs(8, seed=1, system=True, turns=2)]
    lines = [{"prompt": p.prompt.to_plain(), "chosen": said(p.chosen), "rejected": said(p.rejected)} for p in pairs]
    preferences.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    with open(table, "w", encoding="utf-8", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["prompt", "response_a", "response_b", "winner"])
        for number, pair in enumerate(tiny_pairs(9, seed=5)):
            prompt = f"{pair.prompt.as_text()} ({number})"
            rows.writerow([prompt, pair.chosen, pair.rejected, ("a", "b", "tie")[number % 3]])
        rows.writerow(["A prompt with one answer", "The same.", "The same.", "a"])
    app.imports.run(preferences, licence="CC-BY-4.0", consent="granted")
    app.imports.run(table, name="Table", consent="unknown")
    app.workspace.set_setting("example", '{"kept": true}')


def said(text: str) -> list[dict[str, str]]:
    """Return an answer as a list of messages."""
    return [{"role": "assistant", "content": text}]


def label(app: Application) -> None:
    """Publish a rubric and let three people label: every kind of answer and of step is there once at least."""
    rubric = app.rubrics.publish(app.rubrics.create("House rules", BODY).value.id).value
    ann, ben, cleo = (app.reviewers.add(name).value for name in ("ann", "ben", "cleo"))
    app.__dict__["annotation"] = AnnotationService(app, random.Random(3))  # the same sides each time
    desk = app.annotation

    def prefer(strength: int, **more: Any) -> JudgementDraft:
        return JudgementDraft(Verdict.PREFER, strength, **more)

    answers = [
        prefer(-3, criteria={"facts": -2, "brief": 0}, rationale="It names a number.", confidence=3),
        prefer(2, flags=("names_model",), process={"ms": 812}),
        JudgementDraft(Verdict.TIE, rationale="Both say the same – café."),
        JudgementDraft(Verdict.NEITHER, criteria={"facts": 0}),
        JudgementDraft(Verdict.CANNOT_JUDGE, reason="no_expertise"),
        prefer(1, spans=({"side": "A", "start": 0, "end": 3, "tag": "error", "note": "no"},), edit="A better text."),
        *[prefer(s) for s in (-1, 3, -2, 2, -3, 1, 2, -1, 3, -2)],
    ]
    queue = desk.open_queue(QueueSettings(ann.id, rubric.id))
    labelled = []
    for answer in answers:
        shown = desk.next(queue)[0]
        desk.shown(shown.presentation_uid)
        labelled.append(desk.commit(shown.presentation_uid, answer).value.id)
    desk.amend(labelled[-1], prefer(-3, rationale="Read again."))
    desk.skip(desk.next(queue)[0].presentation_uid, "Later")
    undone = desk.commit(desk.next(queue)[0].presentation_uid, prefer(2)).value
    desk.undo(ann.id)
    desk.save_draft(desk.next(queue)[0].presentation_uid, {"strength": 2, "rationale": "half"})
    desk.bookmark(ann.id, undone.pair_id, note="Look at it again")
    queue = desk.open_queue(QueueSettings(ben.id, rubric.id, labels_per_pair=2))
    for strength in (1, -2, 2, -3, 1, 3, -1, 2, -2, 1, 1, -2, 3, 2):
        desk.commit(desk.next(queue)[0].presentation_uid, prefer(strength))
    queue = desk.open_queue(QueueSettings(cleo.id, rubric.id, task=Task.ADJUDICATE))
    for strength in (2, -2):
        desk.commit(desk.next(queue)[0].presentation_uid, prefer(strength, rationale="Both were read."))
    queue = desk.open_queue(QueueSettings(ann.id, rubric.id, task=Task.RETEST))
    for strength in (-3, 1, 2):
        desk.commit(desk.next(queue)[0].presentation_uid, prefer(strength))
    queue = desk.open_queue(QueueSettings(cleo.id, rubric.id))
    for strength in (3, -3):
        desk.commit(desk.next(queue)[0].presentation_uid, prefer(strength))
    desk.undo(cleo.id)


def datasets(app: Application) -> None:
    """Freeze two versions under two policies."""
    app.datasets.freeze("helpful", FreezePolicy(splits=(0.7, 0.2, 0.1)), created_by="ann", note="The first.")
    policy = FreezePolicy(
        aggregation="majority",
        keep_ties=True,
        require_consent=False,
        soft_targets=True,
        strength_weights=True,
        splits=(0.7, 0.2, 0.1),
        seed=3,
    )
    app.datasets.freeze("helpful", policy, created_by="ben")


def rubrics_afterwards(app: Application) -> None:
    """Publish a minor and a major version, and leave a draft."""
    from dataclasses import replace

    key = app.rubrics.published()[0].rubric_id
    for level, note in ((ChangeLevel.MINOR, "Says what the first did not."), (ChangeLevel.MAJOR, "Another meaning.")):
        draft = app.rubrics.new_draft(key).value
        app.rubrics.save_draft(draft.id, replace(draft.body, not_checked=f"Tone. {note}"))
        app.rubrics.publish(draft.id, level, note)
    app.rubrics.create("Unfinished", replace(BODY, purpose="A draft."))


def make_runs(app: Application) -> dict[str, str]:
    """Make one run of every kind and return their ids."""
    app.models.add_folder(MODEL, "tiny")
    lora = {**COMMON, "steps": 8, "checkpoint_every": 4}
    runs = {
        "finished": create(app, "finished", {**lora, "keep_checkpoints": 1}),
        "stopped": create(app, "stopped", {**lora, "checkpoint_every": 3, "dtype": "float64"}, "helpful v2"),
        "interrupted": create(app, "interrupted", {**lora, "checkpoint_every": 3, "keep_checkpoints": 1}),
        "full": create(app, "full", {**lora, "lora_r": 0, "lr": 1e-4, "steps": 4, "keep_checkpoints": 1}),
        "failed": create(app, "failed", {**lora, "kl_every": 0, "sample_every": 0}),
        "created": create(app, "created", lora),
    }
    work(app, runs["finished"])
    export_run(folder(app, runs["finished"]), ADAPTER)
    follows = {"init_adapter": str(ADAPTER), "ref_refresh_every": 2, "ref_refresh_mix": 0.5, "checkpoint_every": 3}
    runs["from adapter"] = create(app, "from adapter", {**lora, **follows, "keep_checkpoints": 1})
    work(app, runs["from adapter"], stop_at=3)
    work(app, runs["stopped"], stop_at=4)
    work(app, runs["full"], stop_at=2)
    subprocess.run([sys.executable, __file__, str(folder(app, runs["interrupted"])), "5"], check=False)
    fail(app, runs["failed"])
    runs["forked"] = app.runs.fork(runs["stopped"], 4, {"lr": 1e-3, "beta": 0.2}, name="forked").value.run_id
    work(app, runs["forked"])
    app.runs.annotate(runs["finished"], tags=("first", "kept"), note="Named afterwards.")
    return runs


def create(app: Application, name: str, settings: dict[str, Any], dataset: str = "helpful v1") -> str:
    """Make a run folder in the workspace and return its id."""
    request_ = RunRequest(
        dataset_id=app.datasets.get(dataset).id,
        model_path=str(MODEL),
        config=RunConfig().with_values(settings),
        name=name,
        charter=Charter("Shorter answers", "Facts"),
        tags=("old",),
        note=f"Made to be {name}.",
    )
    return app.runs.create(request_).value.run_id


def folder(app: Application, run_id: str) -> Path:
    """Return the folder of a run."""
    return Path(app.runs.info(run_id).folder)


def work(app: Application, run_id: str, stop_at: int = 0) -> None:
    """Train in this process, to the end or to the step ``stop_at``."""
    path = folder(app, run_id)

    def stop(event: Any) -> None:
        if event.event == "step" and event.step == stop_at:
            request(RunFolder(path).control, "stop_and_save")

    last = drive(path, Drive(host="terminal", on_event=stop))
    assert last.event == "finished", last


def fail(app: Application, run_id: str) -> None:
    """Let a run fail in its second attempt, because the model was changed meanwhile."""
    work(app, run_id, stop_at=2)
    config = MODEL / "generation_config.json"
    before = config.read_bytes()
    config.write_bytes(before + b"\n")
    last = drive(folder(app, run_id), Drive(host="terminal", reset=True))
    config.write_bytes(before)
    assert last.event == "failed", last


def die_at(path: Path, step: int) -> None:
    """Train, and end this process without a word after the step was stored."""

    def die(event: Any) -> None:
        if event.event == "step" and event.step == step:
            os._exit(9)

    drive(path, Drive(host="process", on_event=die))


def bare_run() -> None:
    """Train from the command line on a file of pairs, without a workspace."""
    words = [sys.executable, "-m", "core", "train", "--pairs", str(ROOT / "preferences.jsonl"), "--model", str(MODEL)]
    words += ["--out", str(BARE), "--name", "bare", "--target", "Shorter answers"]
    for key, value in BARE_SETTINGS.items():
        words += ["--set", f"{key}={value}"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def go_on(runs: dict[str, str]) -> dict[str, Any]:
    """Let the old code carry on what lies in the archive, and return the curves."""
    shutil.copytree(WORKSPACE, ROOT / "continued")
    found = {}
    with Application.open(ROOT / "continued") as app:
        for name in ("stopped", "interrupted", "full", "from adapter", "created"):
            work_again(app, runs[name])
            found[name] = series(app.runs.reader(runs[name]))
        child = app.runs.fork(runs["finished"], 8, {"steps": 11, "lr": 5e-4}).value.run_id
        work_again(app, child)
        found["fork"] = series(app.runs.reader(child))
    return found


def work_again(app: Application, run_id: str) -> None:
    """Take a run up again and train to its end."""
    last = drive(folder(app, run_id), Drive(host="terminal", reset=True))
    assert last.event == "finished", last


def tables(path: Path) -> dict[str, Any]:
    """Return columns, number of rows and hash of every table of a database."""
    found = {}
    with closing(sqlite3.connect(path)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'"):
            columns = [row[1] for row in db.execute(f'PRAGMA table_info("{name}")')]
            rows = db.execute(f'SELECT {", ".join(columns)} FROM "{name}"').fetchall()
            found[name] = {"columns": columns, "rows": len(rows), "sha256": digest(sorted(map(repr, rows)))}
    return found


def fingerprints() -> dict[str, Any]:
    """Return fingerprints of settings that differ from the default in one thing each."""
    inputs = {"pairs": "1" * 64, "model": "2" * 64, "tokenizer": "3" * 64, "adapter": ""}
    changes: list[dict[str, Any]] = [{}, COMMON, BARE_SETTINGS, *({"loss": name} for name in LOSSES)]
    changes += [{field.name: other(field.name, getattr(RunConfig(), field.name))} for field in fields(RunConfig)]
    configs = [(values, RunConfig().with_values(values)) for values in changes]
    return {
        "inputs": inputs,
        "defaults": RunConfig().to_plain(),
        "configs": [{"changed": changed, "fingerprint": config.fingerprint(**inputs)} for changed, config in configs],
    }


def other(key: str, value: Any) -> Any:
    """Return a value of a setting that is not its default."""
    named = {
        "loss": "ipo",
        "scheduler": "cosine",
        "dtype": "bfloat16",
        "forward": "separate",
        "rpo_average": "pairs",
        "template": "none",
        "reference": "init",
        "quantize": "4bit",
        "grad_checkpointing": "on",
        "device": "cpu",
        "lora_targets": "q_proj",
        "init_adapter": "/tmp/adapter",
        "ld_alpha": 0.5,
    }
    if key in named:
        return named[key]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value / 2 or 0.25


def pack() -> None:
    """Write the archive: names sorted, no owner, as small as xz makes it."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    names = ("models", "workspace", "bare-run", "adapter-export", "dataset-export", "home", "backup.db")
    with lzma.open(HERE / "files.tar.xz", "wb", preset=9 | lzma.PRESET_EXTREME) as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name in (*names, "preferences.jsonl", "table.csv"):
                archive.add(ROOT / name, name, filter=plain)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        die_at(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
