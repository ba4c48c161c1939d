"""The option of every command that writes one file where the user says."""

from __future__ import annotations

from typing import Annotated

import typer

Replace = Annotated[bool, typer.Option("--replace", help="Replace the file to write if it is there.")]
