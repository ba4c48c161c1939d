"""The output head of any causal LM as one object: from rows of hidden states to float32 logits.

Model families differ between the last hidden state and the logits: a bias (Phi, GPT-J), a factor (Cohere, Granite,
Falcon-H1), a soft cap (Gemma). Code that works on rows of hidden states instead of whole logit tensors (the fused
head, the exact KL) gets these details from this module alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.domain.errors import ModelRefused

Linear = Callable[[Tensor, Tensor], Tensor]
"""x (rows, in) and weight (out, in) to x @ weight.T (rows, out)."""


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """The map from final hidden states to logits: ``cap * tanh(scale * (W h + b) / cap)``.

    Attributes:
        weight: (vocabulary, width); the model's own tensor, so that its training takes effect here.
        bias: (vocabulary,) or None.
        scale: factor on the raw logits.
        softcap: bound of the logits by tanh; 0 is off.
        module: called instead of the weight when the head is not a plain linear layer (an adapter on it,
            a quantised head); None otherwise.
        linear: the kernel of the product.
    """

    weight: Tensor
    bias: Tensor | None = None
    scale: float = 1.0
    softcap: float = 0.0
    module: nn.Module | None = None
    linear: Linear = F.linear

    @classmethod
    def from_model(cls, model: Any) -> HeadSpec:
        """Read the head of a transformers or PEFT causal LM.

        Raises:
            ModelRefused: when the model has no output head.
        """
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        head = base.get_output_embeddings()
        if head is None or getattr(head, "weight", None) is None:
            raise ModelRefused(
                f"{type(base).__name__} has no language-model head.", "Choose a model made for text generation."
            )
        plain = type(head) is nn.Linear
        return cls(
            weight=head.weight,
            bias=getattr(head, "bias", None),
            scale=_logit_scale(base),
            softcap=_softcap(base.config),
            module=None if plain else head,
        )

    @property
    def trainable(self) -> bool:
        """Whether any tensor of the head trains."""
        if self.module is not None:
            return any(p.requires_grad for p in self.module.parameters())
        return self.weight.requires_grad or (self.bias is not None and self.bias.requires_grad)

    @property
    def vocabulary(self) -> int:
        """Number of logits."""
        return self.weight.shape[0]

    def with_linear(self, linear: Linear) -> HeadSpec:
        """Return the same head with another kernel."""
        return replace(self, linear=linear)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return logits of ``hidden`` (..., width) as float32, or float64 for a float64 model; differentiable."""
        z = self.raw(hidden)
        if self.scale != 1.0:
            z = z * self.scale
        if self.softcap:
            z = torch.tanh(z / self.softcap) * self.softcap
        return z

    def raw(self, hidden: Tensor) -> Tensor:
        """Return ``W h + b`` in float32 or wider, before factor and soft cap."""
        if self.module is not None:
            z = self.module(hidden)
        else:
            rows = hidden.reshape(-1, hidden.shape[-1]).to(self.weight.dtype)
            z = self.linear(rows, self.weight)
            if self.bias is not None:
                z = z + self.bias
            z = z.view(*hidden.shape[:-1], -1)
        return z if z.dtype == torch.float64 else z.float()

    def hidden_grad_(self, grad: Tensor, logits: Tensor) -> Tensor:
        """Return the gradient by the hidden rows for one by the logits; overwrites ``grad``.

        Args:
            grad: (rows, vocabulary), d objective / d logits.
            logits: (rows, vocabulary), the result of :meth:`logits` for these rows; used under a soft cap only.

        Returns:
            (rows, width) in the weight's dtype.
        """
        if self.module is not None:
            raise ValueError("a head that is a module is differentiated by autograd")
        if self.softcap:
            grad.mul_(1.0 - (logits / self.softcap).square_())
        if self.scale != 1.0:
            grad.mul_(self.scale)
        return self.linear(grad.to(self.weight.dtype), self.weight.detach().t())


def _logit_scale(base: Any) -> float:
    """Return the factor on the logits in the family of ``base``."""
    config = base.config
    kind = str(getattr(config, "model_type", ""))
    if kind.startswith("cohere"):
        return float(getattr(base, "logit_scale", None) or getattr(config, "logit_scale", 1.0) or 1.0)
    if scaling := getattr(config, "logits_scaling", None):
        return float(scaling) if kind == "hyperclovax" else 1.0 / float(scaling)
    if kind == "falcon_h1":
        return float(getattr(config, "lm_head_multiplier", 1.0))
    return 1.0


def _softcap(config: Any) -> float:
    """Return the bound of the family's logits under tanh, or 0."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    for name in ("final_logit_softcapping", "logits_soft_cap"):
        if value := getattr(text, name, None):
            return float(value)
    return 0.0
