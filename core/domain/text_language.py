"""Which of six languages a text is in: a small rule by script and by function words.

Chinese and Arabic are told by their script, English, German, French and Spanish by their commonest function words.
Function words of Italian, Portuguese and Dutch, Japanese kana and the letters that Persian and Urdu add to the Arabic
script only serve to say "other". The rule is meant for answers of a few words or more; it reads no meaning.
"""

from __future__ import annotations

import re
import unicodedata

LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "zh": "Chinese",
    "ar": "Arabic",
}
"""Code -> name of the languages that are told apart."""
OTHER = "other"
"""Another language than these."""
_SCRIPTS = {"en": "Latin", "de": "Latin", "fr": "Latin", "es": "Latin", "zh": "Han", "ar": "Arabic"}
_FEW_WORDS = 4
_MOSTLY = 0.5
_SOME_HAN = 0.3  # Chinese texts quote names and code in Latin letters
_SOME_KANA = 0.1
_SOME_FOREIGN = 0.02

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]")
_NOT_ARABIC = re.compile("[\u0679\u067e\u0686\u0688\u0691\u0698\u06a9\u06af\u06ba\u06be\u06c1\u06cc\u06d2]")
_LATIN = re.compile("[A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff]")
_WORD = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_SILENT = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)

_FUNCTION_WORDS = {
    "en": "the of and to in is that it for was with as his on be at by had not are but from or have an they which one "
    "you were her all she there would their we him been has when who will more no if out so said what up its about "
    "into than them can only other new some could these two may then do first any my now such like our over me even "
    "most made after also did many before must through back years where much your way well down should because each "
    "just those people how too little how i he a do does did me s t m re ve ll am "
    "don why here ever should could give please under someone your yours",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er "
    "hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis "
    "mehr durch man sein wurde sei kann gegen vom können schon wenn habe seine ihre dann unter wir soll ich eines "
    "jahr zwei diese dieser wieder keine seiner worden will zwischen immer was sagte bitte ihr du mir mich dich ihn "
    "hier weil kein sehr muss ja nein",
    "fr": "le la les de des du un une et est en que qui dans pour pas sur au aux avec ce il elle par plus se ne sont "
    "son sa ses ou mais nous vous ils elles je tu on cette ces leur leurs comme être avoir fait faire tout tous si "
    "bien peut même aussi sans très où donc ni votre notre mon ma mes ont était avait deux après avant entre "
    "chaque quand lorsque cela ça alors ainsi depuis encore toujours jamais oui non jour jours fois an ans peu rien "
    "chose dont sous vers chez pendant autour environ c d j l n qu s",
    "es": "el la los las de del un una y es en que por para con no se lo su sus al como más pero o este esta estos "
    "estas ese esa si porque cuando muy sin sobre también me hasta hay donde quien desde todo todos nos durante uno "
    "ni contra otros fue era son ser está están tiene tienen puede pueden yo tú él ella ellos entre cada sí qué cómo "
    "después antes mi tu te le les ya así hace dos aunque cual bien día días vez año años algo nada "
    "unos unas alrededor mientras hacia",
    "it": "il lo gli di che è un una per non con del della dei delle nel nella sono si come anche più ma ha al alla "
    "questo questa questi da dal dalla io noi voi loro quando perché molto essere ogni così già e i l d a c un",
    "pt": "o os as um uma do da dos das em no na nos nas que não com para por se mais como mas foi ao ele ela são "
    "também você seu sua pelo pela isso este quando muito ser há já está eu nós até e é a",
    "nl": "de het een en van ik te dat die niet zijn is was op aan met als voor er maar om dan zou wat mijn men dit zo "
    "door over ze zich bij ook tot je naar heb hoe heeft hebben nog wordt worden deze kan geen wij hij zij",
}
_BY_WORD: dict[str, list[str]] = {}
for _code, _words in _FUNCTION_WORDS.items():
    for _word in sorted(set(_words.split())):
        _BY_WORD.setdefault(_word, []).append(_code)
