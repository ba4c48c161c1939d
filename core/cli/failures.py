"""Turn the errors of a command into one sentence, a hint and an exit code."""

from __future__ import annotations

import sys
import time

from core.cli.output import json_text, printable
from core.domain.errors import UserError
from core.error_report import error_report, safe_message
from core.paths import log_dir
from core.private_files import follow_folder, make_private_folder


def report(message: str, hint: str = "", *, as_json: bool = False) -> None:
    """Print on standard error what went wrong and what to do."""
    if as_json:
        text = json_text({"error": message, "hint": hint})
    else:
        text = f"Error: {message}" + (f"\n{hint}" if hint else "")
    print(printable(text, sys.stderr), file=sys.stderr, flush=True)


def usage_message(error: Exception) -> str:
    """Return what is wrong with the call; typer leaves ``message`` empty when a parameter is missing."""
    if message := str(getattr(error, "message", error)):
        return message
    names = list(getattr(getattr(error, "param", None), "opts", ()))
    if not names:
        return ""
    name = names[-1] if names[-1].startswith("-") else names[-1].upper()
    return f"{name} is missing."


def bug(error: Exception) -> UserError:
    """Return the sentence for an error of the program; its details go into a log file."""
    message = safe_message(error)
    what = f"{type(error).__name__}: {message}".splitlines()[0][:200] if message else type(error).__name__
    path = log_dir() / time.strftime("error-%Y%m%d-%H%M%S.log")
    try:
        make_private_folder(path.parent)
        path.write_text(error_report(error) + "\n", encoding="utf-8", errors="backslashreplace")
        follow_folder(path)
    except OSError:
        print(printable(error_report(error), sys.stderr), file=sys.stderr)
        return UserError(f"This is an error in Pairwright ({what}). What was saved before is safe.")
    return UserError(
        f"This is an error in Pairwright ({what}). What was saved before is safe.",
        f"Please report it with {path}.",
    )
