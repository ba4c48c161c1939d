"""Judges: asking an endpoint about answers of an evaluation in both orders, and what is known of each judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.changes import Changes, Outcome
from core.domain.errors import NotFound, UsageError
from core.domain.judging import JudgedCase, JudgeReport, JudgeSetup, judge_prompt, read_verdict
from core.domain.rubric_text import reading_text
from core.domain.suite import SuiteItem
from core.generation.endpoint import Endpoint, EndpointDecoder, other_host
from core.generation.seeds import derive_seed
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from core.services.evaluations.service import EvaluationsService
from core.services.judging.cases_file import CasesFile, setups_in
from core.services.rubrics.service import RubricsService
from core.services.suites.service import SuitesService
from core.store import events
from core.store.sqlite.database import Store

PeopleScores = Callable[[str, str, str], Mapping[tuple[str, str], float]]
"""From evaluation id and two arms to (suite, item) -> what people say of the first arm: 1 won, 1/2 tie, 0 lost."""
PeopleVotes = Callable[[str, str, str], Mapping[tuple[str, str], Mapping[str, float]]]
"""The same to (suite, item) -> person -> what that person says."""
ADVERSARIAL = "adversarial:"
"""What the name of a suite begins with in the verdicts that test the judge itself."""
_CHOSEN, _REJECTED = "chosen", "rejected"
_MOST_TOKENS = 400


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """What a judge is asked.

    Attributes:
        evaluation: id, beginning of an id, or name. arm_a, arm_b: whose answers are compared.
        url: base URL of the endpoint. model: its name there, "" for the first that it lists.
        rubric_version_id: by whose text it judges.
        suites: titles; () takes all whose items are at hand. The items of a sealed test are never sent.
        limit: most items of a suite; 0 takes all.
        adversarial: titles of suites with preference items on which length and style mislead.
        confirmed_host: the other host that the user named as allowed; None reads the environment.
    """

    evaluation: str
    arm_a: str
    arm_b: str
    url: str
    rubric_version_id: int
    model: str = ""
    suites: tuple[str, ...] = ()
    limit: int = 0
    adversarial: tuple[str, ...] = ()
    seed: int = 0
    confirmed_host: str | None = None


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """How many pairs of answers a judge would compare, and the host that is not this machine; "" where it is."""

    pairs: int
    other_host: str = ""


@dataclass(frozen=True, slots=True)
class _Comparison:
    suite: str
    item: SuiteItem
    arm_a: str
    arm_b: str
    a: str
    b: str


class JudgingService:
    """Asks judges and reads what they said. Verdicts of a judge are never pooled with those of people."""

    def __init__(
        self, store: Store, evaluations: EvaluationsService, suites: SuitesService, rubrics: RubricsService
    ) -> None:
        self._store = store
        self._evaluations, self._suites, self._rubrics = evaluations, suites, rubrics
        self.people: PeopleScores | None = None
        self.votes: PeopleVotes | None = None

    def plan(self, request: JudgeRequest) -> JudgePlan:
        """Return what a request comes to; nothing is sent.

        Raises:
            NotFound: when there is no such evaluation, arm or suite.
            UsageError: when nothing can be compared, or the URL is none of a server.
        """
        return JudgePlan(len(self._comparisons(request)), other_host(request.url))

    def ask(
        self,
        request: JudgeRequest,
        *,
        endpoint: Endpoint | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome[JudgeReport]:
        """Ask the judge about each pair of answers in both orders; what it said before is not asked again.

        Args:
            request: what is asked.
            endpoint: asks; made from the request when None.
            on_progress: called with the number of verdicts there are and are wanted.
            cancelled: polled before each request; True stops, and the verdicts so far stay.

        Raises:
            NotFound: when there is no such evaluation, arm or suite.
            UsageError: when nothing can be compared, or the URL cannot be used.
            BadInput: when a part of the evaluation was altered.
            UserError: when the server does not answer; the verdicts so far stay.
        """
        folder = self._evaluations.unaltered(request.evaluation)
        asked = endpoint or Endpoint(request.url, request.model, confirmed_host=request.confirmed_host)
        comparisons = self._comparisons(request)
        version = self._rubrics.version(request.rubric_version_id)
        setup = JudgeSetup(request.url, asked.model(), version.title, version.sha256, seed=request.seed)
        file, rubric = CasesFile(folder.path, setup), reading_text(version)
        known = file.read()
        wanted = [(one, first) for one in comparisons for first in (True, False)]
        for done, (one, a_first) in enumerate(wanted, 1):
            if cancelled is not None and cancelled():
                break
            if (one.suite, one.item.id, one.arm_a, one.arm_b, a_first) not in known:
                file.append(_asked(asked, setup, rubric, one, a_first))
            if on_progress is not None:
                on_progress(done, len(wanted))
        self._log(folder, setup, len(wanted))
        return Outcome(self.report(request.evaluation, setup.key), Changes.EVALUATIONS)

    def reports(self, evaluation: str) -> list[JudgeReport]:
        """Return the report of each judge that was asked about an evaluation."""
        return [self.report(evaluation, one.key) for one in setups_in(self._evaluations.find(evaluation).path)]

    def report(self, evaluation: str, key: str) -> JudgeReport:
        """Return what one judge said, with what is known of it.

        Raises:
            NotFound: when no judge of this key was asked.
        """
        # scipy takes a second to import, and only this needs it.
        from core.services.judging.report import report_of

        folder = self._evaluations.find(evaluation)
        setup = next((one for one in setups_in(folder.path) if one.key == key), None)
        if setup is None:
            raise NotFound(f"No judge {key} was asked about this evaluation.", "See them with: judge WS EVALUATION")
        cases = CasesFile(folder.path, setup).read()
        arms = next(((c.arm_a, c.arm_b) for c in cases.values() if not c.suite.startswith(ADVERSARIAL)), ("", ""))
        id_ = folder.record().evaluation_id
        people = self.people(id_, *arms) if self.people is not None else {}
        votes = self.votes(id_, *arms) if self.votes is not None else {}
        return report_of(setup, arms, list(cases.values()), people, answers_of(folder, arms), votes)

    def _comparisons(self, request: JudgeRequest) -> list[_Comparison]:
        found = [*_of_evaluation(self._evaluations.find(request.evaluation), request), *self._adversarial(request)]
        if not found:
            raise UsageError(
                "There is nothing to compare: no item has answers of both arms.",
                "Name other suites, or a finished evaluation. Items of a sealed test are never sent to a judge.",
            )
        return found

    def _adversarial(self, request: JudgeRequest) -> list[_Comparison]:
        found = []
        for title in request.adversarial:
            suite = self._suites.get(title)
            items = [item for item in suite.items if item.expected == "preference" and not item.is_tie]
            if not items:
                raise UsageError(
                    f"{title} has no pairs with a better answer, so it cannot test a judge.",
                    "Name a suite of preference items on which length and style mislead.",
                )
            found += [
                _Comparison(f"{ADVERSARIAL}{title}", item, _CHOSEN, _REJECTED, item.chosen, item.rejected)
                for item in _first(items, request.limit)
            ]
        return found

    def _log(self, folder: EvaluationFolder, setup: JudgeSetup, cases: int) -> None:
        context = self._store.write_context()
        summary = f"Judge {setup.model} was asked about {folder.record().name or folder.path.name}"
        detail = {"evaluation": folder.record().evaluation_id, "judge": setup.to_plain(), "comparisons": cases}
        self._store.write(
            lambda session: events.log(session, context, "judge.ask", summary, detail=detail), "noting a judge"
        )


def answers_of(folder: EvaluationFolder, arms: tuple[str, str]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return (suite, item) -> answers of both arms, for the open suites of an evaluation."""
    ledger = EvaluationLedger(folder.ledger)
    found = {}
    for suite in folder.items():
        one, other = ({row.item: row.text for row in ledger.answers(suite, arm)} for arm in arms)
        found.update({(suite, item): (one[item], other[item]) for item in one.keys() & other.keys()})
    return found


