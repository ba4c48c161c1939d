"""What every layer needs of a causal language model: a policy, its reference, hidden states and a head."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol


class PolicyAndReference(Protocol):
    """A model that trains and the frozen one it is compared with.

    ``model`` is the policy (a transformers or PEFT causal LM). ``reference()`` yields a causal LM that
    computes the reference; with LoRA it is the same object with the adapter switched off (or switched
    to the frozen copy) for the length of the context.
    """

    model: Any
    tokenizer: Any

    def reference(self) -> AbstractContextManager[Any]:
        """Return a context in which the yielded model computes the reference."""
        ...
