"""The hash chain covers rows in the order of their ids, whatever order SQLite would rather read them in."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from core.services.application import Application
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import opened


def test_that_labels_of_few_reviewers_in_one_transaction_verify_after_sqlite_counted_them(tmp_path: Path) -> None:
    rows = [
        {
            "prompt": f"What is {n}?",
            "response1": f"One {n}.",
            "response2": f"Two {n}.",
            "annotator1": 1,
            "annotator2": 2,
        }
        for n in range(60)
    ]
    file = tmp_path / "labels.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with opened(tmp_path / "ws") as app:
        app.imports.run(file, fmt="table:one_based", consent="granted")
        path = db_path(app.folder)
    with closing(sqlite3.connect(path)) as bare:
        (reviewers, labels) = bare.execute("SELECT count(DISTINCT reviewer_id), count(*) FROM judgement").fetchone()
        assert (reviewers, labels) == (2, 120)
        bare.execute("ANALYZE")
        bare.commit()
    with Application.open(path.parent) as app:
        assert [finding.message for finding in app.workspace.check().findings if finding.serious] == []
