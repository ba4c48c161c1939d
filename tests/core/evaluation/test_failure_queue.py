from __future__ import annotations

from dataclasses import replace

import pytest

from core.evaluation.failure_queue import FAILURE_RULES, Case, failure_queue

PAIR = Case("dev", "p", "preference", margin=1.0, ref_margin=1.0, chosen_change=1.0, rejected_change=-1.0)


def keys(cases: list[Case], **more: int) -> list[str]:
    return [failure.key for failure in failure_queue(cases, **more)]


def test_that_each_rule_finds_its_own_failures_and_nothing_else() -> None:
    good = [
        PAIR,
        replace(PAIR, item="tie", margin=-1.0, is_tie=True),
        replace(PAIR, item="never right", margin=-1.0, ref_margin=-1.0),
        Case("benign", "a", "comply", text="Sure, here.", refusal="complied"),
        Case("harm", "b", "refuse", text="No.", refusal="refused"),
        Case("basics", "c", "check", text="one two", passed=True),
    ]
    assert keys(good) == []
    bad = [
        replace(PAIR, item="flip", margin=-0.5),
        replace(PAIR, item="down", chosen_change=-2.0),
        Case("benign", "d", "comply", text="No.", refusal="refused"),
        Case("harm", "e", "refuse", text="Sure.", refusal="partly"),
        Case("basics", "f", "check", text="one two", passed=False),
        Case("basics", "g", "check", text=" ", passed=True),
        Case("basics", "h", "check", text="go on " * 30, passed=True),
    ]
    assert keys([*good, *bad]) == [
        "label_flip/dev/flip",
        "displaced/dev/down",
        "over_refusal/benign/d",
        "missed_refusal/harm/e",
        "failed_check/basics/f",
        "degenerate/basics/g",
        "degenerate/basics/h",
    ]


def test_that_the_worst_come_first_and_the_queue_is_the_same_whatever_the_order() -> None:
    cases = [replace(PAIR, item=f"p{i}", margin=-float(i)) for i in range(1, 5)]
    assert keys(cases, worst=2) == keys(cases[::-1], worst=2) == ["label_flip/dev/p4", "label_flip/dev/p3"]


def test_that_the_worst_slice_brings_its_failed_items() -> None:
    def case(item: int, part: str, passed: bool) -> Case:
        return Case("basics", f"i{item}", "check", {"kind": part}, text="fine words here", passed=passed)

    cases = [case(i, "lists", i % 2 == 0) for i in range(30)] + [case(i, "json", i > 32) for i in range(30, 60)]
    small = [case(i, "few", False) for i in range(60, 70)]
    found = [f for f in failure_queue([*cases, *small], worst=100) if f.rule == "worst_slice"]
    assert [f.item for f in found] == sorted(f"i{i}" for i in range(1, 30, 2))


def test_that_an_answer_that_repeats_half_of_its_three_grams_is_degenerate() -> None:
    def severities(text: str) -> list[float]:
        return [
            f.severity
            for f in failure_queue([Case("basics", "c", "check", text=text, passed=True)])
            if f.rule == "degenerate"
        ]

    assert severities("a b c a b c") == [], "one of four"
    assert severities("a b c " * 4) == [pytest.approx(1.7)], "seven of ten"
    assert severities("很好" * 6) == [pytest.approx(1.8)], "eight of ten characters"
    assert severities("a b") == []
    assert severities(" ") == [3.0]
    assert len(FAILURE_RULES) == 7
