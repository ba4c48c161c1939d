"""Train: the form says what is wrong, and builds the request of what is right."""

from __future__ import annotations

import pytest

from core.domain.errors import BadInput


@pytest.fixture
def page(main_window, tmp_path):
    """Return the page of an empty workspace."""
    desk = main_window(workspace=tmp_path / "ws", create=True)
    made = desk.page("train")
    desk.settle()
    return made


def test_that_a_setting_out_of_bounds_is_named_and_start_is_off(page):
    field = page.form._inputs["beta"]
    field.setText("minus one")
    field.editingFinished.emit()
    assert "beta" in page.form.error_text and not page.form.error.isHidden()
    assert not page.context.actions.action("train.start").isEnabled()


def test_that_nothing_starts_without_data_and_model(page):
    assert not page.context.actions.action("train.start").isEnabled()
    with pytest.raises(BadInput):
        page.request()


def test_that_the_request_carries_what_the_form_says(page):
    page.datasets.addItem("mine 1", 7)
    page.datasets.setCurrentIndex(page.datasets.count() - 1)
    page.models.addItem("tiny", "/models/tiny")
    page.models.setCurrentIndex(page.models.count() - 1)
    page.form._inputs["beta"].setText("0.25")
    page.form._inputs["beta"].editingFinished.emit()
    page.target.setText("Shorter answers")
    page.regression.setText("No refusals more")
    request = page.request()
    assert request.dataset_id == 7 and request.model_path == "/models/tiny"
    assert request.config.beta == 0.25 and request.name == "dpo-b0.25-r16"
    assert request.charter.target_behaviour == "Shorter answers"
    assert page.context.actions.action("train.start").isEnabled()


def test_that_label_smoothing_can_be_left_to_what_was_measured(page):
    page.datasets.addItem("mine 1", 7)
    page.models.addItem("tiny", "/models/tiny")
    page.datasets.setCurrentIndex(0)
    page.models.setCurrentIndex(0)
    field = page.form._inputs["label_smoothing"]
    field.setText("Measured")
    field.editingFinished.emit()
    assert page.form.error_text == ""
    assert page.request().measured_smoothing
    field.setText("0.1")
    field.editingFinished.emit()
    assert not page.request().measured_smoothing
    assert page.request().config.label_smoothing == 0.1
