"""Keep the Hugging Face libraries of this process offline and quiet.

``huggingface_hub`` reads its environment once, at import. Where it is imported already, its constants are set as well,
so that the order of imports does not matter.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import sys
import warnings
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
"""Exceptions that the libraries raise for a damaged or unknown model file."""


def go_offline() -> None:
    """Switch every Hugging Face library of this process to offline, without telemetry, progress bars or notes.

    The notes are warnings about future versions, which are addressed to the developers of the libraries.
    """
    os.environ.update(_ENVIRONMENT)
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
        constants.HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]
    from transformers.utils import logging  # after the environment is set; slow to import

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|peft|torch)\b.*")


@contextlib.contextmanager
def without_progress_bars() -> Iterator[None]:
    """Discard the progress bar that the GGUF reader writes to standard error; it has no option against it."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield
