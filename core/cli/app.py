"""The root of the command line: all commands, one way to report errors, fixed exit codes.

0 ok, 1 failed, 2 wrong usage, 3 workspace or run in use. The workspace libraries are imported inside the commands that
open a workspace, so that all others start fast and work where no database library is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.models import CommandInfo

from core.cli import (
    adjudicate,
    batches,
    bundles,
    charter,
    chat,
    consent,
    datasets,
    demo,
    doctor,
    dossier,
    evaluations,
    export_run,
    feedback,
    frontier,
    generate,
    imports,
    inspect_prompt,
    judge,
    lab,
    models,
    pairs,
    proxies,
    qualification,
    quality,
    refusal,
    release_log,
    releases,
    reviewers,
    reweigh,
    rubrics,
    runs,
    suites,
    sweep,
    thresholds,
    train,
    votes,
    workspace,
)
from core.cli.child_programs import program_of, run_program
from core.cli.default_group import DefaultGroup
from core.cli.failures import bug, report, usage_message
from core.cli.output import say
from core.domain.errors import UserError, system_error
from core.version import VERSION

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_IN_USE = 0, 1, 2, 3
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for a wrong call; older versions take it from click, newer ones bring their own."""


def build_app() -> typer.Typer:
    """Return the typer application with every command."""
    app = typer.Typer(
        name="pairwright",
        help="Preference tuning on this machine: import, rubric, label, freeze, train, inspect.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_common_options)
    workspace.register(app)
    imports.register(app)
    app.add_typer(pairs.build(), name="pairs", cls=DefaultGroup)
    quality.register(app)
    qualification.register(app)
    reviewers.register(app)
    adjudicate.register(app)
    app.add_typer(rubrics.build(), name="rubric")
    app.add_typer(batches.build(), name="batch", cls=DefaultGroup)
    app.add_typer(bundles.build(), name="bundle", cls=DefaultGroup)
    datasets.register(app)
    app.add_typer(datasets.build(), name="datasets", cls=DefaultGroup)
    app.add_typer(generate.build(), name="generate", cls=generate.GenerateGroup)
    train.register(app)
    charter.register(app)
    sweep.register(app)
    app.add_typer(runs.build(), name="runs", cls=DefaultGroup)
    export_run.register(app)
    app.add_typer(models.build(), name="model")
    app.add_typer(suites.build(), name="suite")
    app.add_typer(feedback.build(), name="feedback", cls=DefaultGroup)
    app.add_typer(consent.build(), name="consent", cls=DefaultGroup)
    evaluations.register(app)
    inspect_prompt.register(app)
    lab.register(app)
    dossier.register(app)
    chat.register(app)
    judge.register(app)
    proxies.register(app)
    frontier.register(app)
    reweigh.register(app)
    releases.register(app)
    release_log.register(app)
    app.add_typer(release_log.build(), name="releases", cls=DefaultGroup)
    app.add_typer(releases.build_contract(), name="contract")
    app.add_typer(thresholds.build(), name="threshold")
    app.add_typer(votes.build(), name="votes", cls=DefaultGroup)
    app.add_typer(refusal.build(), name="refusal")
    demo.register(app)
    doctor.register(app)
    return app


def narrowed(app: typer.Typer, words: Sequence[str]) -> typer.Typer:
    """Keep only the command or group that the first word names; without such a word keep all.

    Making all of them takes a sixth of the time of a short command.
    """
    commands = [one for one in app.registered_commands if words and _name_of(one) == words[0]]
    groups = [one for one in app.registered_groups if words and one.name == words[0]]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups
    return app


def _name_of(command: CommandInfo) -> str:
    assert command.callback is not None
    return command.name or typer.main.get_command_name(command.callback.__name__)


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"pairwright {VERSION}")
        raise typer.Exit


def _common_options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options before the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; every error becomes one sentence."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if getattr(sys, "frozen", False) and (program := program_of(words)) is not None:
        run_program(*program)
        return EXIT_OK
    as_json = "--json" in words
    command = typer.main.get_command(narrowed(build_app(), words))
    try:
        code = command.main(args=words, prog_name="pairwright", standalone_mode=False)
    except UserError as error:
        return _fail(error, as_json)
    except _UsageError as error:
        # Without any words typer has already printed the help.
        if message := usage_message(error):
            report(message, "See --help.", as_json=as_json)
        return EXIT_USAGE
    except (KeyboardInterrupt, typer.Abort):
        report("Stopped. What was saved before is safe.", "", as_json=as_json)
        return EXIT_FAILED
    except BrokenPipeError:
        return EXIT_FAILED  # the reader of the output is gone
    except OSError as error:
        return _fail(system_error(error), as_json)
    except Exception as error:  # noqa: BLE001 - an error of the program also ends in one sentence and a log file
        return _fail(bug(error), as_json)
    return code if isinstance(code, int) else EXIT_OK


def _fail(error: UserError, as_json: bool) -> int:
    report(error.message, error.hint, as_json=as_json)
    return error.exit_code
