"""Functions that block, each in one way: the program that the tests of the UI thread's guard look at."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from pathlib import Path

from core.services.application import Application


def open_file(path: Path) -> None:
    """Open a file."""
    path.open(encoding="utf-8").close()


def list_folder(path: Path) -> None:
    """List a folder."""
    os.listdir(path.parent)


def open_database(path: Path) -> None:
    """Open a database."""
    sqlite3.connect(path.parent / "new.db").close()


def run_program(path: Path) -> None:
    """Run a program."""
    subprocess.run(["true"], check=True)


def wait_for_event(path: Path) -> None:
    """Wait for an event."""
    threading.Event().wait(0)


def wait_for_thread(path: Path) -> None:
    """Wait for a thread."""
    thread = threading.Thread()
    thread.start()
    thread.join()


def ask_service(services: Application) -> None:
    """Ask a service for what the database holds."""
    services.reviewers.list()