_LETTERS = {"de": "ßäöü", "es": "ñ¿¡", "fr": "œçèêàùîâ", "pt": "ãõ", "it": "òì"}
_SPELLINGS = {
    "en": re.compile(r"th|wh|ght|sh|ow|ck|ea|ing\b|ed\b|y\b"),
    "de": re.compile(r"sch|ei|ich|ung\b|en\b|[aeu]n\b|tz"),
    "fr": re.compile(r"ou|eau|eux|oi|ée|[^aeiou]é|ment\b|que\b|\bqu|e[sz]\b"),
    "es": re.compile(r"ci[óo]n|dad\b|ie|ue|ll|ía|[oa]s\b|[aei]r\b|ez\b"),
    "it": re.compile(r"zz|cch|gli|gn|tt|zi|i\b|ono\b"),
    "pt": re.compile(r"nh|lh|ei|ou\b|em\b|ç"),
    "nl": re.compile(r"ij|oo|aa|ee|uu|oe"),
}
"""Spellings that one of the languages has more of; they decide only between languages of which words stand there."""
_SPELLING_WEIGHT = 0.1
_LEAD_OF_OTHERS = 0.5
"""By how much another language must lead to be told; one word such as "a" or "per" is no Italian."""


def text_language(text: str) -> str:
    """Return the code of a text's language: one of :data:`LANGUAGES`, ``other``, or "" when it cannot be told.

    Code blocks, inline code and addresses are not read.

    >>> text_language("The cat is on the roof of the house.")
    'en'
    >>> text_language("Paris"), text_language("42")
    ('', '')
    """
    read = unicodedata.normalize("NFC", _SILENT.sub(" ", text))
    letters = sum(map(str.isalpha, read))
    if not letters:
        return ""
    han, kana = len(_HAN.findall(read)), len(_KANA.findall(read))
    if han + kana >= _SOME_HAN * letters:
        return OTHER if kana >= _SOME_KANA * (han + kana) else "zh"
    arabic = _ARABIC.findall(read)
    if len(arabic) >= _MOSTLY * letters:
        return OTHER if len(_NOT_ARABIC.findall(read)) >= _SOME_FOREIGN * len(arabic) else "ar"
    if len(_LATIN.findall(read)) < _MOSTLY * letters:
        return OTHER
    return _by_words(read.lower())


def may_be(text: str, code: str) -> bool:
    """Say whether a text is in a language, or is too short to tell and in the script of that language.

    >>> may_be("Berlin", "de"), may_be("Berlin", "zh"), may_be("This is an answer.", "de")
    (True, False, False)
    """
    found = text_language(text)
    if found or len(text.split()) >= _FEW_WORDS:
        return found == code
    return not any(map(str.isalpha, text)) or bool(_LATIN.search(text)) == (_SCRIPTS[code] == "Latin")


def _by_words(text: str) -> str:
    """Return the language whose function words are most; a word of several languages counts in parts.

    Letters of one language count half a word, spellings a tenth. Equal scores tell nothing.
    """
    score = dict.fromkeys(_FUNCTION_WORDS, 0.0)
    for word in _WORD.findall(text):
        codes = _BY_WORD.get(word, ())
        for code in codes:
            score[code] += 1 / len(codes)
    for code, signs in _LETTERS.items():
        score[code] += 0.5 * sum(text.count(sign) for sign in signs)
    for code, spelling in _SPELLINGS.items():
        if score[code]:
            score[code] += _SPELLING_WEIGHT * len(spelling.findall(text))
    best, second = sorted(score, key=lambda code: -score[code])[:2]
    if score[best] == score[second]:
        return ""
    if best in LANGUAGES:
        return best
    return OTHER if score[best] >= score[second] + _LEAD_OF_OTHERS else ""
