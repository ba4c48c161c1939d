"""The interface of a policy with its reference, as generation, training and evaluation use it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol


class PolicyAndReference(Protocol):
    """The model that is trained and its reference.

    ``model`` is the policy (a transformers or PEFT causal LM). ``reference()`` yields a causal LM that
    computes the reference; with LoRA it is the same object with the adapter switched off (or switched
    to the frozen copy) within the context.
    """

    model: Any
    tokenizer: Any

    def reference(self) -> AbstractContextManager[Any]:
        """Return a context in which the yielded model computes the reference."""
        ...
