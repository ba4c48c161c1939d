"""Anchors are written and read by the keys that reviewers press; strengths are read as well."""

from __future__ import annotations

import pytest

from app.rubrics.presenter import parse_anchors
from core.domain.rubric_text import anchors_text


def test_that_anchors_are_written_by_keys_and_read_back():
    anchors = {str(point): f"text: {point}" for point in range(-3, 4)}
    text = anchors_text(anchors)
    assert text.startswith("key 1, left much better: text: -3\n") and parse_anchors(text) == (anchors, [])


@pytest.mark.parametrize(
    ("line", "point"),
    [("key 4: the same", "0"), ("Key 7 : right", "3"), ("-3: left", "-3"), ("−2: left", "-2"), ("+1: right", "1")],
)
def test_that_an_anchor_is_read_by_key_or_strength(line, point):
    (found, wrong) = parse_anchors(line)
    assert list(found) == [point] and wrong == []


def test_that_a_line_that_is_no_anchor_is_told():
    assert parse_anchors("key 9: none\nfree words") == ({}, ["key 9: none", "free words"])
