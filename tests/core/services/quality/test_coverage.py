"""Which clauses labels speak of, by source."""

from __future__ import annotations

from core.domain.rubric import ChangeLevel, Criterion, RubricBody, RubricState, RubricVersion
from core.services.quality.coverage import empty_cells, label_coverage
from core.services.quality.label_columns import columns_of
from core.store.quality_labels import QualityLabel


def answer(key: int, pair: int, source: int, criteria: str) -> QualityLabel:
    shown = ("label", "prefer", 1, criteria, "A", "commit")
    return QualityLabel(key, pair, pair, source, key % 2, 1, 1, *shown, None, None, key)


def test_that_a_clause_without_an_answer_for_a_source_is_an_empty_cell_and_a_pair_counts_once() -> None:
    clauses = (Criterion("a", "Steps", "?"), Criterion("b", "Safe", "?"))
    body = RubricBody(purpose="p", criteria=clauses)
    version = RubricVersion(1, 1, "R", "1.0.0", RubricState.PUBLISHED, ChangeLevel.MAJOR, "", body)
    labels = columns_of(
        [
            answer(1, 10, 1, '{"a":1,"b":-1}'),
            answer(2, 10, 1, '{"a":-1}'),
            answer(3, 11, 1, '{"a":0}'),
            answer(4, 12, 2, '{"a":2}'),
            answer(5, 13, 2, "{}"),
        ]
    )
    found = label_coverage(version, labels, {1: "one", 2: "two"})
    table = found.table
    assert table.cells == {("a", "1"): 2, ("a", "2"): 1, ("b", "1"): 1, ("b", "2"): 0}
    assert table.all_of == {"a": 3, "b": 1} and table.sizes == {"1": 2, "2": 2}
    assert table.slices == (("1", "one"), ("2", "two")) and table.clauses == (("a", "Steps"), ("b", "Safe"))
    assert found.pairs["a", "1"] == (11, 10) and found.pairs["a", ""] == (12, 11, 10)
    assert empty_cells(table) == [("Safe", "two")]
