"""What a judge can be asked about an evaluation, and what a request comes to. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.domain.counting import counted
from core.domain.rubric import RubricVersion

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.application import Application
    from core.services.evaluations.views import EvaluationInfo
    from core.services.judging.service import JudgePlan, JudgeRequest


@dataclass(frozen=True, slots=True)
class JudgeChoices:
    """What there is to choose from.

    Attributes:
        arms: names. first, second: that are proposed.
        suites: titles of those whose items may be sent; a sealed test is none of them.
        tests: titles of suites with preference items, by which a judge itself can be tested.
        rubrics: published versions, newest first.
    """

    evaluation_id: str
    arms: Sequence[str]
    first: str
    second: str
    suites: Sequence[str] = ()
    tests: Sequence[str] = ()
    rubrics: Sequence[RubricVersion] = ()


def read_judge_choices(services: Application, info: EvaluationInfo) -> JudgeChoices:
    """Read what a judge can be asked."""
    names = [arm.name for arm in info.record.arms]
    kinds = {str(arm.kind): arm.name for arm in reversed(info.record.arms)}
    return JudgeChoices(
        info.evaluation_id,
        names,
        kinds.get("aligned", names[0]),
        kinds.get("reference", names[-1]),
        [suite.title for suite in info.record.suites if suite.answered and not suite.sealed],
        [suite.title for suite in services.suites.list() if suite.counts.get("preference")],
        services.rubrics.published(),
    )


def request_of(
    choices: JudgeChoices,
    arms: tuple[str, str],
    url: str,
    model: str,
    rubric_version_id: int,
    suites: Sequence[str],
    tests: Sequence[str],
    limit: int,
    confirmed_host: str,
) -> JudgeRequest:
    """Return the request that a form asks for."""
    from core.services.judging.service import JudgeRequest  # it loads the database library

    return JudgeRequest(
        choices.evaluation_id, *arms, url, rubric_version_id, model, tuple(suites), limit, tuple(tests),
        confirmed_host=confirmed_host,
    )  # fmt: skip


def plan_words(plan: JudgePlan) -> str:
    """Return what is sent, and what the answers mean.

    A pair is asked about twice, because a judge may favour what stands first.
    """
    return (
        f"{counted(plan.pairs, 'pair')} of answers, {counted(2 * plan.pairs, 'request')}: each pair in both orders; "
        "where the orders disagree it is a tie. What was judged before is not asked again."
    )


def host_words(host: str) -> str:
    """Return the warning about a server that is not on this machine."""
    return (
        f"{host} is not this machine: every prompt and answer that is compared would be sent there. "
        "Type its name to allow that."
    )
