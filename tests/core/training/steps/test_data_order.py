"""The order in which a run visits its pairs."""

from __future__ import annotations

import pytest

from core.domain.errors import BadInput
from core.domain.run_config import RunConfig
from core.training.steps.data_order import DataOrder, total_steps


@pytest.mark.parametrize(
    ("pairs", "values", "expected"),
    [
        (24, {"batch_size": 4}, 6),
        (25, {"batch_size": 4}, 7),
        (24, {"batch_size": 4, "epochs": 1.5}, 9),
        (25, {"batch_size": 4, "epochs": 0.1}, 1),
        (24, {"batch_size": 4, "epochs": 3.0, "steps": 5}, 5),
        (3, {"batch_size": 8, "epochs": 2.0}, 2),
    ],
)
def test_that_steps_follow_from_epochs_unless_they_are_given(pairs: int, values: dict, expected: int) -> None:
    assert total_steps(pairs, RunConfig(**values)) == expected


def test_that_a_run_without_pairs_is_refused() -> None:
    with pytest.raises(BadInput):
        total_steps(0, RunConfig())


def test_that_each_epoch_visits_every_pair_once_in_its_own_order() -> None:
    order = DataOrder(10, RunConfig(batch_size=4, seed=3))
    epochs = [[i for step in range(1, 4) for i in order.batch(3 * epoch + step)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert [len(order.batch(step)) for step in (1, 2, 3, 4)] == [4, 4, 2, 4]


def test_that_the_order_follows_from_seed_and_step_alone() -> None:
    config = RunConfig(batch_size=4, seed=7)
    forward = [DataOrder(10, config).batch(step) for step in range(1, 10)]
    jumping = DataOrder(10, config)
    assert [jumping.batch(step) for step in (9, 2, 5)] == [forward[8], forward[1], forward[4]]
    assert DataOrder(10, RunConfig(batch_size=4, seed=8)).batch(1) != forward[0]


def test_that_file_order_is_kept_when_asked_for() -> None:
    order = DataOrder(5, RunConfig(batch_size=2, shuffle=False))
    assert [order.batch(step) for step in range(1, 5)] == [[0, 1], [2, 3], [4], [0, 1]]
    assert [order.epochs_done(step) for step in (0, 1, 3, 4)] == [0.0, 0.4, 1.0, 1.4]
