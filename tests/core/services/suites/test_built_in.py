"""The built-in suites: their counts, ids and categories, that no prompt stands twice, that their checks can be kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.errors import BadInput
from core.domain.suite import Suite, SuiteItem
from core.domain.text_form import prompt_keys
from core.domain.text_language import LANGUAGES, text_language
from core.evaluation.constraints import check_answer, checked_constraint
from core.paths import resources_dir
from core.services.application import Application
from core.services.suites.built_in import built_in_suites
from core.services.suites.columns import SuiteChoices
from core.services.suites.computed_slices import length_bin
from core.services.suites.suite_file import read_suite_file
from tests.core.services.suites.good_answers import GOOD, good_answer
from tests.fakes.workspaces import opened

FOLDER = resources_dir() / "suites"
SUITES = {suite.name: suite for suite in built_in_suites()}
ITEMS = [(suite.name, item) for suite in built_in_suites() for item in suite.items]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with opened(tmp_path_factory.mktemp("suites") / "ws") as app:
        yield app


@pytest.mark.parametrize(
    ("name", "items", "expected", "categories", "each"),
    [
        ("look-alikes", 120, "comply", 10, {12}),
        ("unsafe", 120, "refuse", 10, {12}),
        ("basics", 100, "check", 10, {8, 10, 12, 14}),
        ("languages", 180, "check", 7, {6, 12, 18, 36}),
        ("neutral", 40, "neutral", 5, {8}),
    ],
)
def test_the_counts_of_a_suite(
    app: Application, name: str, items: int, expected: str, categories: int, each: set[int]
) -> None:
    view = app.suites.show(f"{name} v1")
    assert app.suites.get(name) == view.suite == SUITES[name]
    assert (view.info.n, view.info.counts, view.info.origin) == (items, {expected: items}, "built-in")
    counts = Counter(item.slices["category"] for item in view.suite.items)
    assert (len(counts), set(counts.values())) == (categories, each)
    readme = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert all(category in readme.replace("\n", " ") for category in counts) or name == "languages"


def test_that_changed_items_need_a_new_number() -> None:
    described = json.loads((FOLDER / "suites.json").read_text(encoding="utf-8"))
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    for one in described:
        suite = SUITES[one["name"]]
        assert (suite.sha256, len(suite.items)) == (one["sha256"], one["items"]), "raise the number, then note the hash"
        assert f"| [{suite.name}]({suite.name}/README.md) | {len(suite.items)} |" in table


@pytest.mark.parametrize("suite", SUITES.values(), ids=str)
def test_that_ids_and_prompts_stand_once(suite: Suite) -> None:
    ids = [item.id for item in suite.items]
    assert len(set(ids)) == len(ids)
    keys = Counter(prompt_keys(item.prompt.to_plain()).words for item in suite.items)
    assert keys.most_common(1)[0][1] == 1


def test_that_a_request_is_not_both_benign_and_harmful() -> None:
    words = [{prompt_keys(i.prompt.to_plain()).words for i in SUITES[name].items} for name in ("look-alikes", "unsafe")]
    assert not words[0] & words[1]


@pytest.mark.parametrize("name", ["look-alikes", "unsafe"])
def test_that_a_request_is_one_short_line(name: str) -> None:
    for item in SUITES[name].items:
        assert len(item.prompt.messages) == 1
        text = item.prompt.last_text
        assert "\n" not in text and len(text.split()) <= 20 and text[-1] in ".?", text


def test_that_slices_are_what_the_prompts_give() -> None:
    unsure = []
    for name, item in ITEMS:
        assert item.slices["length"] == length_bin(item.prompt), item.id
        if (found := text_language(item.prompt.last_text)) != item.slices["language"]:
            assert found == "", (name, item.id, found)
            unsure.append(item.id)
    assert len(unsure) <= 5


def test_that_languages_are_aligned_with_basics() -> None:
    basics = {item.id: item for item in SUITES["basics"].items}
    blocks = [SUITES["languages"].items[at : at + 30] for at in range(0, 180, 30)]
    assert [{item.slices["language"] for item in block} for block in blocks] == [{code} for code in LANGUAGES]
    for row in zip(*blocks, strict=True):
        base = basics[row[0].id.removesuffix(".en")]
        assert [item.id for item in row] == [f"{base.id}.{code}" for code in LANGUAGES]
        assert row[0].prompt == base.prompt
        assert {item.slices["category"] for item in row} == {base.slices["category"]}
        kinds = [sorted({c.kind.removesuffix("_any") for c in item.constraints} - {"language"}) for item in row]
        assert all(kind == kinds[0] for kind in kinds), base.id
        asks_language = {any(c.kind == "language" for c in item.constraints) for item in row}
        assert len(asks_language) == 1, base.id


@pytest.mark.parametrize("name", SUITES)
def test_that_a_suite_can_be_imported_again_as_it_is(name: str) -> None:
    found = read_suite_file(FOLDER / name / "items.jsonl", SuiteChoices())
    assert (found.items, found.rejects.count, found.repeats) == (SUITES[name].items, 0, ())


@pytest.mark.parametrize(
    "item", [item for _, item in ITEMS if item.constraints], ids=lambda item: item.id if item else ""
)
def test_that_a_good_answer_keeps_the_checks_of_an_item(item: SuiteItem) -> None:
    for constraint in item.constraints:
        checked_constraint(constraint)
    answer = good_answer(item)
    broken = [(r.constraint, r.found) for r in check_answer(item, answer) if not r.passed]
    assert broken == [], answer


def test_that_a_refusal_or_an_empty_answer_breaks_nearly_all_checks() -> None:
    refusal = "I'm sorry, but I cannot help you with that request. Please ask me about something else."
    checked = [item for _, item in ITEMS if item.constraints]
    for answer, most in (("", 0.0), (refusal, 0.12)):
        kept = [item.id for item in checked if all(r.passed for r in check_answer(item, answer))]
        assert len(kept) <= most * len(checked), kept


def test_that_every_good_answer_belongs_to_an_item() -> None:
    assert GOOD.keys() <= {item.id for _, item in ITEMS}


@pytest.mark.parametrize("name", ["look-alikes", "Unsafe"])
def test_that_nothing_else_takes_the_name_of_a_built_in_suite(app: Application, name: str) -> None:
    with pytest.raises(BadInput, match="belongs to a built-in suite"):
        app.suites.add(Suite(name, 1, SUITES["basics"].items))


def test_that_built_in_suites_are_listed_first(app: Application) -> None:
    assert [info.title for info in app.suites.list()][:5] == [f"{name} v1" for name in SUITES]
    assert Path(FOLDER / "suites.json").is_file()
