"""Names of the columns of a table in other languages than English: offered to the user, never taken by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PROMPTS = frozenset((
    "frage", "eingabe", "anfrage", "aufgabe", "question", "invite", "consigne", "requête", "pregunta", "instrucción",
    "consulta", "pergunta", "instrução", "domanda", "istruzione", "richiesta", "vraag", "opdracht", "fråga",
    "spørgsmål", "spørsmål", "kysymys", "pytanie", "polecenie", "otázka", "kérdés", "întrebare", "soru", "вопрос",
    "запрос", "питання", "запитання", "ερώτηση", "问题", "提示", "指令", "問題", "質問", "指示", "プロンプト",
    "질문", "지시", "프롬프트", "câu hỏi", "pertanyaan", "سؤال", "السؤال", "שאלה", "प्रश्न", "คำถาม",
))  # fmt: skip
_ANSWERS = frozenset((
    "antwort", "ausgabe", "réponse", "respuesta", "resposta", "risposta", "antwoord", "svar", "vastaus", "odpowiedź",
    "odpověď", "válasz", "răspuns", "cevap", "yanıt", "ответ", "відповідь", "απάντηση", "回答", "答案", "回复",
    "応答", "답변", "응답", "câu trả lời", "jawaban", "إجابة", "תשובה", "उत्तर", "คำตอบ",
))  # fmt: skip
_LABELS = frozenset((
    "gewinner", "sieger", "bevorzugt", "präferenz", "urteil", "besser", "préférée", "préféré", "préférence",
    "gagnant", "meilleure", "preferencia", "preferida", "ganador", "mejor", "preferência", "vencedor", "melhor",
    "preferenza", "vincitore", "migliore", "voorkeur", "winnaar", "beter", "lepsza", "zwycięzca", "tercih",
    "kazanan", "лучший", "лучше", "победитель", "предпочтение", "краще", "偏好", "胜者", "更好", "勝者", "好み",
    "선호", "승자",
))  # fmt: skip
_FIRST, _SECOND = frozenset("a1а甲"), frozenset("b2бв乙")
_BLANKS = re.compile(r"[\s_\-.:()]+")


def foreign_fields(columns: Iterable[str], *, prompt_known: bool) -> dict[str, str]:
    """Return what columns are that are named in another language: column -> field, empty where not all are known.

    Args:
        columns: names that nothing is known of.
        prompt_known: another column is known to hold the prompt.

    >>> foreign_fields(["Frage", "Antwort A", "Antwort B", "Gewinner"], prompt_known=False)
    {'Frage': 'prompt', 'Antwort A': 'first', 'Antwort B': 'second', 'Gewinner': 'label'}
    >>> foreign_fields(["Antwort", "Bewertung"], prompt_known=True)
    {}
    """
    found: dict[str, str] = {}
    for column in columns:
        field = _field(_BLANKS.sub(" ", column).strip().casefold())
        if field and field not in found.values() and not (field == "prompt" and prompt_known):
            found[column] = field
    wanted = {"first", "second"} if prompt_known else {"prompt", "first", "second"}
    return found if wanted <= set(found.values()) else {}


def _field(word: str) -> str:
    if word in _PROMPTS:
        return "prompt"
    if word in _LABELS:
        return "label"
    bare, side = word[:-1].strip(), word[-1:]
    if bare not in _ANSWERS:
        return ""
    return "first" if side in _FIRST else "second" if side in _SECOND else ""
