from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.domain.errors import BadInput, ModelRefused
from core.durable import publish_folder
from core.model_files.identity import model_sha256
from core.model_files.model_info import chat_template, describe
from tests.tiny_models import CHAT_TEMPLATE


@pytest.fixture
def folder(tiny_llama_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_llama_dir, tmp_path / "model"))


def test_that_the_facts_come_from_the_files(folder: Path) -> None:
    facts = describe(folder)
    assert (facts.parameters, facts.context, facts.vocabulary, facts.dtype) == (41120, 512, 400, "float32")
    assert facts.sha256 == model_sha256(folder)
    assert facts.template_sha256
    assert facts.licence == ""


def test_that_the_template_is_found_in_each_of_its_places(folder: Path) -> None:
    assert chat_template(folder) == CHAT_TEMPLATE
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    for stored in (CHAT_TEMPLATE, [{"name": "rag", "template": "x"}, {"name": "default", "template": CHAT_TEMPLATE}]):
        (folder / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": stored}))
        assert chat_template(folder) == CHAT_TEMPLATE
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": None}))
    assert chat_template(folder) == ""


def test_that_the_licence_is_read_from_the_card_or_the_manifest(folder: Path, tmp_path: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Model\n")
    assert describe(folder).licence == "apache-2.0"
    (folder / "README.md").write_text("license: evil text, no front matter")
    assert describe(folder).licence == ""
    (folder / "README.md").unlink()

    def fill(target: Path) -> None:
        shutil.copytree(folder, target, dirs_exist_ok=True)

    publish_folder(tmp_path / "made", fill, identity={"licence": "mit"})
    assert describe(tmp_path / "made").licence == "mit"


def test_that_a_template_that_only_refuses_system_turns_is_no_reason_to_refuse_the_model(folder: Path) -> None:
    strict = "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}" + CHAT_TEMPLATE
    (folder / "chat_template.jinja").write_text(strict)
    assert describe(folder).template_sha256


def test_that_missing_and_hostile_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        describe(tmp_path / "nowhere")
    (folder / "chat_template.jinja").write_text("{{ 'x' * 99999999999 }}")
    with pytest.raises(ModelRefused, match="template"):
        describe(folder)
