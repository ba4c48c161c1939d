"""Measuring a release again from its contract, and saying by how much each number differs. Needs no workspace.

The evaluation of the contract is made anew in a folder of its own, with the same items, seeds and settings, on the run
that its arms name. On a CPU with the same libraries every number comes back exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core import durable
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, UserError
from core.domain.evaluation_record import Arm, EvaluatedSuite, EvaluationRecord
from core.domain.run_events import Finished
from core.model_files.policy_files import policy_sha256
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EvaluationFolder, publish
from core.runs.evaluations.hosting import EvaluationHost
from core.services.releases.contract import release_tuple
from core.services.releases.names import CONTRACT, EVALUATION
from core.services.releases.policy_costs import CostVerdict, cost_of
from core.unfinished import temporary_folder

_PARTS = ("value", "lo", "hi", "n", "p")
OnEvent = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Delta:
    """One number of the contract and the same number measured again; None where it is not a number."""

    suite: str
    metric: str
    arm: str
    part: str
    before: float | None
    after: float | None

    @property
    def size(self) -> float:
        """|after - before|; infinite where only one of them is there."""
        if self.before is None or self.after is None:
            return 0.0 if self.before is self.after else math.inf
        return abs(self.after - self.before)


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it.

    Attributes:
        release: its id. status: the first line of the contract.
        deltas: of every number, the largest first.
        costs: of the policy's answers here, beside the limits of the contract; they differ between machines.
    """

    release: str
    status: str
    deltas: tuple[Delta, ...]
    costs: CostVerdict

    @property
    def largest(self) -> float:
        """The largest difference of a number."""
        return max((delta.size for delta in self.deltas), default=math.inf)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values; an infinite difference is None."""
        largest = self.largest
        by_number: dict[tuple[str, str, str], float] = {}
        for delta in self.deltas:
            key = (delta.suite, delta.metric, delta.arm)
            by_number[key] = max(by_number.get(key, 0.0), delta.size)
        return {
            "release": self.release,
            "status": self.status,
            "numbers": len(self.deltas),
            "max_delta": largest if math.isfinite(largest) else None,
            "deltas": [
                {"suite": suite, "metric": metric, "arm": arm, "max_delta": size if math.isfinite(size) else None}
                for (suite, metric, arm), size in sorted(by_number.items(), key=lambda one: (-one[1], one[0]))
            ],
            "costs": self.costs.to_plain(),
        }

    def sentence(self) -> str:
        """Return what came of it in words."""
        words = f"{counted(len(self.deltas), 'number')} measured again"
        if self.largest == 0:
            return f"{words}: all equal (max |delta| 0)."
        missing = sum(math.isinf(delta.size) for delta in self.deltas)
        if missing:
            return f"{words}: {counted(missing, 'number')} of the contract cannot be found in it, or the reverse."
        return f"{words}: max |delta| {self.largest:.3g} ({self.deltas[0].suite}, {self.deltas[0].metric})."


def read_contract(out: Path) -> dict[str, Any]:
    """Return the contract of a release after checking every file of it against its manifest.

    Raises:
        NotFound: when there is no release.
        BadInput: naming the file that is missing or was altered.
    """
    folder = Path(out)
    if not (folder / CONTRACT).is_file():
        raise NotFound(f"{folder} holds no release.", "Name the folder that release made.")
    durable.verify_folder(folder)
    contract = durable.read_json(folder / CONTRACT)
    if not isinstance(contract, dict):
        raise BadInput(f"{CONTRACT} in {folder} is no contract.", "Use an unaltered copy of the release.")
    release_tuple(contract)
    return contract


def verify_contract(
    out: Path, *, run_dir: Path | None = None, workspace: Path | None = None, on_event: OnEvent | None = None
) -> Verification:
    """Measure a release again and return by how much each number differs.

    Args:
        out: folder of the release.
        run_dir: where the run of the release lies now; None takes the place that the contract names.
        workspace: a copy of the workspace that the release was made in; runs, base models and sealed tests are taken
            from it.
        on_event: gets the events of the evaluation.

    Raises:
        NotFound: when there is no release, or the run or a sealed test is not where it was.
        BadInput: naming the file that is missing or was altered.
        UserError: when it could not be measured again.
    """
    contract = read_contract(out)
    kept = EvaluationFolder(Path(out) / EVALUATION)
    before = kept.evidence()
    if before is None:
        raise NotFound("The release holds no evidence to compare with.", "Use an unaltered copy of the release.")
    record = _placed(kept.record(), str(contract["policy"]["run_id"]), run_dir, workspace)
    with temporary_folder(prefix="pairwright-verify-") as scratch:
        folder = publish(scratch / EVALUATION, record, kept.items())
        last = evaluate(folder.path, EvaluationHost(host="terminal", on_event=on_event, reset=True))
        after = folder.evidence()
        policy = next((arm.name for arm in record.arms if arm.kind == "aligned"), "")
        costs = CostVerdict.of(contract, cost_of(folder, policy))
        if not isinstance(last, Finished) or after is None:
            message = getattr(last, "message", "") or "it was stopped"
            raise UserError(f"The release could not be measured again: {message}", getattr(last, "hint", ""))
    found = sorted(deltas(before, after), key=lambda delta: -delta.size)
    return Verification(str(contract["release"]), str(contract["status"]), tuple(found), costs)


def deltas(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Delta]:
    """Yield every number of two evidences that are of the same evaluation."""
    one, other = dict(_numbers(before)), dict(_numbers(after))
    for key in dict.fromkeys([*one, *other]):
        yield Delta(*key, one.get(key), other.get(key))


def _numbers(evidence: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str, str], float | None]]:
    for suite, measured in evidence["suites"].items():
        for kind in ("metrics", "differences"):
            for metric, arms in measured.get(kind, {}).items():
                for arm, row in arms.items():
                    for part in _PARTS:
                        if part in row:
                            name = metric if kind == "metrics" else f"{metric} (difference)"
                            yield (suite, name, arm, part), row[part]


def _placed(record: EvaluationRecord, own: str, run_dir: Path | None, workspace: Path | None) -> EvaluationRecord:
    """Return the request with its runs and sealed tests where they lie now."""
    arms = []
    for arm in record.arms:
        place = arm.run_dir and str(_run_place(arm, own, run_dir, workspace))
        if place and not Path(place).is_dir():
            raise NotFound(
                f"The run {arm.run_id[:8]} is not in {place}.", "Name its folder with --run, or its --workspace."
            )
        policy = arm.inputs.get("policy", "")
        if place and policy and policy_sha256(Path(place), arm.step, fresh=True) != policy:
            raise BadInput(f"The policy in {place} is not the one that was released.", "Name another with --run.")
        arms.append(replace(arm, run_dir=place))
    suites = tuple(_sealed_place(suite, workspace) for suite in record.suites)
    return replace(record, arms=tuple(arms), suites=suites)


def _run_place(arm: Arm, own: str, run_dir: Path | None, workspace: Path | None) -> Path:
    if run_dir is not None and arm.run_id == own:
        return Path(run_dir).resolve()
    place = Path(arm.run_dir)
    return Path(workspace).resolve() / "runs" / place.name if workspace is not None else place


def _sealed_place(suite: EvaluatedSuite, workspace: Path | None) -> EvaluatedSuite:
    """Return a suite with the sealed file of the workspace; the evaluator refuses one with other items."""
    if not suite.sealed:
        return suite
    file = Path(suite.sealed)
    if workspace is not None:
        file = Path(workspace).resolve() / file.parent.name / file.name
    if not file.is_file():
        raise NotFound(f"The sealed test {suite.title} is not in {file}.", "Name its workspace with --workspace.")
    return replace(suite, sealed=str(file), reason=f"{suite.reason} (the release is verified)")
