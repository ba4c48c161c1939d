"""The search finds what reading every text would find, however far its index reaches and whatever became of it."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.errors import BadInput, UserError
from core.domain.pair_table import PairFilter
from core.domain.search_text import MOST_CHARS, search_terms
from core.services.application import Application
from core.store.search import index as index_module
from core.store.search import matching as matching_module
from tests.fakes.fresh import fresh

LATIN = "The quick brown fox ÜBER Straße STRASSE Zu\u0308rich Zürich naïve ﬁne K 𝔘nicode e\u0301 É o'clock qz"
OTHER = '机器学习 机器 学 пример Пример שלום مرحبا 100% a_b c\\d "quoted" <b>&amp; x\x02y -- OR NOT NEAR(a* ^'
WORDS = (*LATIN.split(), *OTHER.split(" "), "qz\nline", "two\ttab")
TERMS = """über ÜBER u\u0308ber zürich strasse ß 100% % _ a_b \\ 机器 学 器学
机器学习 ПРИМЕР שלום رح k é e\u0301 <b>& -- ^ (a* qz
e y o'c near(a* 𝔘n fine not brown . naïve"""


def texts(draw: random.Random) -> str:
    joint = draw.choice(["", " ", "\n"])
    return joint.join(draw.choice(WORDS) for _ in range(draw.randint(1, 9)))


def rows() -> list[dict[str, str]]:
    draw = random.Random(7)
    made = [{"prompt": texts(draw), "response1": texts(draw), "response2": texts(draw) + "."} for _ in range(150)]
    return [row for row in made if row["response1"] != row["response2"]]


def bring(app: Application, folder: Path, made: list[dict[str, str]], name: str = "mine") -> None:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    app.imports.run(path)


def index_all(app: Application, most: int = 64) -> None:
    while not app.pairs.advance_index(most).complete:
        pass


@pytest.fixture(scope="module", params=["nothing", "half", "all"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Give a workspace in which nothing, half, or all is indexed."""
    folder = tmp_path_factory.mktemp("search")
    with fresh(folder / "ws") as made:
        bring(made, folder, rows())
        if request.param == "half":
            made.pairs.advance_index(70)
        if request.param == "all":
            index_all(made)
        yield made


def plain(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def by_hand(app: Application, *terms: str) -> list[int]:
    found = []
    for key, pair in app.pairs.texts(app.pairs.ids()).items():
        held = [plain(text) for text in (pair.prompt.as_text(), pair.a.text, pair.b.text)]
        if all(any(plain(term) in text for text in held) for term in terms):
            found.append(key)
    return sorted(found)


@pytest.mark.parametrize("term", [*TERMS.split(), "x\x02y", "\x02", "\x02\x02", "\x1f", "nothing like it"])
def test_that_a_phrase_is_found_wherever_it_stands(app: Application, term: str) -> None:
    assert app.pairs.ids(PairFilter(text=f'"{term}"')) == by_hand(app, term)


@pytest.mark.parametrize("few", [0, 9, 8000])
def test_that_any_words_find_what_reading_every_text_finds(
    app: Application, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Few, some or all candidates are read, and the places of trigrams answer for the others."""
    monkeypatch.setattr(matching_module, "_FEW", few)
    draw = random.Random(3)
    held = [text for pair in app.pairs.texts(app.pairs.ids()).values() for text in (pair.a.text, pair.prompt.as_text())]
    for _ in range(60):
        terms = []
        for _ in range(draw.randint(1, 3)):
            text = draw.choice(held)
            start = draw.randrange(len(text))
            terms.append(text[start : start + draw.randint(1, 6)].replace('"', ""))
        wanted = [term for term in terms if term]
        text = " ".join(f'"{term}"' for term in wanted)
        assert app.pairs.ids(PairFilter(text=text)) == by_hand(app, *wanted), wanted


@pytest.mark.parametrize("few", [0, 8000])
def test_that_phrases_of_words_that_stand_in_nearly_every_pair_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(matching_module, "_FEW", few)
    draw = random.Random(5)
    words = ["question", "answers", "answer", "model", "modeling", "the"]
    made = [
        {"prompt": " ".join(draw.choices(words, k=6)), "response1": f"{draw.choice(words)}.", "response2": f"No {n}"}
        for n in range(200)
    ]
    with fresh(tmp_path / "ws") as app:
        bring(app, tmp_path, made)
        index_all(app)
        for term in ("answer", "answers", "odel", "modeling", "answer question", "er question", "s the mod", "the the"):
            assert app.pairs.ids(PairFilter(text=f'"{term}"')) == by_hand(app, term), term
        assert app.pairs.ids(PairFilter(text="model question the")) == by_hand(app, "model", "question", "the")


def test_that_a_search_and_the_other_filters_hold_together_in_every_order(app: Application) -> None:
    wanted = PairFilter(text="zürich", source_id=1, order="a_chars", descending=True)
    ids = app.pairs.ids(wanted)
    assert sorted(ids) == by_hand(app, "zürich") and app.pairs.count(wanted) == len(ids)
    lengths = [row.a_chars for row in app.pairs.rows(ids)]
    assert lengths == sorted(lengths, reverse=True)
    seen: list[int] = []
    while page := app.pairs.page(wanted, after_id=seen[-1] if seen else 0, limit=7):
        seen += [row.id for row in page]
    assert seen == ids


def test_that_a_search_of_too_many_characters_is_refused_with_a_sentence() -> None:
    PairFilter(text="x" * MOST_CHARS)
    with pytest.raises(BadInput, match="at most 1,000 characters; this one has 51,200"):
        PairFilter(text="x" * 51_200)


def test_that_many_words_are_all_looked_for(app: Application) -> None:
    words = " ".join(["fox", *(f"w{i}" for i in range(200))])
    assert app.pairs.ids(PairFilter(text=words[:MOST_CHARS])) == []
    assert app.pairs.ids(PairFilter(text="fox fox FOX ox")) == by_hand(app, "fox")
    assert search_terms("fox FOX ox brown") == ("brown", "fox")


def test_that_a_search_stops_when_it_is_told_to(tmp_path: Path) -> None:
    with fresh(tmp_path / "ws") as app:
        bring(app, tmp_path, rows())
        with pytest.raises(UserError, match="stopped"):
            app.pairs.ids(PairFilter(text="fox"), stop=lambda: True)


def test_that_the_index_follows_new_pairs_and_is_not_asked_for_by_an_import(tmp_path: Path) -> None:
    with fresh(tmp_path / "ws") as app:
        bring(app, tmp_path, rows()[:40])
        assert not (tmp_path / "ws" / "search").exists()
        assert app.pairs.index_state().indexed == 0
        index_all(app)
        bring(app, tmp_path, rows()[40:], "more")
        state = app.pairs.index_state()
        assert state.indexed == 40 and not state.complete
        assert app.pairs.ids(PairFilter(text="fox")) == by_hand(app, "fox")
        index_all(app)
        assert app.pairs.ids(PairFilter(text="fox")) == by_hand(app, "fox")
    with Application.open(tmp_path / "ws", read_only=True) as app:
        assert app.pairs.index_state().complete and app.pairs.ids(PairFilter(text="fox")) == by_hand(app, "fox")


def damaged(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096 : len(raw) // 2] = bytes(len(raw) // 2 - 4096)
    path.write_bytes(raw)


def of_another_folding(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE state SET folding='0'")
    connection.close()


def without_state(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE state")
    connection.close()


@pytest.mark.parametrize(
    "harm",
    [damaged, of_another_folding, without_state, lambda p: p.write_bytes(b""), lambda p: p.write_bytes(b"x" * 9000)],
)
def test_that_a_harmed_index_is_found_out_and_made_anew(tmp_path: Path, harm: object) -> None:
    with fresh(tmp_path / "ws") as app:
        bring(app, tmp_path, rows())
        index_all(app)
        right = by_hand(app, "fox")
        harm(tmp_path / "ws" / "search" / "index.db")  # type: ignore[operator]
        report = app.workspace.check()
        assert report.ok and [f.check for f in report.findings] == ["search index"]
        assert not (tmp_path / "ws" / "search").exists()
        assert app.pairs.ids(PairFilter(text="fox")) == right
        index_all(app)
        assert app.pairs.ids(PairFilter(text="fox")) == right and app.workspace.check().findings == ()


def test_that_an_index_of_another_state_of_the_workspace_is_not_believed(tmp_path: Path) -> None:
    with fresh(tmp_path / "ws") as app:
        bring(app, tmp_path, rows()[:3])
    shutil.copy(tmp_path / "ws" / "workspace.db", tmp_path / "kept.db")
    with Application.open(tmp_path / "ws") as app:
        bring(app, tmp_path, rows()[3:90], "first")
        index_all(app)
    shutil.copy(tmp_path / "kept.db", tmp_path / "ws" / "workspace.db")
    with Application.open(tmp_path / "ws") as app:
        bring(app, tmp_path, rows()[90:], "second")
        assert app.pairs.index_state().indexed == 0
        assert app.pairs.ids(PairFilter(text="fox")) == by_hand(app, "fox")
        index_all(app)
        assert app.pairs.ids(PairFilter(text="fox")) == by_hand(app, "fox")


def test_that_an_index_that_cannot_be_written_leaves_searching_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    with fresh(tmp_path / "ws") as app:
        bring(app, tmp_path, rows())
        monkeypatch.setattr(index_module, "connect", full)
        assert app.pairs.advance_index().indexed == 0
        assert app.pairs.ids(PairFilter(text="fox")) == by_hand(app, "fox")
