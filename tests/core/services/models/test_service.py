from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.changes import Changes
from core.domain.errors import BadInput, ModelRefused, NotFound, UserError
from core.domain.model_info import ModelInfo
from core.durable import publish_folder
from core.model_files.identity import model_sha256
from core.services.application import Application
from core.services.models import conversion, worker
from core.services.models import service as models_module
from core.training.export.gguf import export_gguf
from tests.fakes.fresh import fresh
from tests.tiny_models import save_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """A workspace on a machine without the starter model, whose children work in this process."""
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "home"))

    def here(task: str, *, online: bool = False, on_progress: Any = None, cancelled: Any = None, **rest: Any) -> Path:
        del online, cancelled  # there is no child whose network or end they could decide
        return Path(worker.make({"task": task, **rest}, on_progress or (lambda *_: None)))

    monkeypatch.setattr(conversion, "make_in_child", here)
    monkeypatch.setattr(models_module, "make_in_child", here)
    with fresh(tmp_path / "ws") as opened:
        yield opened


def test_that_a_folder_is_registered_where_it_lies_with_its_facts(app: Application, tiny: Path) -> None:
    outcome = app.models.add_folder(tiny)
    info = outcome.value
    assert outcome.changes is Changes.MODELS
    assert (info.name, info.path, info.kind, info.model_type) == ("tiny-llama", tiny, "folder", "llama")
    assert info.sha256 == model_sha256(tiny)
    assert info.parameters == 41120
    assert (info.context, info.has_template, info.available) == (512, True, True)
    assert app.models.list() == [info]
    assert app.models.get(info.id) == info
    assert app.models.find("tiny-llama") == info


def test_that_adding_a_folder_twice_keeps_one_entry(app: Application, tiny: Path) -> None:
    first = app.models.add_folder(tiny).value
    assert app.models.add_folder(tiny).value.id == first.id
    assert len(app.models.list()) == 1


def test_that_two_folders_of_one_name_get_two_names(app: Application, tiny: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny, tmp_path / "other" / "tiny-llama"))
    app.models.add_folder(tiny)
    assert app.models.add_folder(other).value.name == "tiny-llama (2)"


def test_that_a_hostile_folder_is_refused_and_not_registered(app: Application, tiny: Path, tmp_path: Path) -> None:
    bad = Path(shutil.copytree(tiny, tmp_path / "bad"))
    (bad / "modeling.py").write_text("print()")
    with pytest.raises(ModelRefused):
        app.models.add_folder(bad)
    endless = Path(shutil.copytree(tiny, tmp_path / "endless"))
    (endless / "chat_template.jinja").write_text("{% for i in range(99999) %}{{ 'x' * 999 }}{% endfor %}")
    with pytest.raises(ModelRefused, match="template"):
        app.models.add_folder(endless)
    mute = Path(shutil.copytree(tiny, tmp_path / "mute"))
    (mute / "tokenizer.json").unlink()
    with pytest.raises(ModelRefused, match=r"mute lacks tokenizer\.json"):
        app.models.add_folder(mute)
    with pytest.raises(BadInput):
        app.models.add_folder(tmp_path / "nowhere")
    assert app.models.list() == []


def test_that_a_gguf_file_becomes_a_folder_of_the_workspace(app: Application, tiny: Path, tmp_path: Path) -> None:
    export_gguf(tiny, tmp_path / "small.gguf", kind="f32")
    seen: list[str] = []
    info = app.models.add_gguf(tmp_path / "small.gguf", "My model!", lambda *told: seen.append(told[2])).value
    assert info.path == app.folder / "models" / "My-model"
    assert (info.name, info.kind, info.origin) == ("My model!", "gguf", "small.gguf")
    assert info.parameters == 41120
    assert seen[-1] == "Ready"
    with pytest.raises(BadInput, match="already a model folder"):
        app.models.add_gguf(tmp_path / "small.gguf", "My model!")
    with pytest.raises(BadInput, match="is a file"):
        app.models.add_folder(tmp_path / "small.gguf")


