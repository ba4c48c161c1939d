"""Votes of people between two arms of an evaluation: plan, ask, queue, results, and what the gate reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.domain.changes import Changes, Outcome
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.estimate import Estimate
from core.domain.evaluation_record import SEALED, EvaluationRecord
from core.domain.ids import new_uid
from core.domain.rubric import RubricState
from core.domain.suite import SuiteItem
from core.domain.votes import VoteItem, VotePlan, VoteRequest, VoteRound
from core.evaluation.openings import new_note, write_note
from core.runs.evaluations.folder import EvaluationFolder
from core.services.annotation.views import QueueSettings
from core.services.evaluations.service import EvaluationsService
from core.services.sealed.service import SealedService
from core.services.votes.asking import Drawn, draw, filled_in, pairs_of
from core.store import datasets, events, rubrics
from core.store import votes as repository
from core.store.split_suite import split_suite
from core.store.sqlite.database import Session, Store

if TYPE_CHECKING:  # statistics libraries, which the window must not load when it starts
    from core.services.votes.outlook import VotesOutlook
    from core.services.votes.results import Pooled, VoteResults
    from core.services.votes.worths import VotedWorths


@dataclass(frozen=True, slots=True)
class AskedRound:
    """A round with what it came to; ``is_new`` is false where the same had been asked before."""

    round: VoteRound
    is_new: bool
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """How far a round is: items with all votes, votes given, and items that wait for one reviewer."""

    round: VoteRound
    settled: int
    votes: int
    waiting_for_reviewer: int = 0


class VotesService:
    """Asks people and counts what they say. Thread-safe."""

    def __init__(self, store: Store, evaluations: EvaluationsService, sealed: SealedService) -> None:
        self._store, self._evaluations, self._sealed = store, evaluations, sealed

    # Asking

    def plan(self, request: VoteRequest) -> VotePlan:
        """Return what a request comes to, without asking anybody; no sealed test is opened.

        Raises:
            NotFound: when there is no such evaluation, it is not finished, or no item is left.
            UsageError: for an arm, a suite or a slice that it does not have.
            BadInput: when a part of the evaluation was altered.
        """
        return self._planned(self._drawn(request)[0])

    def ask(self, request: VoteRequest) -> Outcome[AskedRound]:
        """Put the items of a request into a queue of its own; an equal request that was made before adds nothing.

        Items of a sealed test are asked about only when it is named with a person and a reason: showing its prompts is
        an opening, which is noted before they are read. Their pairs never enter a dataset version.

        Raises:
            NotFound, UsageError: as :meth:`plan`; also for a draft of a rubric, or a sealed test without a reason.
        """
        self._evaluations.require_writable()
        drawn, folder = self._drawn(request)
        wanted = drawn.request
        with self._store.read() as session:
            known = repository.by_request(session, wanted.sha256)
            if rubrics.get(session, wanted.rubric_version_id).state is not RubricState.PUBLISHED:
                raise BadInput("People vote under published rubric versions only.", "Publish the draft first.")
        if known is not None:
            return Outcome(AskedRound(known, False, ("The same was asked before; nothing was added.",)))
        plan, record = self._planned(drawn), folder.record()
        if not drawn.items:
            raise NotFound("Both arms answer every item alike; there is nothing to ask people.", "Choose other arms.")
        _require_reason(wanted, plan)
        pairs = pairs_of(drawn, record, lambda suite, ids: self._opened(record, wanted, suite, ids))
        with self._store.read() as session:  # those of a sealed test could not be compared before
            there = repository.known_elsewhere(session, [pair.sha256 for pair, _ in pairs])
        pairs = [one for one in pairs if one[0].sha256 not in there]
        context = self._store.write_context()

        def write(session: Session) -> VoteRound:
            number = len(repository.listed(session, record.evaluation_id)) + 1
            name = f"Votes {number} on {record.name}"
            target = repository.open_source(session, name, context)
            new = VoteRound(
                0, new_uid(), wanted.sha256, record.evaluation_id, name, wanted.first_arm, wanted.second_arm,
                wanted.rubric_version_id, "", 0, wanted.votes_per_item, plan.planned, len(pairs), context.at_ms,
                _detail(drawn),
            )  # fmt: skip
            made = repository.add(session, new, target, pairs, context)
            summary = f"Asked people about {counted(made.asked, 'item')} of {record.name}"
            detail = {"evaluation_id": record.evaluation_id, "round": made.uid, "asked": made.asked}
            events.log(session, context, "votes.ask", summary, subject="vote_round", subject_id=made.id, detail=detail)
            return made

        made = self._store.write(write, "asking people")
        return Outcome(
            AskedRound(made, True, tuple(plan.told())), Changes.EVALUATIONS | Changes.PAIRS | Changes.RELEASES
        )

    def _drawn(self, request: VoteRequest) -> tuple[Drawn, EvaluationFolder]:
        folder = self._evaluations.unaltered(request.evaluation)
        if folder.evidence() is None:
            raise NotFound("This evaluation is not finished; its arms have not answered everything.", "Resume it.")

        def known(sha256s: Sequence[str]) -> set[str]:
            with self._store.read() as session:
                return repository.known_elsewhere(session, sha256s)

        return draw(folder, filled_in(request, folder.record()), known), folder

    def _planned(self, drawn: Drawn) -> VotePlan:
        # It imports scipy, which the window must not load when it starts.
        from core.evaluation.measures.power import detectable_share, n_for_share

        distance = detectable_share(len(drawn.items))
        return drawn.plan(n_for_share(0.5 + drawn.request.margin), distance if distance == distance else None)

    def _opened(
        self, record: EvaluationRecord, request: VoteRequest, suite: str, ids: Sequence[str]
    ) -> dict[str, SuiteItem]:
        """Note that people are shown items of a sealed test, then return them."""
        title = suite.removeprefix(SEALED)
        place = self._sealed.seal_version(title)
        with self._store.read() as session:
            version = datasets.get(session, title)
        note = new_note(
            person=request.person,
            reason=request.reason,
            policy=f"votes between {request.first_arm} and {request.second_arm}",
            rows=len(ids),
            which=" ".join(ids),
            evaluation=record.evaluation_id,
            title=version.title,
            root_sha256=version.root_sha256,
            contents_sha256=place.sha256,
        )
        write_note(place.path, note)
        self._sealed.take_openings()
        with self._store.read() as session:
            found = split_suite(session, version, "test")
        frozen = next(one for one in record.suites if one.title == suite)
        if found is None or found.sha256 != frozen.sha256:
            raise BadInput(f"{suite} is not the test that was evaluated; nobody was asked.", "Check the workspace.")
        return {item.id: item for item in found.items}

    # Reading

    def list(self, evaluation: str = "", reviewer_id: int = 0) -> list[RoundProgress]:
        """Return the rounds of an evaluation, or all, oldest first, with how far they are."""
        id_ = self._evaluations.find(evaluation).record().evaluation_id if evaluation else ""
        with self._store.read() as session:
            return [self._progress(session, one, reviewer_id) for one in repository.listed(session, id_)]

    def get(self, round_id: int) -> VoteRound:
        """Return a round.

        Raises:
            NotFound: when there is none.
        """
        with self._store.read() as session:
            return repository.get(session, round_id)

    def queue(self, round_id: int, reviewer_id: int) -> QueueSettings:
        """Return the queue in which a reviewer votes: in an order of the reviewer's own, at random."""
        one = self.get(round_id)
        return QueueSettings(
            reviewer_id,
            one.rubric_version_id,
            order="random",
            seed=one.id * 1_000_003 + reviewer_id,
            labels_per_pair=one.votes_per_item,
            revisit_skipped=True,
            vote_round=one.id,
        )

    def results(self, round_id: int) -> VoteResults:
        """Return what the votes of a round come to.

        Raises:
            NotFound: when there is none.
        """
        # It imports statsmodels, which the window must not load when it starts.
        from core.services.votes.results import results_of

        with self._store.read() as session:
            one = repository.get(session, round_id)
            texts = repository.texts(session, round_id)
            return results_of(one, repository.items(session, round_id), repository.cast(session, one), texts)

    def worths(self, evaluation: str) -> VotedWorths:
        """Return the worths of the arms by all rounds of an evaluation, against its reference where that was asked.

        Raises:
            NotFound: when there is no such evaluation, or nobody was asked about it.
        """
        # It imports scipy, which the window must not load when it starts.
        from core.services.votes.worths import worths_of

        record = self._evaluations.find(evaluation).record()
        with self._store.read() as session:
            listed = repository.listed(session, record.evaluation_id)
            rounds = [(one, repository.items(session, one.id), repository.cast(session, one)) for one in listed]
        if not rounds:
            raise NotFound("Nobody was asked about this evaluation.", "Ask people: votes ask WS EVALUATION")
        asked = {arm for one, *_ in rounds for arm in (one.first_arm, one.second_arm)}
        known = [arm.name for arm in record.arms if arm.kind == "reference" and arm.name in asked]
        return worths_of(rounds, known[0] if known else rounds[0][0].second_arm)

    def hidden(self, evaluation_id: str, reviewer_id: int | None) -> set[tuple[str, str]]:
        """Return (suite, item) of what a reviewer may still vote on, whose answers must not be shown by arm."""
        if reviewer_id is None:
            return set()
        found: set[tuple[str, str]] = set()
        with self._store.read() as session:
            for one in repository.listed(session, evaluation_id):
                found |= {(item.suite, item.item) for item in _open_to(session, one, reviewer_id)}
        return found

    def win_rates(self, evaluation_id: str) -> tuple[Estimate | None, Estimate | None]:
        """Return the win rate of the policy against its reference by people's votes, and the one at equal length.

        Every round of these two arms counts, so that nobody can ask until a round pleases; of an item that is in
        several rounds the first outcome counts.
        """
        # It imports statsmodels, which the window must not load when it starts.
        from core.services.votes.results import pooled

        _, rounds = self._of_policy(evaluation_id)
        return pooled(rounds) if rounds else (None, None)

    def outlook(self, evaluation_id: str) -> VotesOutlook:
        """Return the same votes item by item, and how their interval would go on at this rate."""
        # It imports statsmodels, which the window must not load when it starts.
        from core.services.votes.outlook import outlook_of

        return outlook_of(*self._of_policy(evaluation_id))

    def _of_policy(self, evaluation_id: str) -> tuple[str, Pooled]:
        """Return the policy's name, and all rounds between it and its reference."""
        record = self._evaluations.find(evaluation_id).record()
        kinds = {arm.name: arm.kind for arm in record.arms}
        rounds = []
        with self._store.read() as session:
            for one in repository.listed(session, record.evaluation_id):
                arms = (kinds.get(one.first_arm), kinds.get(one.second_arm))
                if set(arms) == {"aligned", "reference"}:
                    parts = (repository.items(session, one.id), repository.cast(session, one))
                    rounds.append((one, *parts, arms[0] == "aligned"))
        return next((arm for arm, kind in kinds.items() if kind == "aligned"), ""), rounds

    def outcomes(self, evaluation_id: str, first_arm: str, second_arm: str) -> dict[tuple[str, str], float]:
        """Return (suite, item) -> what most votes say of the first arm (1 won, 1/2 tie, 0 lost), where all are in."""
        # It imports statsmodels, which the window must not load when it starts.
        from core.services.votes.results import results_of

        found: dict[tuple[str, str], float] = {}
        with self._store.read() as session:
            for one in repository.listed(session, evaluation_id):
                if {one.first_arm, one.second_arm} == {first_arm, second_arm}:
                    results = results_of(one, repository.items(session, one.id), repository.cast(session, one))
                    turned = one.first_arm != first_arm
                    for item in results.items:
                        found.setdefault((item.suite, item.item), 1 - item.outcome if turned else item.outcome)
        return found

    def by_person(self, evaluation_id: str, first_arm: str, second_arm: str) -> dict[tuple[str, str], dict[str, float]]:
        """Return (suite, item) -> person -> what that person says of the first arm; the first vote of each counts."""
        found: dict[tuple[str, str], dict[str, float]] = {}
        with self._store.read() as session:
            for one in repository.listed(session, evaluation_id):
                if {one.first_arm, one.second_arm} == {first_arm, second_arm}:
                    items = {item.pair_id: item for item in repository.items(session, one.id)}
                    for vote in repository.cast(session, one):
                        if vote.outcome is not None:
                            said = vote.outcome if one.first_arm == first_arm else 1 - vote.outcome
                            item = items[vote.pair_id]
                            found.setdefault((item.suite, item.item), {}).setdefault(vote.reviewer, said)
        return found

    def _progress(self, session: Session, one: VoteRound, reviewer_id: int) -> RoundProgress:
        cast = repository.cast(session, one)
        counts: dict[int, int] = {}
        for vote in cast:
            counts[vote.pair_id] = counts.get(vote.pair_id, 0) + 1
        settled = sum(count >= one.votes_per_item for count in counts.values())
        left = len(_open_to(session, one, reviewer_id)) if reviewer_id else 0
        return RoundProgress(one, settled, len(cast), left)


