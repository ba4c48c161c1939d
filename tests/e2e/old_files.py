"""The files of ``tests/golden/ce1f908``, unpacked into a folder of the test and made to know where they lie now."""

from __future__ import annotations

import json
import shutil
import tarfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "ce1f908"
MADE_AT = "/tmp/ce1f908"
"""Where the files lay when they were made; ``run.json`` names the model and the adapter there."""


@cache
def facts() -> dict[str, Any]:
    """Return what the code of commit ce1f908 said of its files."""
    return json.loads((GOLDEN / "facts.json").read_text(encoding="utf-8"))


def unpack(place: Path) -> Path:
    """Unpack the files into ``place`` and return it, with models named where they lie now."""
    with tarfile.open(GOLDEN / "files.tar.xz") as archive:
        archive.extractall(place, filter="data")
    for run in (*place.glob("workspace/runs/*"), place / "bare-run"):
        _name_models(run, place)
    return place


def copy(old: Path, place: Path) -> Path:
    """Copy unpacked files to ``place``, for a test that writes, and return it."""
    shutil.copytree(old, place)
    for run in (*place.glob("workspace/runs/*"), place / "bare-run"):
        _name_models(run, place, str(old))
    return place


def _name_models(run: Path, place: Path, before: str = MADE_AT) -> None:
    """Change where a run finds its model and adapter, as someone must who moved them to another folder.

    A run names them by absolute paths in ``run.json``, whose hash stands in the manifest. Nothing else in the run
    folder is touched: the fingerprint and the checkpoints go by the content of a model, not by its place.
    """
    record, manifest = run / "run.json", run / "MANIFEST.json"
    plain = json.loads(record.read_text(encoding="utf-8"))
    plain["model_dir"] = plain["model_dir"].replace(before, str(place))
    plain["config"]["init_adapter"] = plain["config"]["init_adapter"].replace(before, str(place))
    record.write_text(json.dumps(plain), encoding="utf-8")
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    content = record.read_bytes()
    entries["files"]["run.json"] = {"size": len(content), "sha256": sha256(content).hexdigest()}
    manifest.write_text(json.dumps(entries), encoding="utf-8")
