"""A wheel of this source tree and an environment of its own to run it in, with the libraries of this interpreter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.scripts import ROOT

SOURCES = ("app", "core", "resources", "pyproject.toml", "README.md")
SHORT_DEMO = tuple(
    word
    for setting in ("steps=1", "batch_size=2", "max_length=64", "probe_pairs=1", "kl_prompts=1", "kl_max_new_tokens=2")
    for word in ("--set", setting)
)
"""Settings that make the demo's run as short as it can be."""


def build_wheel(folder: Path) -> Path:
    """Build the wheel of a copy of the sources, so that no earlier build adds files; return it."""
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", str(source), "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "-w", str(folder)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, a folder to work in that lies elsewhere, and a home of its own."""

    environment: Path
    cwd: Path
    home: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def command(self) -> Path:
        """The ``pairwright`` command."""
        return self.python.with_name("pairwright.exe" if os.name == "nt" else "pairwright")

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a program in the working folder, as a user whose shell knows nothing of the source tree."""
        unset = ("PYTHONPATH", "PYTHONSAFEPATH", "HF_HUB_OFFLINE", "DISPLAY", "WAYLAND_DISPLAY")
        env = {key: value for key, value in os.environ.items() if key not in unset}
        env |= {"PAIRWRIGHT_HOME": str(self.home), "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [str(word) for word in words], cwd=self.cwd, env=env, capture_output=True, text=True, check=False
        )

    def pairwright(self, *words: object) -> str:
        """Run the ``pairwright`` command and return what it printed; it must succeed."""
        done = self.run(self.command, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def install(wheel: Path, folder: Path) -> Installed:
    """Install the wheel into a new environment that also sees the libraries of this interpreter."""
    made = Installed(folder / "environment", folder / "elsewhere", folder / "home")
    venv.create(made.environment, with_pip=False)
    command = [sys.executable, "-m", "pip", "--python", str(made.python), "install", "--no-deps", "--no-index"]
    subprocess.run([*command, "--quiet", str(wheel)], check=True, capture_output=True)
    found = subprocess.run(
        [made.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    libraries = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    Path(found.stdout.strip(), "libraries.pth").write_text("\n".join(libraries) + "\n")
    for name in ("app", "core", "resources"):  # a project that happens to have such folders
        (made.cwd / name).mkdir(parents=True)
        (made.cwd / name / "__init__.py").write_text("raise RuntimeError('this is another package')\n")
    return made
