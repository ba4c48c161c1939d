"""Nothing below this line talks to the network: set before any Hugging Face library is imported.

``huggingface_hub`` reads its environment once, at import; where it is already in memory its constant
is set as well, so that the order of imports cannot open a hole.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import sys
from collections.abc import Iterator

_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "DO_NOT_TRACK": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}

READ_ERRORS: tuple[type[Exception], ...] = (
    ValueError,
    OSError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    struct.error,
)
"""What reading a damaged or unknown model file may raise in the libraries: the file's fault, not a bug of ours."""


def go_offline() -> None:
    """Switch every Hugging Face library of this process to offline, without telemetry or progress bars."""
    os.environ.update(_ENVIRONMENT)
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
        constants.HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


@contextlib.contextmanager
def without_progress_bars() -> Iterator[None]:
    """Swallow what the GGUF reader draws on the terminal; it knows no other way to be quiet."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield
