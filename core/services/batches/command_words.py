"""The command line that makes the same batch as a form of the window."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from core.domain.batch import BatchPolicy

_SHARES = (("second_share", "--second"), ("gold_share", "--gold"), ("retest_share", "--retest"))


def command_line(
    name: str, rubric: str, policy: BatchPolicy, names: Mapping[int, str], workspace: str = "WORKSPACE"
) -> str:
    """Return the call of ``pairwright batch create`` that draws the same slots; what is usual is left out.

    Args:
        name: of the batch.
        rubric: title of the rubric version.
        policy: of the batch.
        names: reviewer -> name, of all in the policy.
        workspace: its folder.
    """
    usual = BatchPolicy((1,))
    words = ["pairwright", "batch", "create", workspace, "--name", name, "--rubric", rubric]
    words += [word for key in policy.reviewers for word in ("--reviewer", names[key])]
    words += [word for key in policy.adjudicators for word in ("--adjudicator", names[key])]
    asked = policy.filter
    words += ["--text", asked.text] if asked.text else []
    words += ["--source", str(asked.source_id)] if asked.source_id is not None else []
    words += ["--tag", asked.tag] if asked.tag else []
    words += ["--label", asked.label] if asked.label != "none" else []
    words += [word for key in asked.pair_ids or () for word in ("--pair", str(key))]
    words += ["--limit", str(policy.limit)] if policy.limit else []
    words += ["--order", policy.order] if policy.order != usual.order else []
    words += [word for run in policy.runs for word in ("--run", run)]
    words += ["--seed", str(policy.seed)] if policy.seed else []
    for key, option in _SHARES:
        value = getattr(policy, key)
        words += [option, f"{value:g}"] if value != getattr(usual, key) else []
    words += ["--random-share", f"{policy.random_share:g}"] if policy.random_share != usual.random_share else []
    words += [] if policy.third else ["--no-third"]
    words += ["--relabel"] if policy.relabel else []
    return shlex.join(words)
