"""Print what becomes of every family of models: ``python -m tests.core.training.family_table [NAME ...]``.

Each family trains three steps on rows of up to some 340 tokens, by the forward pass that the engine chooses. Its step
losses are compared with those of a plain loop (one unpadded row a call, float32); its KL is measured at the end, and
its adapter is copied and merged, each read back and compared by logits.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.errors import UserError
from core.domain.pair import TrainingPair
from core.domain.run_events import Failed, Finished, KlDone, RunEvent, Warned
from core.runs.hosting.probes import StandardProbe
from core.training.export.adapter import copy_adapter
from core.training.export.merged import export_merged
from tests.core.training.plain_loop import PLAIN, plain_losses
from tests.core.training.tiny_runs import run, steps_of
from tests.tiny_families import BY_HAND, FAMILIES, save_family
from tests.tiny_models import tiny_pairs


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """What was found for one family.

    Attributes:
        forward: the pass that was taken, or how the run ended.
        deviation: largest difference of a step loss from the plain loop.
        kl: nats per response at the end, or why there is none. export: of adapter and merged model.
        note: why no faster pass was taken.
    """

    name: str
    forward: str
    deviation: float = float("nan")
    kl: str = "-"
    export: str = "-"
    note: str = ""

    def line(self) -> str:
        """Return the row of a Markdown table."""
        return f"| {self.name} | {self.forward} | {self.deviation:.0e} | {self.kl} | {self.export} | {self.note} |"


def family_pairs() -> list[TrainingPair]:
    """Pairs of very different lengths: rows of 30 to 340 tokens."""
    pairs = tiny_pairs(6)
    return [replace(pair, chosen=pair.chosen * (1 + 5 * (i % 3))) for i, pair in enumerate(pairs)]


def family_row(name: str, folder: Path) -> FamilyRow:
    """Train one family in ``folder`` and return what was found."""
    model_dir = save_family(folder / "model", name)
    config = PLAIN.with_values({"lora_targets": BY_HAND.get(name, "all-linear"), "forward": "auto"})
    measured = config.with_values({"kl_every": 3, "kl_prompts": 3, "kl_max_new_tokens": 6})
    pairs = family_pairs()
    settings = measured.to_plain()
    events = run(model_dir, folder / "run", pairs=pairs, probe=StandardProbe(), **settings)
    last = events[-1]
    if not isinstance(last, Finished):
        assert isinstance(last, Failed)
        return FamilyRow(name, last.kind, note=last.message.splitlines()[0])
    plain = plain_losses(model_dir, config, pairs)
    off = max(abs(step.loss - want) for step, want in zip(steps_of(events), plain, strict=True))
    note = next((e.message for e in events if isinstance(e, Warned) and e.code == "forward"), "")
    return FamilyRow(
        name, last.summary["forward"], off, _kl(events), exports(model_dir, Path(last.adapter_path), folder), note
    )


def _kl(events: list[RunEvent]) -> str:
    found = [e.kl for e in events if isinstance(e, KlDone)]
    told = [e.message for e in events if isinstance(e, Warned) and e.code in ("no_kl", "probe_failed")]
    return f"{found[-1]:.2f}" if found and not told else (told or ["none"])[0][:90]


def exports(model_dir: Path, adapter: Path, folder: Path) -> str:
    """Return "adapter, merged", or what refused one of them."""
    done = []
    for form, export in (("adapter", copy_adapter), ("merged", export_merged)):
        try:
            export(model_dir, adapter, folder / form)
        except UserError as error:
            return ", ".join([*done, f"no {form}: {error.message[:80]}"])
        done.append(form)
    return ", ".join(done)


def main(names: list[str]) -> int:
    """Print the table."""
    print("| family | forward | deviation | KL | export | why not faster |\n|---|---|---|---|---|---|", flush=True)
    for name in names or FAMILIES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                row = family_row(name, Path(folder))
            except Exception as error:  # noqa: BLE001 (a family that fails is a row of the table)
                row = FamilyRow(name, f"{type(error).__name__}: {str(error).splitlines()[0][:90]}")
        print(row.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
