"""Making a release: one verified folder with policy, contract, cards, report and evidence, complete or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import durable
from core.domain.errors import BadInput, UserError
from core.domain.release_gate import STATE_WORDS, GateDecision
from core.private_files import make_folders
from core.runs.evaluations.folder import EVIDENCE, OUTCOMES, publish
from core.services.models.export import ExportForm, export_run
from core.services.releases import names as parts
from core.services.releases.contract import Signed
from core.services.releases.gate_facts import Judged
from core.services.releases.report import model_card, report_html
from core.unfinished import temporary_folder

Progress = Callable[[int, int, str], None]
_PLACES: dict[ExportForm, str] = {"adapter": parts.ADAPTER, "merged": parts.MERGED, "gguf": parts.GGUF}


@dataclass(frozen=True, slots=True)
class ReleaseParts:
    """What goes into the folder.

    Attributes:
        contract: content of ``contract.json``. dataset_card: Markdown; "" where the run has no dataset version.
        forms: in which the policy is written.
    """

    one: Judged
    decision: GateDecision
    contract: dict[str, Any]
    dataset_card: str
    forms: Sequence[ExportForm]


def checked_target(out: Path) -> Path:
    """Return where the release goes.

    Raises:
        BadInput: when something is there already.
    """
    target = Path(out).expanduser().absolute()
    if target.exists():
        raise BadInput(f"{target} exists already; nothing was released.", "Choose another name.")
    return target


def discard(target: Path) -> None:
    """Remove a release that :func:`write_release` has just made."""
    shutil.rmtree(target, ignore_errors=True)


def require_releasable(decision: GateDecision, signed: Signed) -> None:
    """Raise where a release may not be made.

    Raises:
        UserError: when nobody else approves it, or the gate did not pass and no reason is given to release despite it.
        BadInput: when the evaluation or its sealed test was altered, whatever reason is given.
    """
    approver, runner = signed.approver.strip(), signed.runner.strip()
    if not approver:
        raise UserError("Nobody approves this release; nothing was released.", "Name who does with --approver.")
    if approver.casefold() == runner.casefold():
        raise UserError(
            f"{approver} ran this evaluation and cannot approve its release; nothing was released.",
            "Ask somebody else to look and to approve.",
        )
    altered = [c for c in decision.checks if c.key in ("files", "sealed_test") and c.state == "failed"]
    if altered:
        reasons = " ".join(f"{check.title}: {check.reason} {check.needed}".strip() for check in altered)
        raise BadInput(
            f"Nothing was released. {reasons}", "No reason stands in for that: a contract must hold what was measured."
        )
    if decision.outcome != "passed" and not signed.despite:
        raise UserError(
            f"The gate says: {STATE_WORDS[decision.outcome]}. Nothing was released. {' '.join(decision.reasons)}",
            'Do what the reasons say, or release with --despite "reason", which every report will say first.',
        )


def write_release(
    target: Path,
    release: ReleaseParts,
    *,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> str:
    """Write the folder and return the sha256 of its manifest; nothing is left behind when that fails.

    Raises:
        NotFound: when the run has no result, or its base model is gone.
        StorageFull: when there is too little room.
        Cancelled: when ``cancelled`` became true.
    """
    one = release.one
    with ExitStack() as stack:
        with durable.clear_errors(target):
            make_folders(target.parent)
            scratch = stack.enter_context(temporary_folder(target.parent))
        for form in release.forms:
            export_run(one.run, scratch / _PLACES[form], form, on_progress=on_progress, cancelled=cancelled)
        publish(scratch / parts.EVALUATION, one.record, one.folder.items())
        for name in (EVIDENCE, OUTCOMES):
            if (one.folder.path / name).is_file():
                shutil.copyfile(one.folder.path / name, scratch / parts.EVALUATION / name)

        def fill(folder: Path) -> None:
            for made in list(scratch.iterdir()):
                shutil.move(made, folder / made.name)
            durable.write_json(folder / parts.CONTRACT, release.contract)
            durable.write_text(folder / parts.MODEL_CARD, model_card(release.contract, one, release.decision))
            if release.dataset_card:
                durable.write_text(folder / parts.DATASET_CARD, release.dataset_card)
            durable.write_text(folder / parts.REPORT, report_html(release.contract, one, release.decision))

        return durable.publish_folder(target, fill, identity={"release": release.contract["release"]})
