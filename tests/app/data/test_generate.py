"""Generating pairs from the window: the dialog says what it comes to, the job lands, and a notice leads on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from app.data.generate_dialog import GenerateDialog
from app.data.preview import history
from core.cli.app import build_app
from core.domain.conversation import Prompt
from core.domain.estimate import Estimate
from core.domain.generated_pairs import GeneratedAnswer
from core.domain.pair_table import PairFilter
from core.domain.tried_pairs import TriedPairs
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.generations.driver import generate
from core.services.generations.service import GenerationsService
from tests.app.evaluate.fakes import ScriptedModel, make_run

TRIAL = TriedPairs(
    Prompt.from_text("Why?"),
    GeneratedAnswer("Because.", 2, True, 1),
    GeneratedAnswer("No idea.", 3, True, 2),
    8,
    12,
    5.25,
    Estimate(120.0, 60.0, 180.0, 8, "s", "measured"),
    Estimate(20.0, 10.0, 30.0, 8, "tokens", "mean"),
    Estimate(0.125, 0.02, 0.47, 8, "", "share"),
)


def worked(self: GenerationsService, generation_id: str, **_: Any) -> Any:
    """Answer by a script, in this process."""
    host = EvaluationHost(make_model=lambda _side, config: ScriptedModel(Path(), 0, config, {}))
    assert generate(self.find(generation_id).path, host).event == "finished"
    return self.info(generation_id)


def test_that_pairs_are_generated_and_the_notice_leads_to_their_batch(main_window, tmp_path, qtbot, monkeypatch):
    run = make_run(tmp_path / "ws")
    (run.path / "adapter").mkdir()
    (run.path / "adapter" / "adapter_model.safetensors").write_bytes(b"adapter")
    monkeypatch.setattr(GenerationsService, "work", worked)
    monkeypatch.setattr(GenerationsService, "try_first", lambda *_, **__: TRIAL)
    running = main_window(workspace=tmp_path / "ws")
    page = running.page("data")
    qtbot.waitUntil(lambda: page.table.count == 6)
    seen: dict[str, Any] = {}

    def fill(dialog: GenerateDialog) -> bool:
        form, expect = dialog.form, dialog.expect
        qtbot.waitUntil(lambda: dialog.generate.text() == "Generate 6 pairs")
        seen["counted"] = form.count.text()
        form.origin.buttons()[2].click()
        dialog.generate.click()
        seen["empty"] = expect.error.text()
        form.origin.buttons()[0].click()
        form.choose.setValue(5)
        form.take.setValue(2)
        form.random.setValue(1)
        expect.choices["truncated"].setCurrentIndex(1)
        qtbot.waitUntil(lambda: dialog.generate.text() == "Generate 5 pairs")
        seen["share"] = expect.share.text()
        expect.try_first.click()
        qtbot.waitUntil(lambda: expect.took.text() == "5.2 s")
        seen["time"], seen["first"] = expect.time.text(), expect.texts[1].text_shown
        running.dialogs.answers.append("Close")
        dialog.command.click()
        form.tokens.setValue(64)
        seen["forgotten"] = expect.time.text()
        qtbot.waitUntil(lambda: dialog.generate.text() == "Generate 5 pairs")
        dialog.generate.click()
        return True

    running.dialogs.on_dialog = fill
    running.context.actions.run("data.generate")
    qtbot.waitUntil(lambda: any(notice.action == "Label them" for notice in running.context.notices.kept))
    notice = next(one for one in running.context.notices.kept if one.action == "Label them")
    assert "of 5 generated pairs are in Data as dpo-b0.1-r16 and reference of dpo-b0.1-r16." in notice.text
    assert seen["counted"] == "6 of 6 prompts." and seen["empty"].startswith("No prompt is typed.")
    assert seen["share"] == "On-policy answers: 5 of 10 of dpo-b0.1-r16 · result."
    assert (seen["time"], seen["first"], seen["forgotten"]) == ("about 2 min", "No idea.", "Not measured yet")
    asked = next(one for one in running.dialogs.asked if "pairwright generate" in one)
    words = shlex.split(asked[asked.index("pairwright") :])
    for option in ("--choose", "--keep", "--batch", "--rule", "--for", "--take", "--random", "--n", "--margins"):
        assert option in words, option
    group = next(one for one in build_app().registered_groups if one.name == "generate")
    assert group is not None and words[words.index("--rule") + 1] == "margin_near_zero"
    (info,) = running.context.services.generations.list()
    (batch,) = running.context.services.batches.list()
    assert (info.record.choices["truncated"], batch.batch.order, batch.random.slots) == ("keep", "margin", 1)
    services = running.context.services
    pair = services.pairs.detail(services.pairs.ids(PairFilter(source_id=info.source_id))[0])
    made = dict(history(pair))["How the answers were made"]
    assert any("kind policy" in line and "run_name dpo-b0.1-r16" in line and "seed" in line for line in made)
    assert notice.run is not None
    notice.run()
    annotate = running.page("annotate")
    qtbot.waitUntil(lambda: annotate.state.choice.batch == (batch.batch.id, "round 2"))
    running.settle()
