"""The penalty for tokens that a row holds already, so that an answer repeats less."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.generation.requests import Request


def penalised(logits: Tensor, requests: Sequence[Request]) -> Tensor:
    """Return the logits with the penalty of each request on the tokens of its prompt and of its answer so far.

    A positive logit is divided by the penalty and a negative one multiplied with it, before temperature, top-k and
    top-p; above 1 a token becomes less likely, however often it stands there. Without a penalty the logits are returned
    as they are.
    Source: N. S. Keskar et al., CTRL, arXiv 1909.05858, section 4.1, with the sign that negative logits need.

    Args:
        logits: (rows, vocabulary).
        requests: of the rows, in their order.
    """
    if all(request.penalty == 1.0 for request in requests):
        return logits
    found = logits.clone() if logits.dtype in (torch.float32, torch.float64) else logits.float()
    for row, request in enumerate(requests):
        if request.penalty != 1.0:
            seen = torch.tensor(sorted({*request.prompt, *request.written}), device=found.device)
            own = found[row, seen]
            found[row, seen] = torch.where(own < 0, own * request.penalty, own / request.penalty)
    return found
