"""One HTML file about runs: complete, offline, and harmless whatever the texts say."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.domain.errors import BadInput
from core.domain.judgement import Judgement, JudgementDraft, Reviewer, ReviewerKind, Verdict
from core.runs.child_processes.request import Cancelled
from core.runs.run_reader import RunReader
from core.services.runs.report import labels_behind, reported, write_report
from tests.fakes.compared_runs import MOVED_A, MOVED_B, PROMPTS, made_run, pairs_of

HOSTILE = "<script>alert('x')</script>\u202e<img src=http://evil.example/a.png>"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunReader, RunReader]:
    place = tmp_path_factory.mktemp("reported")
    pairs = pairs_of(PROMPTS)
    hostile = [replace(pair, rejected=f"{HOSTILE} {n}", judgement_ids=(n,)) for n, pair in enumerate(pairs)]
    return (
        made_run(place, "first", pairs_of(PROMPTS), MOVED_A, beta=0.1),
        made_run(place, "second", hostile, MOVED_B, beta=0.5, loss="ipo"),
    )


class Tags(HTMLParser):
    """Collects the tags of a document and every address in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.addresses = set[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "data", "action", "srcset")]


def test_that_a_report_of_runs_is_one_harmless_file_that_opens_offline(
    runs: tuple[RunReader, RunReader], tmp_path: Path
) -> None:
    said: list[str] = []
    found = [reported(runs[0], "A"), reported(runs[1], "B", name=HOSTILE, note=HOSTILE, tags=[HOSTILE])]
    written = write_report(tmp_path / "out.html", found, on_progress=lambda _d, _t, text: said.append(text))
    text = written.read_text(encoding="utf-8")
    tags = Tags(text)
    assert tags.addresses == [] and not tags.tags & {"script", "img", "link", "iframe", "object", "style-src"}
    assert text.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;⟨U+202E⟩") >= 8
    assert not re.search(r"url\(|@import|\bon\w+=", text)
    assert "prefers-color-scheme:dark" in text
    assert said[0] == "Comparing the runs" and said[-1] == "Writing the file" and len(said) == 4
    assert "B has another objective: " in text and "loss ipo, not sigmoid" in text
    assert "h = margin / β" in text and text.count("<svg") >= 13 and "stroke-dasharray" in text
    for words in ("Held-out h with its 95 % band by prompt, 5 pairs", "Charter", "Learning rate", "bootstrap 95 % by"):
        assert words in text
    assert "The labels are in the workspace, which this report was made without." in text


def test_that_a_report_is_written_whole_or_not_at_all(runs: tuple[RunReader, RunReader], tmp_path: Path) -> None:
    found = [reported(runs[0], "A")]
    with pytest.raises(Cancelled):
        write_report(tmp_path / "new" / "a.html", found, cancelled=lambda: True)
    assert not (tmp_path / "new").exists()
    (tmp_path / "b.html").write_text("mine")
    with pytest.raises(BadInput, match=r"exists already; nothing was written\."):
        write_report(tmp_path / "b.html", found)
    with pytest.raises(BadInput, match="no name of a report"):
        write_report(tmp_path / "b.pdf", found)
    write_report(tmp_path / "b.html", found, replace=True)
    assert "compared with" not in (tmp_path / "b.html").read_text(encoding="utf-8").lower()


def test_that_labels_behind_a_run_are_counted_by_rubric_version_and_reviewer() -> None:
    def label(number: int, who: str, rubric: str) -> Judgement:
        draft = JudgementDraft(Verdict.PREFER, 1)
        reviewer = Reviewer(1, who, ReviewerKind.HUMAN)
        return Judgement(number, str(number), 1, 7, reviewer, 1, rubric, "label", "A", "label", draft, None, 0)

    pairs = [replace(pair, pair_id=str(n), judgement_ids=(n, n + 10)) for n, pair in enumerate(pairs_of((0, 1)))]
    known = {
        n: [label(n, "Ann", "Help 1.0.0"), label(n + 10, "Ben", "Help 1.0.0"), label(99, "Ann", "Old")] for n in (0, 1)
    }
    found = labels_behind(pairs, lambda ids: {n: known[n] for n in ids if n in known})
    assert [(one.reviewer, one.rubric, one.labels) for one in found] == [
        ("Ann", "Help 1.0.0", 2),
        ("Ben", "Help 1.0.0", 2),
    ]
    assert labels_behind(pairs_of((0,)), lambda ids: {}) == []
