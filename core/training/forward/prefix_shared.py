"""The scorer ``shared``: prefix-shared rows through any Hugging Face decoder with position ids and an additive mask.

The decoder itself is not changed; only its inputs differ from those of a padded batch. On the CPU each pair is a call
of its own, without padding, and linear layers and attention are replaced by those of
:mod:`core.training.forward.patched_linear` and :mod:`core.training.forward.patched_attention`.
On an accelerator rows are packed into one sequence under a token budget. The mask is then applied by FlexAttention
where the model supports it, which skips the blocks between pairs, and is dense elsewhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.flex_attention import create_block_mask

from core.domain.errors import ModelRefused
from core.generation.context import base_of, position_limit
from core.generation.lm import PolicyAndReference
from core.generation.lm_head import HeadSpec
from core.generation.matmul_kernels import TORCH, LinearKernel, choose_kernel
from core.generation.windows import attention_windows, row_windows
from core.training.forward import patched_attention
from core.training.forward.patched_linear import PatchedLayers
from core.training.forward.prefix_layout import ForwardModel, Pack, PrefixRow, RowScorer, allowed, groups, pack
from core.training.forward.recompute import layer_checkpointing
from core.training.forward.tiled_attention import plan_attention

PACK_TOKENS = 8192
"""Tokens of a packed row on an accelerator."""
KEPT_MASKS = 64
"""Block masks that are kept, the newest ones: those of a step's packs and of the probe pairs."""
_FLEX = "flex_attention"


class PrefixSharedScorer(RowScorer):
    """Scores pairs as prefix-shared rows through the model's own decoder.

    Args:
        model: policy and reference.
        tile: rows of a logit tile; 0 chooses.
        checkpointing: recompute each decoder layer in the backward pass instead of keeping its activations.
        flex: use FlexAttention (accelerators only).
        pack_tokens: token budget of a packed row; 0 gives every pair a call of its own.
        kernel: name of the CPU's matrix kernel to use where it exists; "" measures.
        longest: tokens of the longest row.

    Raises:
        ModelRefused: when the architecture cannot compute such rows, or not rows of this length.
    """

    name = "shared"

    def __init__(
        self,
        model: PolicyAndReference,
        *,
        tile: int = 0,
        checkpointing: bool = False,
        flex: bool = False,
        pack_tokens: int | None = None,
        kernel: str = "",
        longest: int = 0,
    ) -> None:
        self._model = model
        self.tile = tile
        self.checkpointing = checkpointing
        base = base_of(model.model)
        self._windows = attention_windows(base.config)
        self._block_masks: dict[tuple[Any, ...], Any] = {}
        head = HeadSpec.from_model(model.model)
        weight = head.weight
        on_cpu = weight.device.type == "cpu"
        budget = (0 if on_cpu else PACK_TOKENS) if pack_tokens is None else pack_tokens
        self.pack_tokens = min(budget, position_limit(base) or budget)  # a table may be read by place in the pack
        _require_within(row_windows(base), max(longest, self.pack_tokens))
        self._attention = _FLEX if flex else ""
        if on_cpu and _takes_a_plan(base, weight.dtype):
            self._attention = patched_attention.register()
        attention = self._attention or getattr(base.config, "_attn_implementation", "") or "eager"
        by_hand = on_cpu and not head.trainable  # autograd does not differentiate the other kernel
        chosen = choose_kernel(weight.dtype, wanted=kernel) if by_hand else LinearKernel(TORCH, F.linear)
        self._linear = chosen.linear
        self._layers = PatchedLayers(base.get_decoder(), chosen.linear) if on_cpu else None
        where = f"{weight.dtype}/{weight.device.type}/{attention}/{chosen.name}"
        self.kernel_id = f"shared-2/{where}/torch-{torch.__version__}"

    @contextmanager
    def forward_model(self, *, policy: bool) -> Iterator[ForwardModel]:
        """Yield the policy or the reference, computing on prefix-shared rows."""
        with nullcontext(self._model.model) if policy else self._model.reference() as live:
            base = base_of(live)
            head = HeadSpec.from_model(live).with_linear(self._linear)
            with self._patched(base):
                yield ForwardModel(partial(self._hidden, base), head)

    @contextmanager
    def _patched(self, base: Any) -> Iterator[None]:
        """Replace linear layers and attention of ``base`` by the faster ones within the context."""
        layers = self._layers.on() if self._layers and base is base_of(self._model.model) else nullcontext()
        with layers, _attention(base, self._attention) if self._attention else nullcontext():
            yield

    def _hidden(self, base: Any, rows: Sequence[PrefixRow]) -> Tensor:
        decoder = base.get_decoder()
        with layer_checkpointing(decoder, self.recomputes(rows), partial(self._patched, base)):
            packed = groups([row for row in rows if row.targets], self.pack_tokens)
            states = [self._call(decoder, group) for group in packed]
        if not states:
            weight = decoder.get_input_embeddings().weight
            return weight.new_zeros(0, weight.shape[1])
        return states[0] if len(states) == 1 else torch.cat(states)

    def _call(self, decoder: Any, group: Sequence[PrefixRow]) -> Tensor:
        """Return the gathered states of one packed sequence."""
        weight = decoder.get_input_embeddings().weight
        packed = pack(group, weight.device)
        by_window = {window: self._mask(group, packed, window, weight.dtype) for window in set(self._windows.values())}
        masks = {kind: by_window[window] for kind, window in self._windows.items()}
        plan = {}
        if self._attention == patched_attention.NAME and not _cut_by(self._windows.values(), group):
            plan[patched_attention.PLAN] = plan_attention(group, weight.dtype)
        out = decoder(
            input_ids=packed.ids[None],
            position_ids=packed.positions[None],
            attention_mask=masks if len(masks) > 1 else next(iter(masks.values())),
            use_cache=False,
            return_dict=True,
            **plan,
        )
        return out.last_hidden_state[0].index_select(0, packed.gather)

    def _mask(self, group: Sequence[PrefixRow], packed: Pack, window: int, dtype: torch.dtype) -> Any:
        """Return an additive (1, 1, tokens, tokens) mask, or FlexAttention's block mask.

        A block mask depends on the lengths of the rows alone. It is small, so those of the last packs are kept: each is
        built once for the passes of a step over the same rows, and once for all looks at the same pairs.
        """
        if self._attention != _FLEX:
            mask = torch.zeros(len(packed.ids), len(packed.ids), dtype=dtype, device=packed.ids.device)
            return mask.masked_fill_(~packed.mask(window), torch.finfo(dtype).min)[None, None]
        layout = (window, *((row.prompt, row.chosen, row.rejected) for row in group))
        mask = self._block_masks.pop(layout, None)
        self._block_masks[layout] = _block_mask(packed, window) if mask is None else mask
        if len(self._block_masks) > KEPT_MASKS:
            self._block_masks.pop(next(iter(self._block_masks)))
        return self._block_masks[layout]


