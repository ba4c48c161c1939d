"""The evaluator process: ``python -m core.runs.evaluations.worker EVALUATION_DIR``.

It works on one evaluation at low priority and continues after the window that started it was closed, unless
``--die-with-parent`` is given. SIGTERM means cancel: the answers so far are kept.
"""

from __future__ import annotations

import sys

from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.folder_worker import work_on_folder


def main(arguments: list[str] | None = None) -> int:
    """Work on one evaluation; return 0 when it finished or was cancelled, 1 when it failed, or a user error's code."""
    return work_on_folder(
        "core.runs.evaluations.worker",
        lambda path, signals, reset: evaluate(path, EvaluationHost(signals=signals, reset=reset)),
        arguments,
    )


if __name__ == "__main__":
    sys.exit(main())
