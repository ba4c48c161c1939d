from __future__ import annotations

import pytest
import torch

from core.generation.lm_head import HeadSpec
from core.training.forward.fused_head import score_rows, tile_rows

ROWS, WIDTH, VOCABULARY, OWNERS = 37, 12, 53, 6


def problem(dtype: torch.dtype = torch.float64, **changes):
    generator = torch.Generator().manual_seed(3)

    def rand(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    head = HeadSpec(rand(VOCABULARY, WIDTH), **changes)
    hidden = rand(ROWS, WIDTH).requires_grad_()
    targets = torch.randint(VOCABULARY, (ROWS,), generator=generator)
    owner = torch.randint(OWNERS, (ROWS,), generator=generator)
    return hidden, targets, owner, head, rand(ROWS).abs()


def plain(hidden, targets, owner, head, weights=None):
    """The whole logit tensor through autograd."""
    logp = torch.log_softmax(head.logits(hidden), -1)
    rows = logp.gather(1, targets[:, None]).squeeze(1)
    weighted = rows if weights is None else rows * weights
    return torch.zeros(OWNERS, dtype=weighted.dtype).index_add(0, owner, weighted), rows, logp.detach()


FORMS = {
    "plain": {},
    "bias": {"bias": torch.linspace(-1, 1, VOCABULARY, dtype=torch.float64)},
    "scaled": {"scale": 0.3},
    "soft-capped": {"softcap": 2.5, "scale": 1.7},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tile", [1, 8, 64])
def test_that_sums_and_gradient_equal_autograd_through_full_logits(form, tile):
    hidden, targets, owner, head, weights = problem(**FORMS[form])
    upstream = torch.linspace(-1, 2, OWNERS, dtype=torch.float64)
    for given in (None, weights):
        expected = plain(hidden, targets, owner, head, given)[0]
        (wanted,) = torch.autograd.grad((expected * upstream).sum(), hidden)
        found = score_rows(hidden, targets, owner, OWNERS, head, weights=given, tile=tile)
        (grad,) = torch.autograd.grad((found.logps * upstream).sum(), hidden)
        torch.testing.assert_close(found.logps, expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(grad, wanted, rtol=1e-10, atol=1e-12)


def test_that_statistics_equal_their_definitions():
    hidden, targets, owner, head, _ = problem()
    found = score_rows(hidden, targets, owner, OWNERS, head, tile=8)
    _, rows, logp = plain(hidden, targets, owner, head)
    p = logp.exp()

    def sums(values):
        return torch.zeros(OWNERS, dtype=torch.float64).index_add(0, owner, values.double())

    torch.testing.assert_close(found.token_logps, rows.detach())
    torch.testing.assert_close(found.entropy, sums(-(p * logp).sum(-1)))
    torch.testing.assert_close(found.correct, sums(logp.argmax(-1) == targets))
    torch.testing.assert_close(found.wpo, sums(rows.detach() - p.square().sum(-1).log()))


def test_that_statistics_change_nothing_else_and_can_be_left_out():
    hidden, targets, owner, head, _ = problem(torch.float32)
    with_stats = score_rows(hidden, targets, owner, OWNERS, head)
    without = score_rows(hidden, targets, owner, OWNERS, head, stats=False)
    assert torch.equal(with_stats.logps, without.logps)
    assert without.entropy is None
    assert without.correct is None


def test_that_the_tile_size_does_not_change_a_float32_result_beyond_rounding():
    hidden, targets, owner, head, _ = problem(torch.float32)
    results = [score_rows(hidden, targets, owner, OWNERS, head, tile=tile).logps for tile in (1, 5, 64)]
    for other in results[1:]:
        torch.testing.assert_close(other, results[0], rtol=1e-6, atol=1e-6)


def test_that_a_training_head_gets_its_own_gradient():
    hidden, targets, owner, head, weights = problem()
    head.weight.requires_grad_()
    expected = plain(hidden, targets, owner, head, weights)[0]
    wanted = torch.autograd.grad(expected.square().sum(), (hidden, head.weight))
    found = score_rows(hidden, targets, owner, OWNERS, head, weights=weights, tile=8)
    grads = torch.autograd.grad(found.logps.square().sum(), (hidden, head.weight))
    for grad, want in zip(grads, wanted, strict=True):
        torch.testing.assert_close(grad, want, rtol=1e-10, atol=1e-12)
    assert found.entropy is not None
    assert not found.token_logps.requires_grad


def test_that_a_training_head_gives_the_bits_of_a_frozen_one():
    hidden, targets, owner, head, weights = problem(torch.float32)
    with torch.no_grad():
        frozen = score_rows(hidden, targets, owner, OWNERS, head, weights=weights, tile=8)
    head.weight.requires_grad_()
    found = score_rows(hidden, targets, owner, OWNERS, head, weights=weights, tile=8)
    assert found.logps.requires_grad
    assert torch.equal(found.logps.detach(), frozen.logps)
    assert torch.equal(found.token_logps, frozen.token_logps)


def test_that_a_head_that_is_a_module_is_scored_through_it():
    hidden, targets, owner, _, _ = problem()
    layer = torch.nn.Linear(WIDTH, VOCABULARY, dtype=torch.float64)
    through = HeadSpec(layer.weight, module=layer)
    plain_head = HeadSpec(layer.weight.detach(), bias=layer.bias.detach())
    found = score_rows(hidden, targets, owner, OWNERS, through)
    expected = score_rows(hidden, targets, owner, OWNERS, plain_head)
    torch.testing.assert_close(found.logps, expected.logps)
    found.logps.sum().backward()
    assert layer.bias.grad is not None
    with torch.no_grad():
        torch.testing.assert_close(score_rows(hidden, targets, owner, OWNERS, through).logps, expected.logps)


def test_that_extreme_logits_stay_finite():
    hidden, targets, owner, head, _ = problem(torch.float32)
    huge = HeadSpec(head.weight * 300)
    found = score_rows(hidden, targets, owner, OWNERS, huge)
    expected = plain(hidden.double(), targets, owner, HeadSpec(huge.weight.double()))[0]
    torch.testing.assert_close(found.logps, expected, rtol=1e-5, atol=1e-3)
    found.logps.sum().backward()
    assert torch.isfinite(hidden.grad).all()


def test_that_no_rows_score_zero():
    hidden, targets, owner, head, _ = problem()
    found = score_rows(hidden[:0], targets[:0], owner[:0], OWNERS, head)
    assert torch.equal(found.logps, torch.zeros(OWNERS, dtype=torch.float64))


def test_that_a_tile_stays_below_the_size_the_allocator_keeps():
    assert tile_rows(49152) * 49152 * 4 <= 30 << 20
    assert tile_rows(1_000_000) == 32
    assert tile_rows(100) == 256