def _require_within(windows: dict[str, int], longest: int) -> None:
    for name, window in windows.items():
        if longest > window:
            raise ModelRefused(f"rows of {longest} tokens exceed {name} of {window}, which is counted along the row")


def _takes_a_plan(base: Any, dtype: torch.dtype) -> bool:
    """Return whether tiled attention can replace the model's fused attention."""
    forward = inspect.signature(base.get_decoder().forward)
    passes_on = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in forward.parameters.values())
    fused = getattr(base.config, "_attn_implementation", "") == "sdpa"
    return fused and passes_on and dtype in (torch.float32, torch.float64)


def _cut_by(windows: Iterable[int], rows: Sequence[PrefixRow]) -> bool:
    """Return whether an attention window is shorter than a row's sequences."""
    longest = max(row.prompt + max(row.chosen, row.rejected) for row in rows)
    return any(0 < window < longest for window in windows)


@contextmanager
def _attention(base: Any, name: str) -> Iterator[None]:
    """Switch the attention implementation of ``base`` within the context."""
    config = base.config
    before = config._attn_implementation  # noqa: SLF001 (the public setter switches the whole model)
    config._attn_implementation = name  # noqa: SLF001
    try:
        yield
    finally:
        config._attn_implementation = before  # noqa: SLF001


def _block_mask(packed: Pack, window: int) -> Any:
    """Return :meth:`Pack.mask` for FlexAttention, which skips the blocks between pairs and between responses."""

    def sees(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        def at(index: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            return packed.pair[index], packed.branch[index], index, packed.positions[index]

        return allowed(at(query), at(key), window)

    tokens = len(packed.ids)
    return create_block_mask(sees, None, None, tokens, tokens, device=packed.ids.device)
