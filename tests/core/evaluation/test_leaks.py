from __future__ import annotations

import random
import unicodedata

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.errors import UserError
from core.domain.suite import SuiteItem
from core.evaluation.leaks import LISTED, ComparedItem, find_leaks, grams, item_grams, jaccard, prompt_grams

WORDS = [f"word{i}" for i in range(400)]


def words(rng: random.Random, count: int) -> list[str]:
    return rng.choices(WORDS, k=count)


def asked(name: str, text: str, *answers: str) -> ComparedItem:
    return ComparedItem(name, Prompt.from_text(text), answers)


LONG = words(random.Random(4), 60)
SENTENCES = [" ".join(words(random.Random(i), 12)) + "." for i in range(12)]

CHINESE = "請用簡單的話向我解釋光合作用的過程和意義好嗎"


@pytest.mark.parametrize(
    ("name", "test", "other", "exact"),
    [
        ("case and blanks", "What is  7 SQUARED ?", "what is 7 squared?\n", True),
        ("NFC and NFD", "Où est la gare de café", unicodedata.normalize("NFD", "Où est la gare de café"), True),
        ("an invisible character", "How do I bake bread", "How do I ba\u200bke bread", True),
        ("punctuation", "Please name five rivers of France now", "Please, name five rivers of France now!", False),
        ("one word of a long text", " ".join(LONG), " ".join([*LONG[:30], "other", *LONG[31:]]), False),
        ("a moved sentence", " ".join(SENTENCES), " ".join([*SENTENCES[1:], SENTENCES[0]]), False),
        (
            "Chinese with one character more",
            "請用簡單的話向我解釋光合作用的過程和意義好嗎",
            "請用簡單的話向我解釋光合作用的過程和意義好嗎？謝",
            False,
        ),
    ],
)
def test_that_a_planted_leak_is_caught(name: str, test: str, other: str, exact: bool) -> None:
    report = find_leaks(
        [asked("t", test), asked("t2", "quite another thing is asked here")], {"train": [asked("r", other)]}
    )
    (hit,) = report.hits
    assert (hit.test_id, hit.other_id, hit.place, hit.matched, hit.exact) == ("t", "r", "train", "prompt", exact), name
    assert report.blocks
    with pytest.raises(UserError, match=r"1 of 2 test items has a copy or near copy.*t with r in train.*no look"):
        report.require_none()


@pytest.mark.parametrize(
    ("test", "other"),
    [
        ("How do I bake bread at home", "How do I bake a cake at home"),
        (" ".join(LONG), " ".join([*LONG[:20], "other", *LONG[21:40], "third", *LONG[41:]])),  # 46 of 66 grams
        ("Name a river", "Name a town"),
        ("請解釋光合作用的過程和意義", "請解釋呼吸作用的過程和意義"),
        ("", "Name a town"),
    ],
)
def test_that_texts_that_only_resemble_each_other_are_no_leak(test: str, other: str) -> None:
    report = find_leaks([asked("t", test)], {"train": [asked("r", other)]})
    assert not report.blocks
    assert report.sentence() == "No leak: 1 test item compared with 1 other."
    report.require_none()


def test_that_the_same_answers_under_another_question_are_a_leak_in_either_order() -> None:
    answers = " ".join(words(random.Random(1), 80)), " ".join(words(random.Random(2), 80))
    test = asked("t", "Why is the sky blue", *answers)
    for other in (
        asked("r", "Explain the colour of it", *answers),
        asked("r", "Explain the colour of it", *answers[::-1]),
    ):
        (hit,) = find_leaks([test], {"dev": [other]}).hits
        assert (hit.matched, hit.exact) == ("prompt and answers", False)
    (hit,) = find_leaks([test], {"dev": [asked("r", "WHY is the sky blue", *answers[::-1])]}).hits
    assert (hit.matched, hit.exact, hit.similarity) == ("prompt and answers", True, 1.0)


def test_that_a_shared_system_turn_makes_no_leak() -> None:
    system = Message("system", " ".join(LONG))
    first, second = (
        Prompt((system, Message("user", text))) for text in ("Why is the sky blue today", "Who wrote this")
    )
    assert not find_leaks([ComparedItem("t", first)], {"train": [ComparedItem("r", second)]}).blocks


def test_that_of_the_pairs_of_a_test_prompt_only_copies_count() -> None:
    test = asked("t", "Why is the sky blue", "because", "dunno")
    others = [
        ComparedItem("other answers", test.prompt, ("because", "no idea"), only_copies=True),
        ComparedItem("copy", Prompt.from_text("why is the sky BLUE"), ("dunno", "Because"), only_copies=True),
    ]
    assert [hit.other_id for hit in find_leaks([test], {"imports": others}).hits] == ["copy"]


def test_that_hits_are_those_of_comparing_every_item_with_every_other() -> None:
    rng = random.Random(7)
    base = [words(rng, rng.randint(3, 90)) for _ in range(60)]

    def changed(text: list[str]) -> str:
        text = list(text)
        for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
            text[rng.randrange(len(text))] = rng.choice(WORDS)
        return " ".join(text)

    test = [asked(f"t{i}", changed(text), changed(base[i - 1]), changed(base[i - 2])) for i, text in enumerate(base)]
    train = [
        asked(f"r{i}", changed(text), changed(base[i - 2]), changed(base[i - 1])) for i, text in enumerate(base)
    ] * 1
    found = {(h.test_id, h.other_id): h for h in find_leaks(test, {"train": train}).hits}
    similar = {
        (t.id, r.id): max(jaccard(form(t), form(r)) for form in (item_grams, lambda i: prompt_grams(i.prompt)))
        for t in test
        for r in train
    }
    assert found.keys() == {key for key, value in similar.items() if value >= 0.8}
    assert 10 < len(found) < 60
    for (test_id, other_id), hit in found.items():
        t, r = (next(i for i in side if i.id == key) for side, key in ((test, test_id), (train, other_id)))
        whole = jaccard(item_grams(t), item_grams(r))
        by_prompt = jaccard(prompt_grams(t.prompt), prompt_grams(r.prompt))
        assert hit.similarity == pytest.approx(whole if hit.matched == "prompt and answers" else by_prompt)


def test_that_five_words_in_a_row_make_a_gram_and_a_short_text_is_one() -> None:
    assert len(grams("a b c d e f g")) == 3
    assert grams("A, b; c -- d e f g!") == grams("a b c d e f g")
    assert len(grams("請解釋光合作用")) == 3
    assert len(grams("one two")) == 1 and grams(" \n") == frozenset()


def test_that_a_template_that_fills_a_place_lists_a_few_hits_for_each_item() -> None:
    report = find_leaks([asked("t", "Say yes")], {"train": [asked(f"r{i}", "say Yes") for i in range(50)]})
    assert len(report.hits) == LISTED
    assert report.to_plain()["leaked"] == 1 and report.compared == {"train": 50}


def test_that_suite_items_are_compared_by_prompt_and_their_answers_where_they_have_some() -> None:
    plain = SuiteItem("s1", Prompt.from_text("How do I kill a process"), "comply")
    pair = SuiteItem("s2", Prompt.from_text("q"), "preference", chosen="a", rejected="b")
    assert ComparedItem.of_suite(plain).answers == () and ComparedItem.of_suite(pair).answers == ("a", "b")
    (hit,) = find_leaks(
        [asked("t", "how do I kill a process?")], {"look-alikes v1": [ComparedItem.of_suite(plain)]}
    ).hits
    assert (hit.place, hit.exact, hit.similarity) == ("look-alikes v1", False, 1.0)
