"""The objective lab over a real run: drawn, given and stored answers are scored as an inspection scores them."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.cli.app import main
from core.domain.conversation import Prompt
from core.domain.errors import NotFound, UsageError
from core.domain.prompt_inspection import GivenAnswer
from core.domain.prompt_lab import LabRequest
from core.runs.evaluations import inspecting
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.inspection_program import inspect
from core.runs.folder import RunFolder
from core.services.lab.prompt_lab import lab_of_run
from core.services.lab.stored_answers import stored_answers
from tests.core.runs.evaluations.conftest import open_suite

SETTINGS = {"device": "cpu", "threads": 1, "max_new_tokens": 5, "seed": 3}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Run the child program in this process, its values through JSON; return the requests that it got."""
    asked: list[dict[str, Any]] = []

    def run(_module: str, request: dict[str, Any], *, on_progress: Any, **_: Any) -> Any:
        asked.append(json.loads(json.dumps(request)))
        return json.loads(json.dumps(inspect(asked[-1], on_progress or (lambda *_: None), lambda _: None)))

    monkeypatch.setattr(inspecting, "run_in_subprocess", run)
    return asked


def test_that_drawn_answers_come_from_the_reference_and_another_run_scores_the_same_ones(
    trained_run: RunFolder, here: list[dict[str, Any]]
) -> None:
    told: list[tuple[int, int, str]] = []
    pair = trained_run.pairs()[0]
    found = lab_of_run(
        trained_run,
        LabRequest("", pair=pair.pair_id, draw=2, others=[str(trained_run.path)], settings=SETTINGS),
        on_progress=lambda *words: told.append(words),
    )
    assert [(a.name, a.author) for a in found.answers[:2]] == [("chosen", "given"), ("rejected", "given")]
    assert {a.author for a in found.answers[2:]} == {"reference"}
    assert found.prompt == pair.prompt
    assert found.best_and_worst() == (0, 1)
    own = found.objective().at(found.beta)
    policy = [math.exp(a.policy - found.answers[0].policy) for a in found.answers]
    assert own.shares == pytest.approx([value / sum(policy) for value in policy])
    other = found.others[0]
    kept = [place for place, a in enumerate(found.answers) if a.author == "given"]
    assert [other.policy[place] for place in kept] == pytest.approx([found.answers[p].policy for p in kept], abs=1e-4)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][2].startswith(trained_run.record().name)
    assert (here[0]["authors"], here[0]["nearest"], here[1]["samples"]) == (["reference"], 0, 0)
    assert not found.drawn


def test_that_an_answer_that_was_cut_is_scored_without_the_stop_token(
    trained_run: RunFolder, here: list[dict[str, Any]]
) -> None:
    given = [GivenAnswer("whole", "Wipe it."), GivenAnswer("cut", "Wipe it.", finished=False)]
    found = lab_of_run(
        trained_run, LabRequest("", Prompt.from_text("Why?"), given=given, draw=0, settings=SETTINGS)
    )  # fmt: skip
    whole, cut = found.answers
    assert whole.tokens == cut.tokens + 1
    assert whole.reference < cut.reference
    assert "y2: cut at the limit" in " ".join(found.notes)
    assert len(here) == 1


def test_that_answers_of_an_evaluation_to_the_same_prompt_are_found(
    finished: EvaluationFolder, trained_run: RunFolder, tmp_path: Path
) -> None:
    shutil.copytree(finished.path, tmp_path / "evaluations" / "e")
    prompt = open_suite().items[0].prompt
    found, more = stored_answers(trained_run, prompt, tmp_path)
    assert {answer.name.split(",")[0] for answer in found} <= {"aligned", "reference"}
    assert found
    assert more == 0
    assert stored_answers(trained_run, Prompt.from_text("Something else?"), tmp_path) == ([], 0)
    assert stored_answers(trained_run, prompt, None) == ([], 0)


def test_that_the_command_prints_the_steps_and_refuses_what_it_cannot_do(
    trained_run: RunFolder, here: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lab", str(trained_run.path), "--prompt", "Why?", "--answers", "0", "--answer", "Yes.", "--answer", "No."]
    assert main([*words, "--beta", "0.2"]) == 0
    shown = capsys.readouterr().out
    for part in ("pi*(0.2)", "5.1 The optimum", "5.5 Gradient weight", "never compared", "as trained", "infinity"):
        assert part in shown
    assert main([*words, "--json", "--equal", "--w", "2"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["event"], plain["y_w"], plain["y_l"], plain["weighing"]) == ("lab", "y2", "y1", "equal")
    assert plain["reference_shares"] == [0.5, 0.5]
    assert len(plain["steps"]) == 5
    assert plain["frontier"][0]["kl"] == 0
    assert len(here) == 2
    for more in (["--beta", "0"], ["--w", "1", "--l", "1"], ["--from", "nobody"], ["--pair", "x"]):
        assert main([*words, *more]) == 2
    assert len(here) == 2  # refused before a model is loaded
    assert main([*words, "--w", "3"]) == 2
    assert "There are 2 answers" in capsys.readouterr().err
    with pytest.raises(NotFound, match="no pair 999"):
        lab_of_run(trained_run, LabRequest("", pair="999"))
    with pytest.raises(UsageError):
        lab_of_run(trained_run, LabRequest("", Prompt.from_text("Why?"), draw=65))
