"""Train: the form says what is wrong, and builds the request of what is right."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from app.train.charter_words import CharterSources
from app.train.fields import advanced_groups, main_settings
from app.train.presenter import check_rows, default_name, text_of, total_line
from core.domain.changes import Outcome
from core.domain.charter import BenignSuiteNeeded, Charter
from core.domain.errors import BadInput
from core.domain.losses import LOSS_ROWS
from core.domain.model_info import ModelInfo
from core.domain.preflight_report import Check, PreflightReport
from core.domain.run_config import SETTINGS, RunConfig
from core.domain.run_events import GateReport
from core.domain.suite import SuiteInfo
from tests.patience import LIMIT_S

GOLDEN = Path(__file__).parents[2] / "golden" / "model"


@pytest.fixture
def page(main_window, tmp_path):
    """Return the page of an empty workspace."""
    running = main_window(workspace=tmp_path / "ws", create=True)
    made = running.page("train")
    running.settle()
    return made


def test_that_a_setting_out_of_bounds_is_named_and_start_is_off(page):
    field = page.form.inputs["beta"]
    field.setText("minus one")
    field.editingFinished.emit()
    assert "Beta" in page.form.error_text and not page.form.error.isHidden()
    sentence = page.form._fields["beta"].sentence
    assert sentence.text() == "This must be a number." and sentence.property("type") == "error"
    assert not page.context.actions.action("train.start").isEnabled()


def test_that_every_loss_has_a_tooltip_with_its_formula_and_source(page):
    box = page.form.inputs["loss"]
    for index, (key, row) in enumerate(LOSS_ROWS.items()):
        assert box.itemText(index) == key
        assert box.itemData(index, Qt.ItemDataRole.ToolTipRole) == f"{row.title}: {row.formula} ({row.source})"
    assert box.count() == len(LOSS_ROWS)


def test_that_nothing_starts_without_data_and_model(page):
    assert not page.context.actions.action("train.start").isEnabled()
    with pytest.raises(BadInput):
        page.request()


def test_that_the_request_carries_what_the_form_says(page):
    page.datasets.addItem("mine 1", 7)
    page.datasets.setCurrentIndex(page.datasets.count() - 1)
    page.models.addItem("tiny", "/models/tiny")
    page.models.setCurrentIndex(page.models.count() - 1)
    page.form.inputs["beta"].setText("0.25")
    page.form.inputs["beta"].editingFinished.emit()
    page.charter.target.setText("Shorter answers")
    request = page.request()
    assert request.dataset_id == 7 and request.model_path == "/models/tiny"
    assert request.config.beta == 0.25 and request.name == "dpo-b0.25-lr1e-05-r16"
    assert request.charter.target_behaviour == "Shorter answers"
    assert request.charter.gaps() == [] and request.charter.benign_suite == "look-alikes v1"
    assert page.context.actions.action("train.start").isEnabled()


def test_that_label_smoothing_can_be_left_to_what_was_measured(page):
    page.datasets.addItem("mine 1", 7)
    page.models.addItem("tiny", "/models/tiny")
    page.datasets.setCurrentIndex(0)
    page.models.setCurrentIndex(0)
    field = page.form.inputs["label_smoothing"]
    field.setText("Measured")
    field.editingFinished.emit()
    assert page.form.error_text == ""
    assert page.request().measured_smoothing
    field.setText("0.1")
    field.editingFinished.emit()
    assert not page.request().measured_smoothing
    assert page.request().config.label_smoothing == 0.1


@pytest.fixture
def ready(page):
    """Return the page with a dataset version and a model chosen."""
    page.datasets.addItem("mine 1", 7)
    page.datasets.setCurrentIndex(page.datasets.count() - 1)
    page.models.addItem("tiny", "/models/tiny")
    page.models.setCurrentIndex(page.models.count() - 1)
    page._edited()
    return page


REPORT = PreflightReport(
    checks=(
        Check("model", "ok", "tiny is safe to load."),
        Check("tokens", "ok", "Half of the rows below 40."),
        Check("memory", "bad", "The run will take about 90 GiB.", "Lower micro_batch."),
        Check("time", "ok", "20 steps."),
    ),
    gate=GateReport(True, 0.6931, 0.6931, 0.0),
    total_steps=20,
    step_seconds=0.5,
    eta_s=40.0,
    memory_bytes=90 * 2**30,
    device="cpu",
    forward="lean",
)


REPORT_OF_REFUSALS = PreflightReport(checks=(Check("refusals", "bad", "90 % refuse.", "Name a benign suite."),))


def test_that_the_form_has_a_field_for_every_setting(page):
    shown = [*main_settings(), *(one for settings in advanced_groups().values() for one in settings)]
    assert [setting.name for setting in shown] == list(page.form.inputs)
    assert page.form.inputs.keys() == SETTINGS.keys()
    texts = {name: field.text() for name, field in page.form.inputs.items() if isinstance(field, QLineEdit)}
    assert texts["warmup"] == text_of(RunConfig().warmup), "a field that is made late shows what was set before"


def test_that_a_field_is_named_and_explained_as_the_setting_is_declared(page):
    field, setting = page.form.inputs["batch_size"], SETTINGS["batch_size"]
    assert field.accessibleName() == "Batch size"
    assert field.toolTip() == f"{setting.hint} (batch_size)"


def test_that_a_changed_setting_is_counted_and_leaves_the_preset(page):
    assert page.presets.value == "standard" and page.form.changes.text() == ""
    page.form.inputs["warmup"].setText("0.2")
    page.form.inputs["warmup"].editingFinished.emit()
    assert page.presets.value is None
    assert page.form.changes.text() == "1 setting changed: Warm-up"
    page.presets.buttons()[0].click()
    assert page.form.config().steps == 30 and page.presets.value == "quick"


def test_that_the_preflight_tells_the_dry_step_before_memory_and_the_time_in_seconds():
    rows = check_rows(REPORT)
    assert [title for _, title, _ in rows] == ["Model", "Tokens", "Dry step", "Memory", "Time"]
    assert "forward pass lean" in rows[2][2] and "0.6931 = its closed form" in rows[2][2]
    assert rows[3] == ("bad", "Memory", "The run will take about 90 GiB. Lower micro_batch.")
    assert total_line(REPORT) == "20 steps · about 40 s on cpu · about 90.0 GiB"


def test_that_a_run_the_preflight_warns_of_starts_only_when_said_so(ready):
    ready._checked(REPORT)
    ready.context.dialogs.answers.append("Cancel")
    ready.ways.start()
    assert "Memory" in ready._blocked
    assert ready.context.dialogs.asked == ["Start all the same?: The preflight says that this run would fail."]


def test_that_a_run_is_started_where_the_setting_says(ready, qtbot, monkeypatch):
    service, started = ready.context.services.runs, []
    monkeypatch.setattr(service, "create", lambda request: Outcome(SimpleNamespace(run_id="r9")))
    monkeypatch.setattr(service, "start", lambda run_id, host: started.append((run_id, host)))
    ready.context.settings.set("train.host", "thread")
    ready.ways.start()
    qtbot.waitUntil(lambda: started == [("r9", "thread")])
    qtbot.waitUntil(lambda: not ready.context.tasks.busy)


def test_that_add_to_queue_makes_a_run_that_waits_and_starts_nothing(ready, qtbot, monkeypatch):
    services, added = ready.context.services, []
    monkeypatch.setattr(
        services.queue,
        "add",
        lambda request: added.append(request) or Outcome(SimpleNamespace(run_id="r9", name="mine")),
    )
    monkeypatch.setattr(services.runs, "start", lambda *_: added.append("started"))
    ready.context.actions.action("train.queue").trigger()
    qtbot.waitUntil(lambda: added == [ready.request()])
    qtbot.waitUntil(lambda: not ready.context.tasks.busy)


def test_that_reading_the_lists_again_keeps_the_preflight_and_an_edit_takes_it_away(ready):
    ready._checked(REPORT)
    ready._edited()
    assert ready.preflight.total.text()
    ready.form.inputs["beta"].setText("0.3")
    ready.form.inputs["beta"].editingFinished.emit()
    assert not ready.preflight.total.text() and not ready._blocked


def test_that_one_check_runs_at_a_time_and_its_result_is_only_shown_for_its_settings(ready, qtbot, monkeypatch):
    gate, asked = threading.Event(), []

    def preflight(request, **words):
        asked.append(request.config.beta)
        gate.wait(LIMIT_S)
        return REPORT

    monkeypatch.setattr(ready.context.services.runs, "preflight", preflight)
    action = ready.context.actions.action("train.preflight")
    ready.check()
    ready._edited()
    assert not action.isEnabled()
    ready.form.inputs["beta"].setText("0.3")
    ready.form.inputs["beta"].editingFinished.emit()
    assert not action.isEnabled(), "the first one has not ended"
    gate.set()
    qtbot.waitUntil(lambda: not ready.context.tasks.busy)
    assert action.isEnabled() and ready.preflight.total.text() == "" and not ready._blocked


def test_that_checks_show_as_they_are_found_and_a_start_ends_the_check(ready, qtbot, monkeypatch):
    gate, ended = threading.Event(), []

    def preflight(request, *, on_check, cancelled, **words):
        on_check(Check("model", "ok", "Safe to load."))
        on_check(Check("tokens", "warn", "Half of the rows are long."))
        gate.wait(LIMIT_S)
        ended.append(cancelled())
        return REPORT

    monkeypatch.setattr(ready.context.services.runs, "preflight", preflight)
    ready.check()
    qtbot.waitUntil(
        lambda: [row.text() for row in ready.preflight.findChildren(QLabel) if row.text() == "Tokens"] != []
    )
    monkeypatch.setattr(ready.context.ops, "mutate", lambda *_, **__: None)
    ready.ways.start()
    gate.set()
    qtbot.waitUntil(lambda: not ready.context.tasks.busy)
    assert ended == [True]


def test_that_a_default_name_differs_from_those_of_other_runs():
    config = RunConfig()
    first = default_name(config)
    assert first == "dpo-b0.1-lr1e-05-r16"
    assert default_name(config, {first}) == f"{first}-2"
    assert default_name(config, {first, f"{first}-2"}) == f"{first}-3"


def test_that_a_number_is_typed_with_all_its_digits():
    assert [text_of(v) for v in (0.1 / 3, 5e-5, 2.0, 7, True)] == ["0.03333333333333333", "5e-05", "2", "7", "yes"]


def test_that_a_model_without_a_chat_template_is_trained_on_plain_text(ready):
    tiny = ModelInfo(1, "tiny", Path("/models/tiny"), parameters=112_000, context=512)
    ready.model_choice.show_models([tiny], None)
    ready._model_chosen()
    ready._edited()
    assert ready.request().config.template == "none"
    assert ready.model_choice._about.text().startswith("112k parameters · context 512 · no chat template")


def test_that_the_command_line_can_be_copied(ready, qtbot, monkeypatch):
    monkeypatch.setattr(type(ready.context.services.runs), "command_line", lambda self, request: "pairwright train WS")
    ready.context.dialogs.answers.append("Copy")
    ready.ways.show_command_line()
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text() == "pairwright train WS")


def test_that_nothing_is_downloaded_before_it_was_named_and_download_was_pressed(page, monkeypatch, qtbot):
    asked, service = [], type(page.context.services.models)

    def download(self, repo, **words):
        asked.append(repo)
        raise BadInput("The hub cannot be reached.")

    monkeypatch.setattr(service, "download", download)
    for answers in (
        [3, None],
        [
            3,
            "",
        ],
        [3, "ann/model", "Cancel"],
    ):
        page.context.dialogs.answers.extend(answers)
        page.model_choice.add()
    assert asked == [] and not page.context.tasks.busy
    page.context.dialogs.answers.extend([3, "ann/model", "Download"])
    page.model_choice.add()
    qtbot.waitUntil(lambda: not page.context.tasks.busy)
    assert asked == ["ann/model"]


def test_that_an_added_model_is_chosen(page, qtbot):
    page.context.dialogs.answers.extend([0, GOLDEN])
    page.model_choice.add()
    qtbot.waitUntil(lambda: page.models.currentData() == str(GOLDEN))
    assert page.form.config().template == "none"


def test_that_the_starter_model_is_offered_and_made_when_it_is_first_needed(ready, qtbot, monkeypatch):
    offer = ModelInfo(0, "starter", Path("/home/starter"), "starter", has_template=True)
    made, started = [], []

    def ensure_starter(self, on_progress=None, cancelled=None):
        made.append(ready.model_choice.path)
        return Outcome(offer)

    monkeypatch.setattr(type(ready.context.services.models), "ensure_starter", ensure_starter)
    monkeypatch.setattr(ready.ways, "start", lambda: started.append(ready.request().model_path))
    ready.model_choice.show_models([], offer)
    ready._edited()
    assert "converted once" in ready.model_choice._about.text()
    ready.context.actions.action("train.start").trigger()
    qtbot.waitUntil(lambda: started == ["/home/starter"])
    assert made == ["/home/starter"]


def test_that_a_preset_says_what_it_sets(page):
    page._take_preset("careful")
    assert page.preset_about.text().startswith("Careful: Learning rate 5e-06; Beta (β) 0.2; ")
    page.form.set_value("beta", "0.3")
    assert page.preset_about.text() == "Own settings, of no preset."


def test_that_an_unanswered_question_keeps_the_run_from_starting_and_has_the_keyboard(ready, monkeypatch):
    posted = []
    monkeypatch.setattr(ready.context.notices, "post", lambda text, *more, **words: posted.append(text))
    monkeypatch.setattr(ready.context.services.runs, "create", lambda _: pytest.fail("it was made"))
    ready.charter.target.setText("")
    ready.charter.target.textEdited.emit("")
    ready.ways.start()
    assert posted == ["Before Start: It names no target behaviour."] == [ready.charter.gaps.text()]
    assert ready.window().focusWidget() is ready.charter.target


def test_that_a_run_on_refusals_is_told_what_to_add_and_led_to_it(ready, qtbot, monkeypatch):
    def create(_request):
        raise BenignSuiteNeeded("90 % of 20 chosen answers refuse.", "Name one in the charter.")

    posted = []
    monkeypatch.setattr(ready.context.services.runs, "create", create)
    monkeypatch.setattr(
        ready.context.notices, "post", lambda text, level, **more: posted.append((text, more["action"], more["run"]))
    )
    ready.charter.benign.setCurrentIndex(0)
    ready.charter.benign.activated.emit(0)
    assert ready.request().charter.benign_suite == ""
    ready.ways.start()
    qtbot.waitUntil(lambda: posted != [])
    text, action, lead = posted[0]
    assert (text, action) == ("90 % of 20 chosen answers refuse.", "Go to the benign suite")
    lead()
    assert ready.window().focusWidget() is ready.charter.benign
    ready._checked(REPORT_OF_REFUSALS)
    (button,) = [b for b in ready.preflight.findChildren(QPushButton) if b.text() == "Go to the benign suite"]
    ready.charter.target.setFocus()
    button.click()
    assert ready.window().focusWidget() is ready.charter.benign


def test_that_the_charter_follows_the_data_until_somebody_edits_it(page):
    suites = [
        SuiteInfo(0, "look-alikes", 2, "", {"comply": 150}, "built-in"),
        SuiteInfo(1, "mine", 1, "", {"open": 9}, "import"),
    ]
    first = CharterSources({"train": 50, "dev": 40, "test": 35}, suites, ("Helpful v2",), "hh v1")
    page.charter.set_sources(first)
    found = page.charter.charter()
    assert (found.target_behaviour, found.variable) == ("Answers that people prefer under Helpful v2", "dev.accuracy")
    assert (found.examples, found.benign_suite, found.planned_items) == (("dev", "test"), "look-alikes v2", 35)
    assert [box.text() for box in page.charter.examples.values()][:3] == [
        "training pairs (50 pairs)",
        "held out (40 pairs)",
        "sealed test (35 pairs)",
    ]
    page.charter.target.setText("Kind answers")
    page.charter.target.textEdited.emit("Kind answers")
    page.charter.set_sources(CharterSources({"train": 50}, suites))
    assert page.charter.charter().target_behaviour == "Kind answers"
    assert page.charter.charter().examples == () and "names no examples" in page.charter.gaps.text()


def test_that_the_charter_of_another_run_is_shown_as_it_was_written(page):
    page.charter.set_sources(CharterSources({"train": 9, "dev": 9}, (), (), "d v1"))
    written = Charter(
        "Shorter answers",
        "length",
        variable="loss",
        examples=("dev",),
        rule="threshold harm v2",
        better="lower",
        margin=12.5,
        test="no_loss",
        refusal_share=0.35,
        planned_items=40,
        planned_judgements=85,
        kl_budget=4.0,
        answer_seconds=1.5,
        memory_gib=6.0,
    )
    page.charter.set_charter(written)
    assert page.charter.charter() == written
