"""The lock files hold everything that is installed, within the ranges of pyproject.toml, each with its hashes."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.scripts import ROOT, load

PACKAGING = ROOT / "packaging"
LOCKS = ("requirements.lock", "requirements-cuda.lock", "starter.lock")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    """The script that writes the locks, as a module."""
    return load("lock")


def pinned(lock: ModuleType, *names: str) -> list[Requirement]:
    """Every pin of these lock files."""
    texts = [(PACKAGING / name).read_text() for name in names]
    return [Requirement(line) for text in texts for line in lock.kept_versions(text).splitlines()]


def blocks(name: str) -> dict[str, list[str]]:
    """The hashes that a lock file gives, under the line they belong to."""
    found: dict[str, list[str]] = {}
    for line in (PACKAGING / name).read_text().splitlines():
        word = line.strip().removesuffix("\\").strip()
        if line.startswith(" "):
            found[list(found)[-1]].append(word)
        elif not line.startswith("#"):
            found[word] = []
    return found


def versions_here(pins: list[Requirement]) -> dict[str, str]:
    """The version that the pins give each library on this platform."""
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here}


def wanted(groups: tuple[str, ...]) -> list[Requirement]:
    """The dependencies of pyproject.toml: those of the program and of these groups."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    words = [*project["dependencies"], *(word for group in groups for word in project["optional-dependencies"][group])]
    return [Requirement(word) for word in words]


@pytest.mark.parametrize(
    ("name", "groups"), [("requirements.lock", ("test", "dev")), ("requirements-cuda.lock", ("test", "dev", "quant"))]
)
def test_that_every_dependency_is_locked_within_its_range(lock: ModuleType, name: str, groups: tuple[str, ...]) -> None:
    versions = versions_here(pinned(lock, name))
    outside = [
        f"{need} is locked at {versions.get(canonicalize_name(need.name), 'no version')}: run packaging/lock.py"
        for need in wanted(groups)
        if not need.specifier.contains(versions.get(canonicalize_name(need.name), "0"))
    ]
    assert outside == []


def test_that_what_the_dependencies_need_in_turn_is_locked_too(lock: ModuleType) -> None:
    versions = versions_here(pinned(lock, "requirements.lock"))
    found: dict[str, set[str]] = {}
    left = [(canonicalize_name(need.name), extra) for need in wanted(("test", "dev")) for extra in (*need.extras, "")]
    while left:
        name, extra = left.pop()
        if extra in found.setdefault(name, set()):
            continue
        found[name].add(extra)
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                left += [(canonicalize_name(need.name), inner) for inner in (*need.extras, "")]
    cuda = {name for name in found if lock.CUDA_NAME.match(name)}
    assert set(found) - cuda - set(versions) == set()


@pytest.mark.parametrize("name", LOCKS)
def test_that_every_pin_is_exact_and_has_hashes(name: str) -> None:
    found = blocks(name)
    assert [pin for pin, hashes in found.items() if not hashes or not all(map(HASH.match, hashes))] == []
    assert [pin for pin in found if not re.match(r"^[a-z0-9-]+==[\w.+]+( ; .+)?$", pin)] == []


def test_that_torch_is_locked_with_its_cpu_build_on_linux_and_by_the_index_elsewhere(lock: ModuleType) -> None:
    torch = {pin: hashes for pin, hashes in blocks("requirements.lock").items() if pin.startswith("torch==")}
    cpu = [line.split("  ") for line in (PACKAGING / "torch-cpu.sha256").read_text().splitlines()]
    assert set(torch) == {
        f"torch=={lock.TORCH} ; sys_platform != 'linux'",
        f"torch=={lock.TORCH}+cpu ; sys_platform == 'linux'",
    }
    assert any(name.endswith("-cp311-cp311-manylinux_2_28_x86_64.whl") for _, name in cpu)
    assert torch[f"torch=={lock.TORCH}+cpu ; sys_platform == 'linux'"] == sorted(f"--hash=sha256:{d}" for d, _ in cpu)


def test_that_only_the_lock_for_nvidia_holds_cuda_libraries(lock: ModuleType) -> None:
    cuda = [pin for pin in blocks("requirements-cuda.lock") if lock.CUDA_NAME.match(pin)]
    assert any(pin.startswith("nvidia-cublas==") for pin in cuda)
    assert [pin for pin in blocks("requirements.lock") if lock.CUDA_NAME.match(pin)] == []


@pytest.mark.parametrize(
    ("wheel", "expected"),
    [
        ("filelock-4.2.11-py3-none-any.whl", True),
        ("six-1.17.0-py2.py3-none-any.whl", True),
        ("torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl", True),
        ("psutil-7.2.2-cp36-abi3-manylinux2010_x86_64.manylinux_2_12_x86_64.whl", True),
        ("ruff-0.17.6-py3-none-macosx_11_0_arm64.whl", True),
        ("numpy-2.5.5-cp314-cp314t-manylinux_2_28_x86_64.whl", False),
        ("numpy-2.5.5-cp310-cp310-manylinux_2_28_x86_64.whl", False),
        ("ruff-0.17.6-py3-none-musllinux_1_2_x86_64.whl", False),
        ("ruff-0.17.6-py3-none-macosx_10_12_x86_64.whl", False),
        ("numpy-2.5.5-cp312-cp312-win32.whl", False),
    ],
)
def test_that_only_wheels_of_supported_pythons_and_platforms_are_locked(
    lock: ModuleType, wheel: str, expected: bool
) -> None:
    assert lock.may_be_installed(wheel) is expected


def test_that_a_source_archive_is_locked_only_where_there_is_no_wheel(lock: ModuleType) -> None:
    wheel = '{ url = "https://host/a-1-py3-none-any.whl", hashes = { sha256 = "w" } }'
    sdist = 'sdist = { url = "https://host/a-1.tar.gz", hashes = { sha256 = "s" } }'
    package = '[[packages]]\nname = "a"\nversion = "1"\n'
    assert [pin.hashes for pin in lock.pins_of(f"{package}{sdist}\nwheels = [{wheel}]\n")] == [("w",)]
    assert [pin.hashes for pin in lock.pins_of(f"{package}{sdist}\n")] == [("s",)]


def test_that_a_lock_without_its_hashes_keeps_versions_and_markers(lock: ModuleType) -> None:
    pins = [lock.Pin("a", "1", "", ("1",)), lock.Pin("b", "2", "sys_platform == 'linux'", ("3", "2"))]
    text = "# said\n" + "".join(pin.text() for pin in pins)
    assert text.endswith("'linux' \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n")
    assert lock.kept_versions(text) == "a==1\nb==2 ; sys_platform == 'linux'\n"
