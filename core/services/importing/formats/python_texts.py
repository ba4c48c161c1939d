"""Lists and objects that Python or NumPy printed into a text: cells of tables that pandas saved as CSV."""

from __future__ import annotations

import ast
import re

_LONGEST = 1 << 20
_PRINTED = re.compile(r"\s*(?:array\(\s*)?(?:\[\s*)?\{\s*'[^'\\]{1,60}'\s*:")
_NO_COMMA = re.compile(r"\}\s*\n\s*\{")
_ARRAY = re.compile(r"\s*array\((?P<inside>.*?)(?:,\s*dtype=object)?\)\s*", re.DOTALL)
_BROKEN = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def is_printed(text: str) -> bool:
    """Say whether a text begins like an object, or a list of them, as Python prints it.

    >>> [is_printed(text) for text in ("[{'role': 'user'}]", '[{"role": "user"}]', "['a']", "{'")]
    [True, False, False, False]
    """
    return _PRINTED.match(text) is not None


def printed_value(text: str) -> object:
    """Return the value that a text printed by Python or NumPy stands for, None where it stands for none.

    NumPy writes no commas between the items of an array. Only literals are read; nothing is run.

    >>> printed_value("[{'role': 'user'}\\n {'role': 'assistant'}]")
    [{'role': 'user'}, {'role': 'assistant'}]
    >>> printed_value("[{'role': print()}]")
    """
    if len(text) > _LONGEST:
        return None
    inside = _ARRAY.fullmatch(text)
    # a line feed inside a printed text is written as an escape, so these two braces stand between items
    plain = _NO_COMMA.sub("}, {", inside["inside"] if inside else text)
    try:
        return ast.literal_eval(plain.strip())
    except _BROKEN:
        return None
