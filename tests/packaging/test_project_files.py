"""The files beside the code agree with it: hooks, workflow, changelog, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from core.version import VERSION
from tests.packaging.scripts import ROOT, load

PAGES = ("README.md", "packaging/CHANGELOG.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_that_pre_commit_runs_every_check_of_ci() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = {hook["id"]: hook["entry"] for hook in local["hooks"]}
    assert entries == {name: f"python3 packaging/bootstrap.py checks {name}" for name in load("bootstrap").CHECKS}


def test_that_the_hosted_workflow_runs_ci_on_the_oldest_python_and_a_newer_one() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["checks-and-tests"]
    oldest = (ROOT / ".python-version").read_text().strip()
    assert job["strategy"]["matrix"]["python"] == [oldest, "3.12"]
    assert f'requires-python = ">={oldest}"' in (ROOT / "pyproject.toml").read_text()
    assert {"run": "bash .ci/run"} in job["steps"]


def test_that_the_hosted_workflow_installs_the_libraries_of_the_window() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert set(workflow["env"]["QT_SYSTEM_LIBRARIES"].split()) == set(load("bootstrap").QT_LIBS.values())


@pytest.mark.parametrize("path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name)
def test_that_issue_templates_are_readable(path: Path) -> None:
    assert yaml.safe_load(path.read_text())


def test_that_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+)$", (ROOT / "packaging/CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == VERSION
    assert headings[-1] == "0.1.0"


@pytest.mark.parametrize("page", PAGES)
def test_that_links_lead_to_files_of_the_tree(page: str) -> None:
    path = ROOT / page
    broken = [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert broken == []
