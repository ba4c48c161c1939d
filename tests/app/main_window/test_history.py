from __future__ import annotations

from app.main_window.history import LIMIT, History


def test_that_one_goes_back_and_forward_with_what_was_shown() -> None:
    history = History()
    history.visit("home", {})
    history.visit("data", {"pair_id": 7})
    assert history.go(-1) == ("home", {})
    assert history.go(1) == ("data", {"pair_id": 7})
    assert history.go(1) is None


def test_that_a_new_visit_forgets_what_lay_ahead() -> None:
    history = History()
    for place in ("home", "data", "runs"):
        history.visit(place, {})
    history.go(-1)
    history.visit("train", {})
    assert not history.can(1)
    assert history.go(-1) == ("data", {})


def test_that_the_same_place_twice_is_one_visit_and_the_list_stays_short() -> None:
    history = History()
    history.visit("home", {})
    history.visit("home", {})
    assert not history.can(-1)
    for number in range(3 * LIMIT):
        history.visit("data", {"pair_id": number})
    assert len(history._visits) == LIMIT