def _open_to(session: Session, one: VoteRound, reviewer_id: int) -> list[VoteItem]:
    """Return the items that a reviewer may still vote on."""
    counts: dict[int, int] = {}
    own: set[int] = set()
    for pair_id, by in repository.voters(session, one):
        counts[pair_id] = counts.get(pair_id, 0) + 1
        own |= {pair_id} if by == reviewer_id else set()
    return [
        item
        for item in repository.items(session, one.id)
        if item.pair_id not in own and counts.get(item.pair_id, 0) < one.votes_per_item
    ]


def _require_reason(request: VoteRequest, plan: VotePlan) -> None:
    if plan.sealed and not (request.person.strip() and request.reason.strip()):
        raise UsageError(
            f"{counted(plan.sealed, 'item')} of a sealed test would be shown to people, which counts as a look.",
            "Say who shows them and why (--by NAME --reason WHY), or leave the sealed test out. Nobody was asked.",
        )


def _detail(drawn: Drawn) -> dict[str, object]:
    wanted = drawn.request
    return {
        "suites": list(wanted.suites),
        "slices": [list(part) for part in wanted.slices],
        "limit": wanted.limit,
        "seed": wanted.seed,
        "margin": wanted.margin,
        "identical": [list(one) for one in drawn.identical],
        "left_out": {"missing": drawn.missing, "repeated": drawn.repeated, "known": drawn.known},
    }
