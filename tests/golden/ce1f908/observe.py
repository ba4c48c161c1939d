"""What is read of an old workspace: by the code that made it, for ``facts.json``, and by today's code, to compare.

Only methods of the services are called (but for one stored setting), so that modules may move. Sentences written for
people are left out, because they may be reworded; everything that was stored is in.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def workspace_facts(app: Any) -> dict[str, Any]:
    """Return all that the open workspace ``app`` holds but its runs, in plain values."""
    return {
        "counts": app.workspace.info().counts,
        "findings": [finding.message for finding in app.workspace.check().findings],
        "adds_up": app.workspace.accounting().adds_up,
        "activity": [item.summary for item in reversed(app.workspace.activity(limit=1000))],
        "setting": _setting(app.folder),
        "sources": [[s.name, s.format, s.licence, s.consent, s.file_sha256, s.pairs] for s in app.imports.sources()],
        "rubrics": [_rubric(summary) for summary in app.rubrics.list()],
        "reviewers": {reviewer.name: _reviewer(app, reviewer) for reviewer in app.reviewers.list()},
        "pairs": {str(row.id): _pair(app, row) for row in app.pairs.page(limit=1000)},
        "datasets": {version.title: _dataset(app, version) for version in app.datasets.list()},
        "models": [[model.name, model.kind] for model in app.models.list()],
    }


def _setting(folder: Path) -> str:
    """Return a stored setting; the services offer none of them any more."""
    with closing(sqlite3.connect(f"file:{folder / 'workspace.db'}?mode=ro", uri=True)) as database:
        return str(database.execute("SELECT value FROM setting WHERE key = 'example'").fetchone()[0])


def run_facts(app: Any, run_id: str) -> dict[str, Any]:
    """Return all that the workspace tells of one run, in plain values."""
    info, reader = app.runs.info(run_id), app.runs.reader(run_id)
    record, status = info.record, info.status
    return {
        "name": info.name,
        "tags": list(info.tags),
        "note": info.note,
        "state": status.state,
        "attempt": status.attempt,
        "step": status.step,
        "total_steps": status.total_steps,
        "failure": status.kind,
        "fingerprint": record.fingerprint,
        "inputs": record.inputs,
        "model_files": record.model_files,
        "charter": record.charter.to_plain(),
        "parent": [record.parent_run, record.parent_step],
        "dataset": record.dataset.get("root_sha256", ""),
        "n_train": record.n_train,
        "n_dev": record.n_dev,
        "pairs": digest([pair.to_plain() for pair in reader.folder.pairs()]),
        "checkpoints": app.runs.checkpoints(run_id),
        "series": series(reader),
        "samples": digest([[s.step, s.pair_id, s.policy, s.reference] for s in reader.samples()]),
        "log_lines": len(reader.log_tail(10_000)),
        "events": [logged.event.event for logged in reader.log_events()],
        "visits": {kind: _visits(reader, kind) for kind in ("train", "dev", "probe_train")},
        "insights": sorted([insight.code, insight.severity] for insight in app.runs.insights(run_id)),
        "lineage": [
            [row.pair_id, row.step, row.prompt, row.margin, row.h, row.loss, row.reviewers, row.clause]
            for row in app.runs.lineage(run_id).rows(reader.worst(1000))
        ],
    }


def series(reader: Any) -> dict[str, list[list[float]]]:
    """Return every curve of a run as steps and values."""
    return {name: [list(part) for part in reader.series(name)] for name in reader.series_names()}


def digest(value: Any) -> str:
    """Return the sha256 of plain values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _visits(reader: Any, kind: str) -> list[Any]:
    """Return how often pairs were visited, and the hash of what was measured there."""
    visits = reader.pairs_of_range(0, 1000, kind)
    rows = [(v.row.logp_chosen, v.row.logp_rejected, v.row.ref_chosen, v.row.ref_rejected) for v in visits]
    places = [(v.step, v.attempt, v.pair_id, v.row.tokens_chosen, v.row.truncated) for v in visits]
    return [len(visits), digest([rows, places])]


def _rubric(summary: Any) -> dict[str, Any]:
    return {
        "name": summary.name,
        "imported": summary.imported,
        "stale": summary.stale,
        "versions": [
            [v.title, str(v.state), v.sha256, digest(v.body.to_plain()), summary.labels[v.id]] for v in summary.versions
        ],
    }


def _reviewer(app: Any, reviewer: Any) -> dict[str, Any]:
    return {
        "kind": str(reviewer.kind),
        "labels": len(app.annotation.recent(reviewer.id, 1000)),
        "undo": app.annotation.undo_label(reviewer.id),
        "redo": app.annotation.redo_label(reviewer.id),
        "bookmarks": app.annotation.bookmarks(reviewer.id),
    }


def _pair(app: Any, row: Any) -> dict[str, Any]:
    detail = app.pairs.detail(row.id)
    return {
        "sha256": detail.sha256,
        "counts": [row.labels, row.prefer_a, row.prefer_b, row.ties, row.neithers, row.cannots, row.flagged],
        "sources": [[place.source.name, place.row] for place in detail.sources],
        "judgements": [_judgement(judgement) for judgement in detail.judgements],
        "datasets": [[place.title, place.split, place.chosen, place.strength] for place in detail.datasets],
        "runs": sorted([run.name, run.split] for run in detail.runs),
    }


def _judgement(judgement: Any) -> list[Any]:
    draft = judgement.draft
    said = draft and [
        str(draft.verdict),
        draft.strength,
        draft.criteria,
        draft.reason,
        draft.rationale,
        list(draft.flags),
        draft.confidence,
        list(draft.spans),
        draft.edit,
    ]
    return [
        judgement.id,
        judgement.uid,
        judgement.reviewer.name,
        judgement.rubric_title,
        str(judgement.task),
        judgement.left_is,
        judgement.kind,
        judgement.supersedes,
        judgement.current,
        said,
    ]


def _dataset(app: Any, version: Any) -> dict[str, Any]:
    return {
        "root_sha256": version.root_sha256,
        "counts": version.counts,
        "policy": version.policy.to_plain(),
        "rubrics": list(version.rubric_titles),
        "left_out": [[entry.count, list(entry.pair_ids)] for entry in version.left_out],
        "items": digest([[i.to_plain(), list(i.judgement_ids)] for i in app.datasets.items(version.id, limit=1000)]),
        "training_pairs": digest([pair.to_plain() for pair in app.datasets.training_pairs(version.id)]),
    }
