"""The evaluator process: ``python -m core.runs.evaluations.worker EVALUATION_DIR``.

It works on one evaluation at low priority and continues after the window that started it was closed, unless
``--die-with-parent`` is given. SIGTERM means cancel: the answers so far are kept.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from core.domain.errors import UserError
from core.domain.run_events import Finished
from core.runs.evaluations.driver import EvaluationHost, evaluate
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.priority import lower_priority
from core.runs.worker import die_with_parent


def main(arguments: list[str] | None = None) -> int:
    """Work on one evaluation; return 0 when it finished or was cancelled, 1 when it failed, or a user error's code."""
    parser = argparse.ArgumentParser(prog="python -m core.runs.evaluations.worker", description="Work on a folder.")
    parser.add_argument("folder")
    parser.add_argument("--die-with-parent", action="store_true", help="cancel when the parent process ends")
    parser.add_argument("--keep-control", action="store_true", help="keep the requests in control.json")
    given = parser.parse_args(arguments)
    path = Path(given.folder)
    lower_priority()
    if given.die_with_parent:
        die_with_parent(EvaluationFolder(path).control)
    try:
        last = evaluate(path, EvaluationHost(signals=(signal.SIGTERM,), reset=not given.keep_control))
    except UserError as error:
        print(f"{error.message} {error.hint}".rstrip(), file=sys.stderr, flush=True)
        return error.exit_code
    return 0 if isinstance(last, Finished) else 1


if __name__ == "__main__":
    sys.exit(main())
