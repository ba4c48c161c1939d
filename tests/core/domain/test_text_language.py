"""The language of a text is told by script and function words, and not guessed where they say nothing."""

from __future__ import annotations

import pytest

from core.domain.text_language import may_be, text_language

TEXTS = {
    "en": ("Water boils at one hundred degrees.", "Thank you for your letter, we will answer it soon.", "I like it."),
    "de": ("Wasser kocht bei hundert Grad.", "Danke für Ihren Brief, wir antworten bald.", "Ich mag es nicht."),
    "fr": ("L'eau bout à cent degrés.", "Merci pour votre lettre, nous répondrons bientôt.", "Je ne sais pas."),
    "es": ("El agua hierve a cien grados.", "Gracias por su carta, la responderemos pronto.", "No lo sé todavía."),
    "zh": ("水在一百度沸腾。", "我用 Python 写了一个小程序。", "谢谢"),
    "ar": ("الماء يغلي عند مئة درجة.", "شكرا على رسالتكم، سنرد قريبا.", "لا أعرف"),
    "other": (
        "L'acqua non bolle sempre a cento gradi, perché dipende anche dalla pressione.",
        "A água ferve a cem graus e não mais.",
        "Het water kookt bij honderd graden en niet eerder.",
        "水は百度で沸騰します。",
        "آب در صد درجه می‌جوشد و بخار می‌شود.",
        "Вода кипит при ста градусах.",
    ),
    "": ("", "42", "Paris", "- 1\n- 2", "```python\nfor the in of:\n    and\n```"),
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in TEXTS.items() for text in texts])
def test_that_a_text_is_in_its_language(code: str, text: str) -> None:
    assert text_language(text) == code


def test_that_code_and_addresses_say_nothing_of_the_language() -> None:
    assert text_language("Nimm diese Funktion:\n```python\nif the and of: return the\n```\nSie ist nicht lang.") == "de"
    assert text_language("https://example.org/the/and/of/the/end") == ""


def test_that_a_word_or_two_may_be_any_language_of_the_script() -> None:
    assert may_be("Berlin", "de")
    assert may_be("Berlin.", "en")
    assert may_be("7", "ar")
    assert not may_be("Berlin", "ar")
    assert not may_be("برلين", "de")
    assert not may_be("Paris London Rome Madrid", "en"), "four words of no language are not English"
