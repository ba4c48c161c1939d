"""A judge over an endpoint: both orders, what is sent, what cannot be read, going on, and when it is calibrated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.cli.app import main
from core.domain.conversation import Prompt
from core.domain.errors import NotFound, UsageError, UserError
from core.domain.judging import UNCALIBRATED, read_verdict
from core.domain.suite import Suite, SuiteItem
from core.generation.endpoint import Endpoint
from core.services.application import Application
from core.services.judging.cases_file import PLACE
from core.services.judging.service import JudgeRequest
from tests.core.services.releases.conftest import app, evaluation, trained_run
from tests.fakes.openai_server import OpenAiServer
from tests.fakes.workspaces import publish

__all__ = ["app", "evaluation", "trained_run"]
ARMS = ("aligned", "reference")


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    made = OpenAiServer()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def rubric(app: Application) -> int:
    return publish(app.store, "Judged by").id


def says(*verdicts: str) -> list[tuple[int, Any]]:
    return [
        (200, {"choices": [{"message": {"content": f"Because.\n{verdict}"}, "finish_reason": "stop"}]})
        for verdict in verdicts
    ]


def request(evaluation: str, server: OpenAiServer, rubric: int, **values: Any) -> JudgeRequest:
    return JudgeRequest(evaluation, *ARMS, server.url, rubric, suites=("checked v1",), **values)


def test_that_each_pair_is_shown_in_both_orders_and_that_a_change_of_mind_is_a_tie(
    app: Application, evaluation: str, server: OpenAiServer, rubric: int
) -> None:
    server.replies = says("VERDICT: 1", "VERDICT: 2", "VERDICT: 1", "VERDICT: 1")
    report = app.judging.ask(request(evaluation, server, rubric)).value
    # The first item goes to the policy in both orders; in the second the judge takes whatever stands first.
    assert report.win_rate.value == pytest.approx(0.75) and report.win_rate.n == 2
    assert report.swap.value == 0.5 and report.unread.value == 0.0
    first, turned = (body["messages"][1]["content"] for _, body, _ in server.asked[:2])
    texts = app.evaluations.answers(evaluation, "checked v1", "aligned")[0].text
    assert first.split("Answer 1:")[1].split("Answer 2:")[0].strip() == texts.strip()
    assert turned.split("Answer 2:")[1].strip() == texts.strip()
    assert "aligned" not in str(server.asked) and "reference" not in str(server.asked)


def test_that_what_was_judged_is_not_asked_again_and_an_unfinished_line_is(
    app: Application, evaluation: str, server: OpenAiServer, rubric: int
) -> None:
    server.replies = [*says("VERDICT: 1"), (400, {"error": "no"})]
    wanted = request(evaluation, server, rubric)
    with pytest.raises(UserError, match="refused a prompt"):
        app.judging.ask(wanted)
    files = (app.evaluations.find(evaluation).path / PLACE).iterdir()
    (file,) = [path for path in files if server.url in path.read_text()]
    file.write_bytes(file.read_bytes() + b'{"suite": "che')
    server.asked.clear()
    server.replies = says("VERDICT: 2", "VERDICT: tie", "no verdict here")
    report = app.judging.ask(wanted).value
    assert len(server.asked) == 3
    assert report.win_rate.value == 1.0 and report.win_rate.n == 1  # the second pair was read in one order only
    assert report.unread.value == pytest.approx(1 / 4) and report.unread.n == 4
    assert app.evaluations.problems(evaluation) == []


def test_that_a_judge_is_watermarked_until_people_and_an_adversarial_set_have_tested_it(
    app: Application, evaluation: str, server: OpenAiServer, rubric: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [
        SuiteItem("t1", Prompt.from_text("2 + 2?"), "preference", chosen="4", rejected="A long and wrong answer: 5")
    ]
    app.suites.add(Suite("misleading", 1, tuple(items)))
    server.replies = says("VERDICT: 1", "VERDICT: 2", "VERDICT: 1", "VERDICT: 2", "VERDICT: 1", "VERDICT: 2")
    wanted = request(evaluation, server, rubric, adversarial=("misleading v1",))
    report = app.judging.ask(wanted).value
    assert report.watermarks == (UNCALIBRATED,)
    assert report.adversarial.value == 1.0 and report.adversarial.n == 1 and report.win_rate.n == 2
    scores = {("checked v1", "c0"): 1.0, ("checked v1", "c1"): 0.0}
    monkeypatch.setattr(app.judging, "people", lambda found, one, other: scores if (one, other) == ARMS else {})
    report = app.judging.report(evaluation, report.setup.key)
    assert report.watermarks == () and report.agreement.value == 0.5 and report.agreement.n == 2


def test_that_the_command_prints_each_judge_with_its_numbers(
    app: Application, evaluation: str, server: OpenAiServer, rubric: int, capsys: pytest.CaptureFixture[str]
) -> None:
    server.replies = says("VERDICT: 1", "VERDICT: 2", "VERDICT: 1", "VERDICT: 2")
    app.judging.ask(request(evaluation, server, rubric))
    assert main(["judge", str(app.folder), evaluation, "--json"]) == 0
    rows = {row["judge"]["url"]: row for row in json.loads(capsys.readouterr().out)}
    one = rows[server.url]
    assert one["arms"] == list(ARMS) and one["watermarks"] == [UNCALIBRATED]
    assert one["win_rate"]["value"] == 1.0 and one["win_rate"]["n"] == 2 and one["judge"]["model"] == "first"
    assert main(["proxies", str(app.folder), evaluation, "--json"]) == 0
    (register,) = json.loads(capsys.readouterr().out)
    assert {"implicit_reward", "refusal_detector", "length", "training_accuracy"} < register["proxies"].keys()
    judge = next(row for key, row in register["proxies"].items() if key.startswith("judge_"))
    assert judge["watermarks"] == [UNCALIBRATED] and "Ask people" in judge["missing"]
    assert main(["proxies", str(app.folder), evaluation, "--checkpoints"]) == 0
    assert "Implicit reward" in capsys.readouterr().out
    assert main(["proxies", str(app.folder), evaluation, "--curve", "--json"]) == 0
    curve = json.loads(capsys.readouterr().out)
    assert [point["step"] for point in curve["points"]] == [0] and "1 such checkpoint" in curve["fits"][0]["missing"]
    root = app.evaluations.evidence(evaluation)["suites"][curve["kl_suite"]]["metrics"]["sequence_kl"]["aligned"]
    assert curve["points"][0]["distance"]["value"] == pytest.approx(root["value"] ** 0.5)
    assert main(["proxies", str(app.folder), evaluation, "--curve"]) == 0
    assert "sqrt(KL)" in capsys.readouterr().out
    assert main(["judge", str(app.folder), evaluation]) == 0
    said = capsys.readouterr()
    assert "Decided alike in both orders" in said.out and UNCALIBRATED in said.err
    assert main(["judge", str(app.folder), evaluation, "--endpoint", server.url, "--arms", "aligned"]) == 3  # in use


def test_that_stopping_keeps_the_verdicts_so_far(
    app: Application, evaluation: str, server: OpenAiServer, rubric: int
) -> None:
    server.replies = says("VERDICT: tie", "VERDICT: tie")
    seen: list[int] = []
    report = app.judging.ask(
        request(evaluation, server, rubric), on_progress=lambda n, _: seen.append(n), cancelled=lambda: len(seen) == 2
    ).value
    assert seen == [1, 2] and report.win_rate.value == 0.5 and report.win_rate.n == 1


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"arm_a": "other"}, NotFound, "has no arm 'other'"),
        ({"arm_a": "reference"}, UsageError, "two different arms"),
        ({"suites": ("gone v1",)}, NotFound, "No open suite 'gone v1'"),
        ({"adversarial": ("checked v1",)}, UsageError, "cannot test a judge"),
    ],
)
def test_that_what_cannot_be_asked_is_said(
    app: Application, evaluation: str, server: OpenAiServer, rubric: int, values: Any, error: type, words: str
) -> None:
    base = {
        "evaluation": evaluation,
        "arm_a": ARMS[0],
        "arm_b": ARMS[1],
        "url": server.url,
        "rubric_version_id": rubric,
    }
    with pytest.raises(error, match=words):
        app.judging.ask(JudgeRequest(**{**base, **values}))
    assert server.asked == []


def test_that_another_host_is_not_asked_without_its_name(app: Application, evaluation: str, rubric: int) -> None:
    with pytest.raises(UsageError, match="is not this machine"):
        Endpoint("http://203.0.113.9/v1", "m", confirmed_host="")
    with pytest.raises(UsageError, match="is not this machine"):
        app.judging.ask(JudgeRequest(evaluation, *ARMS, "http://203.0.113.9/v1", rubric))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("VERDICT: 1", "first"),
        ("I first thought VERDICT: 1 but no.\nVerdict: 2.", "second"),
        ("verdict = TIE", "tie"),
        ("VERDICT: 12", "unread"),
        ("1", "unread"),
        ("", "unread"),
    ],
)
def test_that_only_the_form_asked_for_is_read(text: str, verdict: str) -> None:
    assert read_verdict(text) == verdict
