"""The ``pairwright`` command: the window, or any command of ``core.cli``.

Without arguments, or with a workspace folder, it opens the window; other arguments go to the command line. Each way
imports what it needs inside its function: the command line must run without Qt, and the window must open before the
database libraries, torch and the command line are loaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from core.domain.errors import UserError


def wants_window(args: Sequence[str]) -> bool:
    """Whether these arguments ask for the window: none, or one that is a workspace folder or its file."""
    if not args:
        return True
    if len(args) > 1 or args[0].startswith("-"):
        return False
    path = Path(args[0]).expanduser()
    return path.is_dir() or path.name == "workspace.db" or any(mark in args[0] for mark in ("/", "\\"))


def run_window(workspace: Path | None) -> int:
    """Show the window until it is closed; returns the exit code."""
    # Qt is imported for the window only, so that a command starts quickly and runs where Qt has no screen.
    from app import bootstrap, errors
    from app.single_instance import raise_other_window
    from core.paths import log_dir

    app = bootstrap.make_application(sys.argv[:1])
    if workspace is not None and raise_other_window(workspace):
        return 0
    errors.start_logging(log_dir())
    crash = errors.last_crash(log_dir())
    kept = errors.start_faulthandler(log_dir())
    running = bootstrap.build(app)
    running.errors.install()
    if crash:
        running.context.notices.post("Pairwright ended unexpectedly last time.", "warn", hint="What was saved is safe.")
    bootstrap.start(running, workspace)
    try:
        return app.exec()
    finally:
        running.close()
        if kept is not None:
            kept.close()


def main() -> None:
    """Entry point of the ``pairwright`` command."""
    args = sys.argv[1:]
    if wants_window(args):
        sys.exit(run_window(Path(args[0]).expanduser() if args else None))
    if args[0] == "demo" and set(args[1:]) <= {"--reset"}:
        sys.exit(show_demo(reset="--reset" in args))
    from core.cli.app import main as command_line  # loads typer, which the window does not need

    code = command_line(args)
    if code == 0 and args[0] == "demo" and "--headless" in args:
        draw_demo(args)
    sys.exit(code)


def show_demo(*, reset: bool) -> int:
    """Show the window on the user's copy of the demo; returns the exit code, also where the copy cannot be made."""
    from core.cli.failures import report  # the window needs no command line
    from core.services.demo.opening import open_demo  # loads the database libraries, for this command only

    try:
        folder = open_demo(reset=reset)
    except UserError as error:
        report(error.message, error.hint)
        return error.exit_code
    return run_window(folder)


def draw_demo(args: Sequence[str]) -> None:
    """Draw the plots of the run into the folder that ``demo --headless --out DIR`` wrote."""
    from app.run_pictures import draw_run  # loads Qt and the plots, for this command only

    place = next((a.partition("=")[2] for a in args if a.startswith("--out=")), "")
    out = Path(place or args[list(args).index("--out") + 1])
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    files = draw_run(out / "workspace", summary["run"], out)
    if "--json" not in args:
        print("plots: " + ", ".join(path.name for path in files), flush=True)


if __name__ == "__main__":
    main()
