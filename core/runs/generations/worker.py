"""The process of a generation: ``python -m core.runs.generations.worker GENERATION_DIR``.

It works on one generation at low priority. SIGTERM means cancel: the answers so far are kept.
"""

from __future__ import annotations

import sys

from core.runs.evaluations.hosting import EvaluationHost
from core.runs.folder_worker import work_on_folder
from core.runs.generations.driver import generate


def main(arguments: list[str] | None = None) -> int:
    """Work on one generation; return 0 when it finished or was cancelled, 1 when it failed, or a user error's code."""
    return work_on_folder(
        "core.runs.generations.worker",
        lambda path, signals, reset: generate(path, EvaluationHost(signals=signals, reset=reset)),
        arguments,
    )


if __name__ == "__main__":
    sys.exit(main())