def test_that_what_is_no_gguf_file_is_refused_at_once(app: Application, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"nothing like it, but long enough to read")
    with pytest.raises(ModelRefused):
        app.models.add_gguf(tmp_path / "x.gguf")
    with pytest.raises(BadInput):
        app.models.add_gguf(tmp_path / "none.gguf")


def test_that_the_starter_is_listed_once_it_is_there_and_registered_when_used(app: Application, tiny: Path) -> None:
    assert app.models.list() == []
    with pytest.raises(NotFound):
        app.models.find("starter")
    target = models_module.starter_model_dir()
    target.parent.mkdir(parents=True)
    publish_folder(target, lambda folder: shutil.copytree(tiny, folder, dirs_exist_ok=True) and None)
    (listed,) = app.models.list()
    assert (listed.id, listed.kind, listed.path) == (0, "starter", target)
    made = app.models.ensure_starter().value
    assert made.id > 0
    assert app.models.list() == [made]
    assert app.models.find("starter") == made


def test_that_a_missing_starter_package_says_what_to_do(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.model_files import starter

    monkeypatch.setattr(starter, "starter_gguf", lambda: None)
    with pytest.raises(NotFound, match="not installed") as caught:
        app.models.ensure_starter()
    assert "pip install" in caught.value.hint


def test_that_a_model_whose_folder_is_gone_stays_listed_as_missing(
    app: Application, tiny: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "mine"))
    info = app.models.add_folder(folder, "Mine").value
    shutil.rmtree(folder)
    assert [(m.name, m.available) for m in app.models.list()] == [("Mine", False)]
    assert app.models.forget(info.id).value.name == "Mine"
    assert app.models.list() == []
    with pytest.raises(NotFound):
        app.models.get(info.id)


def test_that_a_download_is_checked_and_registered_with_its_commit(
    app: Application, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    from core.durable import verify_folder

    class Info:
        sha = "c0ffee"

    def fetch(repo: str, *, revision: str, local_dir: Path, allow_patterns: list[str]) -> None:
        assert (repo, revision) == ("owner/tiny", "c0ffee")
        assert not any(p.endswith((".bin", ".py", ".pt")) for p in allow_patterns)
        shutil.copytree(tiny, local_dir, dirs_exist_ok=True)
        (local_dir / ".cache").mkdir()

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: Info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    info = app.models.download("owner/tiny").value
    assert (info.kind, info.origin, info.path) == ("download", "owner/tiny", app.folder / "models" / "tiny")
    assert verify_folder(info.path)["revision"] == "c0ffee"


def test_that_a_failed_download_leaves_nothing(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(UserError, match="could not be fetched"):
        app.models.download("owner/tiny")
    assert not (app.folder / "models" / "tiny").exists()
    assert app.models.list() == []


@pytest.mark.parametrize("repo", ["", "tiny", "a/b/c", "../etc/passwd", "owner/..", "http://x/y", "owner/ti ny"])
def test_that_only_owner_and_name_can_be_downloaded(app: Application, repo: str) -> None:
    with pytest.raises(BadInput, match="no model name of the hub"):
        app.models.download(repo)


def test_that_checking_and_adding_a_folder_load_no_torch(tiny: Path, tmp_path: Path) -> None:
    fresh(tmp_path / "ws").close()
    script = (
        "import sys, pathlib\n"
        "from core.services.application import Application\n"
        f"with Application.open(pathlib.Path({str(tmp_path / 'ws')!r})) as app:\n"
        f"    app.models.add_folder(pathlib.Path({str(tiny)!r}))\n"
        "    app.models.list()\n"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_that_a_child_process_answers_for_the_starter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "home" / "models" / "SmolLM2-135M-Instruct"
    target.mkdir(parents=True)
    (target / "mine.txt").write_text("mine")
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "home"))
    with pytest.raises(BadInput, match="nothing was changed"):
        conversion.starter_model()


def test_that_sizes_are_written_as_people_say_them() -> None:
    def text(parameters: int) -> str:
        return ModelInfo(0, "m", Path("m"), parameters=parameters).size_text

    assert [text(n) for n in (134_515_008, 1_710_000_000, 41_120, 0)] == ["135M", "1.7B", "41k", ""]