def _of_evaluation(folder: EvaluationFolder, request: JudgeRequest) -> list[_Comparison]:
    record, items = folder.record(), folder.items()
    names = [arm.name for arm in record.arms]
    for arm in (request.arm_a, request.arm_b):
        if arm not in names:
            raise NotFound(f"This evaluation has no arm {arm!r}.", f"Its arms are {', '.join(names)}.")
    if request.arm_a == request.arm_b:
        raise UsageError("A judge compares two different arms.", f"The arms are {', '.join(names)}.")
    for title in request.suites:
        if title not in items:
            raise NotFound(f"No open suite {title!r} belongs to this evaluation.", f"It has {', '.join(items)}.")
    answers = answers_of(folder, (request.arm_a, request.arm_b))
    return [
        _Comparison(suite, item, request.arm_a, request.arm_b, *answers[suite, item.id])
        for suite in (request.suites or tuple(items))
        for item in _first([item for item in items[suite] if (suite, item.id) in answers], request.limit)
    ]


def _first(items: Sequence[SuiteItem], limit: int) -> Sequence[SuiteItem]:
    return items[:limit] if limit else items


def _asked(endpoint: Endpoint, setup: JudgeSetup, rubric: str, one: _Comparison, a_first: bool) -> JudgedCase:
    first, second = (one.a, one.b) if a_first else (one.b, one.a)
    seed = derive_seed(setup.seed, "judge", one.suite, one.item.id, a_first)
    prompt = judge_prompt(rubric, one.item.prompt, first, second)
    said = endpoint.answer(prompt, seed, EndpointDecoder(_MOST_TOKENS)).text
    return JudgedCase(one.suite, one.item.id, one.arm_a, one.arm_b, a_first, read_verdict(said), said)
