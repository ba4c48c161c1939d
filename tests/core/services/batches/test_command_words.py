"""The command line of a batch draws what the form draws."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.batch import BatchPolicy
from core.domain.pair_table import PairFilter
from core.services.batches.command_words import command_line
from tests.fakes.workspaces import opened, person


@pytest.mark.parametrize(
    "policy",
    [
        BatchPolicy((1, 2)),
        BatchPolicy((2, 1), (3,), PairFilter("question", "any", source_id=1, tag="hard"), 5, "import", 7,
                    second_share=0.5, third=False, gold_share=0, retest_share=0.25, relabel=True),
    ],
)  # fmt: skip
def test_that_the_command_line_of_a_form_plans_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: BatchPolicy
) -> None:
    with opened(tmp_path / "a place", 8) as app:
        names = {1: "Ann", 2: person(app.store, "Bo Derek").name, 3: person(app.store, "Cy").name}
        app.pairs.tags.change([2, 3, 4, 5, 6, 7], 1, add=["hard"])
        plan = app.batches.plan(1, policy)
    text = command_line("June", "Helpful 1.0.0", policy, names, str(tmp_path / "a place"))
    assert main([*shlex.split(text)[1:], "--plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"event": "batch_plan", **plan.to_plain()}


def test_that_a_command_line_leaves_out_what_is_usual() -> None:
    usual = command_line("June", "Helpful 1.0.0", BatchPolicy((1,)), {1: "Ann"})
    assert usual == "pairwright batch create WORKSPACE --name June --rubric 'Helpful 1.0.0' --reviewer Ann"
    odd = BatchPolicy((1,), order="suspects", runs=("r1",), random_share=0.5, filter=PairFilter(label="any"))
    words = command_line("June", "Helpful 1.0.0", odd, {1: "Ann"})
    assert words.endswith("--label any --order suspects --run r1 --random-share 0.5")
