"""The first pairs of a search are those of the whole search; words of nearly every pair are found right."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.pair_table import PairFilter
from core.services.application import Application
from core.store.search import frequent_words
from core.store.search import matching as matching_module
from tests.core.store.search.test_search import bring, by_hand, index_all
from tests.fakes.fresh import fresh

WORDS = ("question", "answers", "answer", "model", "modeling", "the", "of")
TERMS = (
    "model",
    "answer question",
    '"answer question"',
    '"er question the mod"',
    '"question the of answers model"',
    '"the of"',
    "th of model",
    "oddity",
    '"model  the"',
)


@pytest.fixture(scope="module", params=["all", "half"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Give a workspace of few words, in portions; one of them with words that stand nowhere else."""
    folder, draw = tmp_path_factory.mktemp("first"), random.Random(9)
    made = [
        {
            "prompt": " ".join(draw.choices(WORDS, k=12)),
            "response1": f"{' '.join(draw.choices(WORDS, k=5))}.",
            "response2": f"No{' ' * draw.randint(1, 2)}{draw.choice(WORDS)} {n}",
        }
        for n in range(240)
    ]
    made[100]["response1"] = "An oddity about remodeling" + " x" * 20 + " 机器学习模型" + "y" * 60
    with fresh(folder / "ws") as opened:
        bring(opened, folder, made)
        if request.param == "half":
            opened.pairs.advance_index(130)
        else:
            index_all(opened)
        yield opened


def terms_of(text: str) -> list[str]:
    return [text.strip('"')] if text.startswith('"') else text.split()


@pytest.mark.parametrize("text", TERMS)
@pytest.mark.parametrize("few", [0, 8000])
def test_that_the_first_found_are_those_of_all(
    app: Application, monkeypatch: pytest.MonkeyPatch, few: int, text: str
) -> None:
    monkeypatch.setattr(matching_module, "_FEW", few)
    wanted = PairFilter(text=text)
    every = app.pairs.ids(wanted)
    assert every == by_hand(app, *terms_of(text))
    for limit in (1, 7, 500):
        assert app.pairs.first_ids(wanted, limit) == every[:limit]
    seen: list[int] = []
    while page := app.pairs.page(wanted, after_id=seen[-1] if seen else 0, limit=90):
        seen += [row.id for row in page]
    assert seen == every


def test_that_a_portion_of_many_rare_words_hides_no_pair(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent_words, "_RARE_CHARS", 0)
    app.pairs._index.drop()
    index_all(app)
    for text in ("model", "odeling", "remodel", "机器学习"):
        assert app.pairs.ids(PairFilter(text=text)) == by_hand(app, text), text


def test_that_a_search_among_other_filters_is_answered_as_a_whole(app: Application) -> None:
    assert app.pairs.first_ids(PairFilter(), 5) is None
    assert app.pairs.first_ids(PairFilter(text="model", source_id=1), 5) is None
    assert app.pairs.first_ids(PairFilter(text="model", descending=True), 5) is None


@pytest.mark.parametrize("table", ["frequent", "texts", "rare"])
def test_that_an_index_which_breaks_within_a_search_leaves_the_answer_to_the_texts(tmp_path: Path, table: str) -> None:
    with fresh(tmp_path / "ws") as app:
        bring(app, tmp_path, [{"prompt": f"question {n}", "response1": "model", "response2": "x"} for n in range(9)])
        index_all(app)
        with closing(sqlite3.connect(tmp_path / "ws" / "search" / "index.db")) as connection:
            connection.execute(f"DROP TABLE {table}")
        for text in ("question", '"tion 3"', "question model"):
            assert app.pairs.ids(PairFilter(text=text)) == by_hand(app, *terms_of(text))
            assert app.pairs.first_ids(PairFilter(text=text), 1) == by_hand(app, *terms_of(text))[:1]
