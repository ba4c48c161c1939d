"""Numbers of the evidence that need no model: memory, length, macros over slices; against hand and libraries."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from core.domain.conversation import Message, Prompt
from core.domain.evaluation_events import AnswerRow, KlRow, ScoreRow
from core.domain.evaluation_record import TRAINED, Arm, EvaluatedSuite, EvaluationRecord
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.measured_evidence import read_estimate
from core.domain.suite import SuiteItem
from core.runs.evaluations.columns import ArmRows, Column, answer_columns, preference_columns
from core.runs.evaluations.evidence import measure
from core.runs.evaluations.length_figures import length_figures, people_prefer_longer
from core.runs.evaluations.memory_figures import MeasuredPairs, memorisation, overlap
from core.runs.evaluations.slice_figures import slice_figures

ALIGNED, REFERENCE = Arm("aligned", "aligned"), Arm("reference", "reference")


def pairs(name: str, count: int) -> list[SuiteItem]:
    return [
        SuiteItem(
            f"{name}-{n}", Prompt((Message("user", f"{name} {n}?"),)), "preference", {"topic": "a" if n < 3 else "b"},
            (), "one two three four", "no",
        )
        for n in range(count)
    ]  # fmt: skip


def scored(items: list[SuiteItem], h: list[float], longer: list[int]) -> tuple[ArmRows, ArmRows]:
    """Return policy and reference whose h are these, and whose chosen answers are longer by so many tokens."""
    ours = {i.id: ScoreRow("s", "aligned", i.id, -10 + v, -10, 20 + d, 20) for i, v, d in zip(items, h, longer)}  # noqa: B905
    theirs = {i.id: ScoreRow("s", "reference", i.id, -10, -10, 20 + d, 20) for i, d in zip(items, longer)}  # noqa: B905
    return ArmRows(ALIGNED, {}, ours), ArmRows(REFERENCE, {}, theirs)


def groups(items: list[SuiteItem]) -> dict[str, str]:
    return {item.id: item.prompt.sha256 for item in items}


def test_that_what_training_pairs_have_over_held_out_ones_is_measured() -> None:
    rng = np.random.default_rng(1)
    train, other = pairs("train", 30), pairs("dev", 20)
    h, h_other = rng.normal(20, 5, 30).tolist(), rng.normal(2, 5, 20).tolist()
    known, beside = (
        MeasuredPairs(train, *scored(train, h, [0] * 30)),
        MeasuredPairs(other, *scored(other, h_other, [0] * 20)),
    )
    found = memorisation(known, beside, 0.1)
    losses = [[math.log1p(math.exp(-0.1 * v)) for v in values] for values in (h, h_other)]
    assert found["memorised_loss"].value == pytest.approx(np.mean(losses[0]) - np.mean(losses[1]))
    welch = stats.ttest_ind(losses[0], losses[1], equal_var=False).confidence_interval()
    assert found["memorised_loss"].low == pytest.approx(welch.low)
    by_scikit = roc_auc_score([1] * 30 + [0] * 20, [-v for v in losses[0] + losses[1]])
    assert found["membership_auc"].value == pytest.approx(by_scikit)
    assert found["memorised_h"].value == pytest.approx(np.mean(h) - np.mean(h_other))
    assert found["memorised_accuracy"].value == pytest.approx(np.mean(np.array(h) > 0) - np.mean(np.array(h_other) > 0))
    few = MeasuredPairs(other[:9], beside.own, beside.reference)
    assert memorisation(known, few, 0.1) == {}


def test_that_a_policy_that_equals_its_reference_remembers_nothing() -> None:
    train, other = pairs("train", 12), pairs("dev", 12)
    still = [MeasuredPairs(items, *scored(items, [0.0] * 12, [0] * 12)) for items in (train, other)]
    found = memorisation(still[0], still[1], 0.1)
    assert (found["memorised_loss"].value, found["membership_auc"].value) == (0.0, 0.5)
    assert found["memorised_loss"].why_no_interval == "all equal"


def test_that_words_of_the_trained_answer_are_counted_in_their_longest_run() -> None:
    (item,) = pairs("train", 1)
    answer = AnswerRow("training pairs", "aligned", item.id, "Well: TWO, three! and four", 6, True, 0)
    column = overlap([item], ArmRows(ALIGNED, {item.id: answer}))
    assert column.values == {item.id: 2 / 4}


class Kept:
    """A ledger that holds these rows."""

    def __init__(self, rows: dict[tuple[str, str], ArmRows]) -> None:
        self._rows = rows

    def answers(self, suite: str, arm: str) -> list[AnswerRow]:
        return list(self._of(suite, arm).answers.values())

    def scores(self, suite: str, arm: str) -> list[ScoreRow]:
        return list(self._of(suite, arm).scores.values())

    def kl_rows(self, suite: str, arm: str) -> list[KlRow]:
        return list(self._of(suite, arm).kl.values())

    def _of(self, suite: str, arm: str) -> ArmRows:
        return self._rows.get((suite, arm), ArmRows(ALIGNED))


def test_that_the_evidence_of_held_out_pairs_tells_what_was_memorised() -> None:
    rng = np.random.default_rng(6)
    train, other = pairs("train", 14), pairs("dev", 20)
    rows = {}
    for suite, items, mean in ((TRAINED, train, 12.0), ("dev v1", other, 1.0)):
        own, reference = scored(items, rng.normal(mean, 3, len(items)).tolist(), rng.integers(-5, 6, 20).tolist())
        texts = {"aligned": "one two three and more", "reference": "nothing of it"}
        for arm, found in (("aligned", own), ("reference", reference)):
            answers = {i.id: AnswerRow(suite, arm, i.id, texts[arm], 5, True, 0) for i in items}
            rows[suite, arm] = ArmRows(found.arm, answers, found.scores)
    place = {"run_dir": "run", "run_id": "r"}
    record = EvaluationRecord(
        "e", "e", 0, {"run_id": "r"}, {"beta": 0.1},
        (Arm("reference", "reference", **place), Arm("aligned", "aligned", **place)),
        (EvaluatedSuite("dev v1", "", 20, 20, 20, 20, "dataset"),), EvaluationConfig(), trained_pairs=14,
    )  # fmt: skip
    evidence, _ = measure(record, {"dev v1": other}, Kept(rows), (), train)  # type: ignore[arg-type]
    suite = evidence["suites"]["dev v1"]
    assert suite["metrics"]["membership_auc"]["aligned"]["value"] > 0.9 and "reference" not in suite["metrics"]["h"]
    assert suite["metrics"]["memorised_h"]["aligned"]["n"] == 34
    assert suite["metrics"]["verbatim_overlap"]["aligned"]["value"] == 3 / 4
    gained = suite["differences"]["verbatim_overlap"]["aligned"]
    assert (gained["value"], gained["n"], gained["lo"]) == (3 / 4, 14, None) and "all equal" in gained["estimator"]
    assert suite["metrics"]["prefers_longer"].keys() == {"people", "aligned"}
    json.dumps(evidence, allow_nan=False)


def test_that_length_explains_what_follows_it_alone() -> None:
    rng = np.random.default_rng(2)
    items, longer = pairs("pair", 200), rng.integers(-20, 21, 200).tolist()
    h = [0.3 * d + float(e) for d, e in zip(longer, rng.normal(0, 4, 200), strict=True)]
    own, reference = scored(items, h, longer)
    found = length_figures(own, preference_columns(own, reference, items), groups(items))
    agree = [(v > 0) == (d > 0) for v, d in zip(h, longer, strict=True) if d]
    assert found["prefers_longer"].value == pytest.approx(np.mean(agree)) and found["prefers_longer"].n == len(agree)
    assert found["h_length_correlation"].value == pytest.approx(stats.spearmanr(h, longer).statistic)
    assert found["h_length_correlation"].has_interval
    equal = found["accuracy_at_equal_length"]
    assert equal.low < 0.5 < equal.high and equal.estimator.startswith("accuracy at equal length")
    people = people_prefer_longer(reference, items, groups(items))
    assert people is not None
    assert people.value == pytest.approx(np.mean([d > 0 for d in longer if d]))
    assert people_prefer_longer(reference, items[:5], groups(items)) is None


def test_that_the_macro_weighs_large_slices_alike_and_the_alarm_is_told() -> None:
    items = [
        SuiteItem(f"i{n}", Prompt((Message("user", f"{n}"),)), "comply", {"topic": topic})
        for n, topic in enumerate(["a"] * 40 + ["b"] * 10 + ["c"] * 3)
    ]
    after = {item.id: float(n >= 40) for n, item in enumerate(items)}
    before = {item.id: float(n < 12) for n, item in enumerate(items)}
    columns = {
        "aligned": [Column("over_refusal", "share", "share", after, is_primary=True)],
        "reference": [Column("over_refusal", "share", "share", before, is_primary=True)],
    }
    slices, macros = slice_figures(columns, "reference", items, groups(items), 5)
    macro = read_estimate(macros["topic"]["over_refusal"]["aligned"])
    assert macro.value == pytest.approx((-12 / 40 + 10 / 10) / 2) and macro.n == 50
    assert slices["topic"]["c"]["too_small"] and not slices["topic"]["a"]["too_small"]
    row = slices["topic"]["a"]["differences"]["over_refusal"]["aligned"]  # 12 of 40 flipped
    needed = (1.959964 * math.sqrt(0.3) + 0.841621 * math.sqrt(0.3 - row["detectable"] ** 2)) ** 2
    assert needed / row["detectable"] ** 2 == pytest.approx(40, rel=1e-4)
    assert "fixed mix" not in macros["topic"]["over_refusal"]["aligned"]["alarm"]
    assert slice_figures(columns, "reference", items, groups(items), 500)[1] == {}


def test_that_answers_in_another_language_are_counted_where_one_is_expected() -> None:
    def row(name: str, text: str) -> AnswerRow:
        return AnswerRow("s", "aligned", name, text, 8, True, 0)

    items = [
        SuiteItem("one", Prompt((Message("user", "What is in the house of the king?"),)), "open"),
        SuiteItem("two", Prompt((Message("user", "?"),)), "open", {"language": "de"}),
        SuiteItem("three", Prompt((Message("user", "42"),)), "open"),
    ]
    texts = {"one": "Die Katze ist auf dem Dach.", "two": "Die Katze ist auf dem Dach.", "three": "Die Katze ist da."}
    answers = {name: row(name, text) for name, text in texts.items()}
    found = {column.metric: column.values for column in answer_columns(ArmRows(ALIGNED, answers), items)}
    assert found["other_language"] == {"one": 1.0, "two": 0.0}
    assert found["empty"] == {"one": 0.0, "two": 0.0, "three": 0.0}


def test_that_an_interval_without_width_of_an_older_evaluation_is_none() -> None:
    old = read_estimate({"value": 0.0, "lo": 0.0, "hi": 0.0, "n": 33, "unit": "", "estimator": "mean"})
    assert (old.has_interval, old.why_no_interval) == (False, "all equal")
