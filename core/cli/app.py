"""The root of the command line: all commands, one way to report errors, fixed exit codes.

0 ok, 1 failed, 2 wrong usage, 3 workspace or run in use. Command modules import only what costs nothing;
services, store and engine are imported inside the commands, so that ``train --pairs`` needs no database
library and listing runs needs no torch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import typer

from core.cli.default_group import DefaultGroup
from core.domain.errors import UserError

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_IN_USE = 0, 1, 2, 3
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for a wrong call; older versions take it from click, newer ones bring their own."""


def build_app() -> typer.Typer:
    """Return the typer application with every command."""
    from core.cli import demo, doctor, models, runs, train, workspace

    app = typer.Typer(
        name="pairwright",
        help="Preference tuning on this machine: import, rubric, label, freeze, train, inspect.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    workspace.register(app)
    train.register(app)
    app.add_typer(runs.build(), name="runs", cls=DefaultGroup)
    app.add_typer(models.build(), name="model")
    demo.register(app)
    doctor.register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; nothing but a bug leaves a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    command = typer.main.get_command(build_app())
    try:
        code = command.main(args=words, prog_name="pairwright", standalone_mode=False)
    except UserError as error:
        report(error.message, error.hint, as_json=as_json)
        return error.exit_code
    except _UsageError as error:
        # Without any words typer has printed the help already and complains with an empty message.
        if message := getattr(error, "message", str(error)):
            report(message, "See --help.", as_json=as_json)
        return EXIT_USAGE
    except (KeyboardInterrupt, typer.Abort):
        report("Stopped.", "", as_json=as_json)
        return EXIT_FAILED
    return code if isinstance(code, int) else EXIT_OK


def report(message: str, hint: str = "", *, as_json: bool = False) -> None:
    """Say on standard error what went wrong and what to do."""
    if as_json:
        print(json.dumps({"error": message, "hint": hint}, ensure_ascii=False), file=sys.stderr, flush=True)
    else:
        print(f"Error: {message}" + (f"\n{hint}" if hint else ""), file=sys.stderr, flush=True)
