"""Building the demo: import, two rubric versions, scripted labels, a frozen dataset version, a short run.

The steps are those of a user, through the same services; ``--headless`` runs them on a new workspace.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from core import durable, paths
from core.domain.counting import counted
from core.domain.dataset import DatasetVersion, FreezePolicy
from core.domain.judgement import ReviewerKind
from core.domain.rubric import ChangeLevel, RubricVersion
from core.domain.rubric_text import FIRST_NOTE
from core.domain.run_config import RunConfig
from core.domain.run_events import TERMINAL, RunEvent
from core.domain.run_record import Charter
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.demo.config import DEMO_CONFIG
from core.services.demo.labels import RULES, under
from core.services.runs.views import RunRequest

Say = Callable[[str], None]
OnEvent = Callable[[RunEvent], None]
UNDER_FIRST = 60
"""Pairs labelled under the first rubric version before the second one replaced it."""
SECOND_OPINIONS = 80
"""Pairs that ``rule-plain`` judges as well."""
NOTE = "Answers that break off or go in circles were chosen too often; completeness is a criterion now."


def demo_dir() -> Path:
    """Return the folder of the demo's sources."""
    return paths.resources_dir() / "demo"


def write_pairs(target: Path) -> int:
    """Write the sampled answers as a pair table that can be imported; return how many pairs."""
    rows = [json.loads(line) for line in (demo_dir() / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = []
    for row in rows:
        first, second = row["responses"]
        lines.append(
            {
                "pair_sha256": "",
                "source": "demo",
                "prompt": row["prompt"],
                "messages": None,
                "response_a": first["text"],
                "response_b": second["text"],
                "a_generation": first["generation"],
                "b_generation": second["generation"],
                "labels": [],
            }
        )
    durable.write_text(target, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return len(lines)


def prepare(app: Application, scratch: Path, say: Say) -> DatasetVersion:
    """Fill an empty workspace up to a frozen dataset version."""
    table = scratch / "demo-pairs.jsonl"
    write_pairs(table)
    report = app.imports.run(table, name="demo answers", licence="Apache-2.0", consent="granted").value
    say(
        f"imported {counted(report.imported, 'pair')} of {counted(report.rows, 'row')} "
        f"({counted(report.duplicates, 'duplicate')})"
    )
    first = app.rubrics.publish_yaml(demo_dir() / "rubric-1.yaml", ChangeLevel.MAJOR, FIRST_NOTE).value
    reviewers = {name: app.reviewers.add(name, ReviewerKind.SCRIPTED).value for name in RULES}
    label(app, first, reviewers["rule-steps"].id, "rule-steps", UNDER_FIRST)
    second = app.rubrics.publish_yaml(demo_dir() / "rubric-2.yaml", ChangeLevel.MAJOR, NOTE).value
    done = label(app, second, reviewers["rule-steps"].id, "rule-steps", 0)
    done += label(app, second, reviewers["rule-plain"].id, "rule-plain", SECOND_OPINIONS)
    say(f"labelled: {UNDER_FIRST} judgements under {first.title}, {done} under {second.title}")
    policy = FreezePolicy(rubric_version_ids=(second.id,), splits=(0.7, 0.2, 0.1))
    dataset = app.datasets.freeze("help desk", policy).value
    say(f"frozen: {dataset.title}, {dataset.counts}, root {dataset.root_sha256[:16]}")
    return dataset


def label(app: Application, version: RubricVersion, reviewer_id: int, rule: str, limit: int) -> int:
    """Let a scripted reviewer judge pairs through an ordinary queue; return how many (``limit`` 0: all)."""
    known = {criterion.id for criterion in version.body.criteria}
    queue = app.annotation.open_queue(QueueSettings(reviewer_id, version.id, limit=limit))
    count = 0
    while presentations := app.annotation.next(queue, 8):
        for shown in presentations:
            a, b = (shown.left, shown.right) if shown.left_is == "A" else (shown.right, shown.left)
            app.annotation.commit(shown.presentation_uid, under(RULES[rule](a, b), known))
            count += 1
    return count


def train(app: Application, dataset: DatasetVersion, model: Path, config: RunConfig, on_event: OnEvent) -> str:
    """Make a run on a dataset version, follow it to its end, and return its id."""
    request = RunRequest(
        model_path=str(model),
        dataset_id=dataset.id,
        config=config,
        name="demo-b0.1-r16",
        charter=Charter("Answers as steps that can be followed", "Share of answers that end properly"),
    )
    run_id = app.runs.create(request).value.run_id
    app.runs.start(run_id, "process")
    reader, ended = app.runs.reader(run_id), False
    while not ended:
        code = app.runs.wait(run_id, 0.5)
        for event in reader.poll():
            on_event(event)
            ended = ended or isinstance(event, TERMINAL)
        if code is not None and not ended:
            time.sleep(0)
            ended = not reader.poll()
    app.runs.wait(run_id, 30)
    return run_id


def build_demo(
    target: Path, model: Path, say: Say, config: RunConfig = DEMO_CONFIG, on_event: OnEvent | None = None
) -> str:
    """Build a demo workspace at ``target`` (which must not exist) and return the id of its run."""
    with Application.open(target, create=True, name="Demo") as app:
        dataset = prepare(app, target, say)
        (target / "demo-pairs.jsonl").unlink(missing_ok=True)
        return train(app, dataset, model, config, on_event or (lambda _: None))
