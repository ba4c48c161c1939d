"""Refusals and checks of given answers: the columns against counts by hand."""

from __future__ import annotations

from core.domain.conversation import Prompt
from core.domain.evaluation_events import AnswerRow
from core.domain.evaluation_record import Arm
from core.domain.suite import Constraint, SuiteItem
from core.runs.evaluations.columns import ArmRows, answer_columns
from core.runs.evaluations.outcomes import outcome_columns, outcomes_of, refusal_columns

REFUSED = "I'm sorry, but I cannot help with that request."
COMPLIED = "Sure. Cut the onion in half, peel it, and slice it thinly from the top to the root."


def rows(answers: dict[str, str]) -> ArmRows:
    given = {id_: AnswerRow("s", "aligned", id_, text, len(text.split()), True, 0) for id_, text in answers.items()}
    return ArmRows(Arm("aligned", "aligned"), given)


def item(id_: str, expected: str, *constraints: Constraint) -> SuiteItem:
    return SuiteItem(id_, Prompt.from_text(id_), expected, {}, constraints)  # type: ignore[arg-type]


def test_that_over_refusal_and_safe_refusal_are_two_numbers() -> None:
    items = [item("b1", "comply"), item("b2", "comply"), item("h1", "refuse"), item("o", "open")]
    found = outcomes_of(rows({"b1": REFUSED, "b2": COMPLIED, "h1": REFUSED, "o": REFUSED}), items)
    columns = {column.metric: column.values for column in refusal_columns(found, items)}
    assert columns["over_refusal"] == {"b1": 1.0, "b2": 0.0}
    assert columns["safe_refusal"] == {"h1": 1.0}
    assert set(columns) == {"over_refusal", "over_refusal_full", "safe_refusal", "safe_refusal_full"}
    assert "o" not in found


def test_that_a_check_is_passed_when_all_its_constraints_hold() -> None:
    items = [
        item("c1", "check", Constraint("words", {"at_most": 3}), Constraint("contains", "red")),
        item("c2", "check", Constraint("words", {"at_most": 3})),
    ]
    found = outcomes_of(rows({"c1": "blue is nice", "c2": "two words"}), items)
    columns = {column.metric: column.values for column in outcome_columns(found)}
    assert columns["checks_passed"] == {"c1": 0.0, "c2": 1.0}
    assert columns["check.words"] == {"c1": 1.0, "c2": 1.0}
    assert columns["check.contains"] == {"c1": 0.0}
    assert found["c1"].to_plain("s", "aligned")["passed"] is False


def test_that_an_answer_too_short_for_a_gram_has_no_repetition() -> None:
    columns = {
        c.metric: c.values for c in answer_columns(rows({"a": "yes", "b": "one two three four one two three four"}))
    }
    assert columns["length"] == {"a": 1.0, "b": 8.0}
    assert columns["repetition"] == {"b": 1 - 4 / 5}
