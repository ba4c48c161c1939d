"""A key-value cache of transformers whose tensors have room for the tokens to come.

The library's own cache joins all keys and values of a layer anew for every token. This one writes a token into its
place and gives out views. Layers of any other kind than the plain one (sliding windows, states) stay the library's.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from core.generation.context import base_of


def roomy_cache(model: Any, tokens: int) -> DynamicCache | None:
    """Return an empty cache with room for ``tokens`` after the first call; None where the model makes its own kind.

    The model makes its own kind where its config does not name its layers, or names one that is not the library's.
    """
    try:
        cache = DynamicCache(config=base_of(model).config)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if not cache.layers:
        return None
    cache.layers = [_RoomyLayer(tokens) if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


class _RoomyLayer(DynamicLayer):
    """One layer; ``keys`` and ``values`` are views of longer tensors."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self._room = tokens
        self._held: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any) -> tuple[Tensor, Tensor]:
        """Store the new tokens and return all keys and values."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        before = self.get_seq_length()
        after = before + key_states.shape[-2]
        if self._held is None or self._held[0].shape[-2] < after or len(self._held[0]) != len(key_states):
            keys, values = self._longer(key_states, after), self._longer(value_states, after)
            if before:
                keys[..., :before, :], values[..., :before, :] = self.keys, self.values
            self._held = keys, values
        keys, values = self._held
        keys[..., before:after, :], values[..., before:after, :] = key_states, value_states
        self.keys, self.values = keys[..., :after, :], values[..., :after, :]
        return self.keys, self.values

    def _longer(self, like: Tensor, tokens: int) -> Tensor:
        return like.new_empty(*like.shape[:-2], tokens + self._room, like.shape[-1])

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep only these rows, which may repeat."""
        if self._held is not None:
            tokens = self.get_seq_length()
            keys, values = (held[indices] for held in self._held)
            self._held = keys, values
            self.keys, self.values = keys[..., :tokens, :], values[..., :tokens, :]
