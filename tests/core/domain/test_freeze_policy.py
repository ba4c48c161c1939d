from __future__ import annotations

from typing import Any

import pytest

from core.domain.dataset import FreezePolicy, root_sha256
from core.domain.errors import BadInput


def test_that_a_policy_survives_plain_values() -> None:
    policy = FreezePolicy((3, 1), aggregation="majority", max_spread=2, keep_ties=True, agreement_weights=True, seed=7)
    assert FreezePolicy.from_plain(policy.to_plain()) == policy


def test_that_settings_that_came_later_change_no_older_hash() -> None:
    assert not {"strength_targets", "agreement_weights"} & set(FreezePolicy().to_plain())
    assert FreezePolicy(strength_targets=True).to_plain()["strength_targets"] is True


def test_that_one_id_or_flag_may_stand_for_a_list() -> None:
    policy = FreezePolicy.from_plain({"rubric_version_ids": 4, "drop_flags": "pii"})
    assert (policy.rubric_version_ids, policy.drop_flags) == ((4,), ("pii",))


def test_that_a_number_gives_one_hash_however_it_is_written() -> None:
    whole = FreezePolicy.from_plain({"min_strength": 1, "max_spread": 2, "splits": [1, 0, 0]})
    assert root_sha256(whole, [], []) == root_sha256(
        FreezePolicy(min_strength=1.0, max_spread=2.0, splits=(1.0, 0.0, 0.0)), [], []
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rubric_version_ids", "all"),
        ("reviewer_ids", [1, "two"]),
        ("source_ids", True),
        ("aggregation", "sum"),
        ("aggregation", ["mean"]),
        ("min_strength", "strong"),
        ("min_strength", float("nan")),
        ("min_strength", -1),
        ("min_strength", 4),
        ("max_spread", -1),
        ("keep_ties", "maybe"),
        ("drop_flags", ["nonsense"]),
        ("require_consent", 1),
        ("splits", 1),
        ("splits", [0.5, 0.5]),
        ("splits", [0.5, 0.6, 0.1]),
        ("splits", [1.5, -0.5, 0.0]),
        ("seed", 0.5),
        ("soft_targets", None),
        ("no_such_setting", 1),
    ],
)
def test_that_a_setting_of_the_wrong_kind_is_named(key: str, value: Any) -> None:
    with pytest.raises(BadInput) as refused:
        FreezePolicy.from_plain({key: value})
    assert key in refused.value.message or "split shares" in refused.value.message
