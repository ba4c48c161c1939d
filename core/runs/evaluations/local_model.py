"""The models of one run as arms: answers, log-probs of preference items and the sequence KL, a batch at a time.

This module imports torch (through generation, training and evaluation), so only what computes imports it. Batches
follow from the items and the settings alone: after a kill the same ones are computed again, with the same last bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from core.domain.conversation import Message, Prompt
from core.domain.errors import ModelRefused
from core.domain.evaluation_events import AnswerRow, KlRow, ScoreRow
from core.domain.evaluation_record import Arm
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.suite import SuiteItem
from core.evaluation.hidden_similarity import answer_similarities
from core.evaluation.sequence_kl import score_answers
from core.evaluation.token_kl import heads_of
from core.generation.context import base_of, position_limit
from core.generation.decoders import Decoder, open_decoder
from core.generation.footprint import limit_caches
from core.generation.sampler import DecoderSettings, Progress, Sampled, evaluating, sample
from core.generation.seeds import derive_seed
from core.model_files.identity import verify_model
from core.model_files.policy_files import policy_sha256
from core.runs.evaluations.model_batches import EncodedPrompt
from core.runs.evaluations.neutral_texts import encode_neutral
from core.runs.evaluations.templates import PLAIN, TEMPLATES, cut_at_next_turn
from core.runs.folder import RunFolder
from core.runs.moved_model import base_model_place
from core.training.export.trained_policy import load_trained
from core.training.forward.padded import PaddedScorer
from core.training.forward.scorer import Scorer
from core.training.forward.select import choose_scorer
from core.training.gate.left_out import ReadableRows, encode_usable
from core.training.policy.device import resolve_device, set_threads
from core.training.policy.model import LoadedModel
from core.training.text.encoded_pair import EncodedPair
from core.training.text.response_mask import drop_second_bos, encode_texts
from core.training.text.tokenise import PairEncoder, drop_oldest_turn

_TILE = 128
"""Rows whose logits exist at once."""
_MOST_PROMPT = 8192
"""Most tokens of a prompt where neither the model nor the run's settings say less."""


class LocalModel:
    """Policy and reference of one run, loaded for an evaluation.

    Args:
        run_dir: folder of the run.
        step: of the checkpoint; 0 is its result.
        config: settings of the evaluation.
        inputs: hashes that the evaluation was created with; other weights are refused.

    Raises:
        ModelRefused: when a file of the model or the policy was altered since.
        NotFound: when model or policy are gone.
    """

    def __init__(self, run_dir: Path, step: int, config: EvaluationConfig, inputs: dict[str, str]) -> None:
        folder = RunFolder(run_dir)
        record = folder.record()
        base = base_model_place(folder.path, record.model_dir)
        verify_model(base, record.model_files)
        if inputs.get("policy") and policy_sha256(run_dir, step, fresh=True) != inputs["policy"]:
            raise ModelRefused(
                f"The policy in {run_dir} was altered since this evaluation was created; nothing was measured with it.",
                "Restore it, or make a new evaluation.",
            )
        set_threads(config.threads)
        limit_caches()
        own, device = replace(record.config, device=config.device), resolve_device(config.device)
        self._hold(load_trained(base, own, run_dir, step, device=device), own, config)

    def _hold(self, model: LoadedModel, run_config: RunConfig, config: EvaluationConfig) -> None:
        """Take the loaded model; ``on_token`` is called after every token of a batch and may raise to end it."""
        self.config, self.run_config, self.model = config, run_config, model
        self.encoder = PairEncoder(model.tokenizer, run_config)
        self.decoder = DecoderSettings(
            config.temperature, config.top_p, config.top_k, config.max_new_tokens, config.repetition_penalty
        )
        self.on_token: Progress | None = None
        self._open: tuple[Any, Decoder] | None = None
        self._scorer: Scorer | None = None
        self._checked = -1

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self.model.device)

    def close(self) -> None:
        """Free the models."""
        self.model.release_reference()

    @contextmanager
    def _answering(self, arm: Arm) -> Iterator[Any]:
        if arm.is_policy:
            yield self.model.model
            return
        with self.model.reference() as reference:
            yield reference

    # Answers

    def encoded(self, arm: Arm, items: Sequence[SuiteItem], horizon: int) -> tuple[list[EncodedPrompt], list[str]]:
        """Return the prompts of the items as the arm reads them, and the ids of those that do not fit.

        Prompts without room for ``horizon`` tokens lose their oldest turns, system text kept.
        """
        room, fitting, left_out = self._room(horizon), [], []
        for item in items:
            found = self._fit(item, arm, room)
            if found is None:
                left_out.append(item.id)
            else:
                fitting.append(found)
        return fitting, left_out

    def _fit(self, item: SuiteItem, arm: Arm, room: int) -> EncodedPrompt | None:
        messages: list[Message] | None = list(arm.prompt(item.prompt).messages)
        whole = len(messages)
        while messages is not None:
            ids = self._prompt_ids(messages, arm.template)
            if len(ids) <= room:
                return EncodedPrompt(item, tuple(ids), whole - len(messages))
            messages = drop_oldest_turn(messages)
        return None

    def _prompt_ids(self, messages: Sequence[Message], template: str) -> list[int]:
        """Return the tokens that an answer starts behind, under the run's template or another one."""
        if not template:
            return self.encoder.prompt_ids(Prompt(tuple(messages)))
        text = TEMPLATES[template].render(messages)
        bos = self._plain.bos_text
        ids = encode_texts(self.model.tokenizer, [text if text.startswith(bos) else bos + text])[0].ids
        return drop_second_bos(ids, self._plain.bos_id)[0]

    @cached_property
    def _plain(self) -> PairEncoder:
        """How plain text is encoded: whether the tokenizer puts a token before it."""
        return PairEncoder(self.model.tokenizer, self._plain_config)

    @property
    def _plain_config(self) -> RunConfig:
        return replace(self.run_config, template="none", template_args="", template_date="")

    def _room(self, horizon: int) -> int:
        table = position_limit(self.model.model)
        if table:
            return table + 1 - horizon
        trained = getattr(base_of(self.model.model).config.get_text_config(), "max_position_embeddings", 0)
        longest = trained - horizon if isinstance(trained, int) and trained > horizon else _MOST_PROMPT
        return max(1, min(longest, _MOST_PROMPT))

    @contextmanager
    def decoding(self, arm: Arm, prompts: Sequence[EncodedPrompt]) -> Iterator[str]:
        """Prepare the arm's weights for many batches within the context; yield why no faster decoder was chosen."""
        if not prompts:
            yield ""
            return
        with self._answering(arm) as model, evaluating(model):
            rows = [prompt.ids for prompt in prompts]
            with open_decoder(model, rows, rows=self.config.batch_answers) as decoder:
                self._open = model, decoder
                try:
                    yield decoder.note
                finally:
                    self._open = None

    def _sample(
        self, arm: Arm, batch: Sequence[EncodedPrompt], seeds: Sequence[int], settings: DecoderSettings
    ) -> list[Sampled]:
        opened = self._open
        with nullcontext(opened[0]) if opened else self._answering(arm) as model:
            return sample(
                model,
                self.model.tokenizer,
                [prompt.ids for prompt in batch],
                seeds,
                settings,
                stop_ids=self.model.stop_ids,
                batch_size=len(batch),
                decoder=opened[1] if opened else None,
                on_progress=self.on_token,
            )

    def answer(self, arm: Arm, suite: str, batch: Sequence[EncodedPrompt]) -> list[AnswerRow]:
        """Sample an answer to each prompt of a batch.

        Under another template the text ends where the model goes on with the next turn by itself; the tokens are kept.
        """
        if not batch:
            return []
        seeds = [derive_seed(self.config.seed, "answer", suite, prompt.item.id) for prompt in batch]
        sampled = self._sample(arm, batch, seeds, self.decoder)
        texts = [cut_at_next_turn(found.text, arm.template) if arm.template else found.text for found in sampled]
        return [
            AnswerRow(
                suite, arm.name, prompt.item.id, text, len(found.token_ids), found.finished or text != found.text,
                found.seed, len(prompt.ids), prompt.dropped_turns, found.token_ids,
            )
            for prompt, found, text in zip(batch, sampled, texts, strict=True)
        ]  # fmt: skip

    # Log-probs of preference items

    def encoded_rows(self, arm: Arm, items: Sequence[SuiteItem]) -> tuple[list[EncodedPair], list[str]]:
        """Return the preference items and then the neutral texts as rows to score, and the ids of unusable ones."""
        pairs, left_out = self.encoded_pairs(arm, [item for item in items if item.expected == "preference"])
        texts, unread = encode_neutral(self._plain, items, self._room(0))
        return [*pairs, *texts], [*left_out, *unread]

    def encoded_pairs(self, arm: Arm, items: Sequence[SuiteItem]) -> tuple[list[EncodedPair], list[str]]:
        """Return the preference items as pairs of rows behind the arm's prompt, and the ids of unusable ones.

        Under another template the prompt is the text that it renders, and whole answers stand behind it as they are.
        """
        pairs = [
            TrainingPair(i.id, self._asked(arm, i), i.chosen, i.rejected, "dev", 1.0, i.target, i.is_tie) for i in items
        ]
        if not pairs:
            return [], []
        rows = ReadableRows.of(self.model.model, self.model.tokenizer, self.model.stop_ids)
        config = replace(self._plain_config, max_length=0) if arm.template else self.run_config
        usable, report = encode_usable(pairs, self.model.tokenizer, config, rows)
        found = sorted(usable, key=lambda pair: (pair.longer_row, pair.pair_id))
        if found:
            self._choose_scorer(found)
        return found, list(report.dropped_ids)

    def _asked(self, arm: Arm, item: SuiteItem) -> Prompt:
        """Return the prompt of a preference item; under another template its text as one turn of plain text."""
        prompt = arm.prompt(item.prompt)
        if not arm.template or arm.template == PLAIN:
            return prompt
        return Prompt.from_text(TEMPLATES[arm.template].render(prompt.messages))

    def _choose_scorer(self, pairs: Sequence[EncodedPair]) -> None:
        """Choose the fastest forward pass that agrees with padded rows, again where rows are longer than those tried.

        The kernel is a fixed one: a choice by speed would differ between attempts, and with it the last bits.
        """
        longest = pairs[-1].longer_row
        if self._scorer is not None and longest <= self._checked:
            return
        self._checked = longest
        if self.run_config.reference_model:
            self._scorer = PaddedScorer(self.model, note="the reference is a model of its own")
            return
        changes = {"forward": "auto", "router_aux_loss": 0.0, "grad_checkpointing": "off"}
        self._scorer = choose_scorer(self.model, replace(self.run_config, **changes), pairs, kernel="torch")

    @property
    def forward_note(self) -> str:
        """Why pairs are not scored by the fastest forward pass; "" where they are."""
        return str(getattr(self._scorer, "note", ""))

    @torch.no_grad()
    def score(
        self, arm: Arm, suite: str, pairs: Sequence[EncodedPair], *, scorer: Scorer | None = None
    ) -> list[ScoreRow]:
        """Return the log-probs of both answers of each pair under the arm, nats, summed in float64.

        Args:
            arm: whose.
            suite: named in the rows.
            pairs: of :meth:`encoded_rows`; texts and pairs are never scored together.
            scorer: another forward pass than the one that was chosen.
        """
        if not pairs:
            return []
        padded = None if self._scorer and pairs[0].rejected_ids else PaddedScorer(self.model)
        used = scorer or padded or self._scorer
        assert used is not None
        found = used.response_hidden(pairs, policy=arm.is_policy)
        logits_of = heads_of(self.model)[0 if arm.is_policy else 1]
        sums, counts = torch.zeros(2 * len(pairs), dtype=torch.float64), torch.zeros(2 * len(pairs), dtype=torch.int64)
        for start in range(0, len(found.targets), _TILE):
            part = slice(start, start + _TILE)
            logits = logits_of(found.hidden[part])
            logp = torch.log_softmax(logits if logits.dtype == torch.float64 else logits.float(), dim=-1)
            owner = found.owner[part].cpu()
            sums.index_add_(0, owner, logp.gather(1, found.targets[part, None]).squeeze(1).cpu().double())
            counts.index_add_(0, owner, torch.ones_like(owner))
        alike = answer_similarities(found.hidden, found.owner, len(pairs))
        return [
            ScoreRow(
                suite, arm.name, pair.pair_id, float(sums[2 * i]), float(sums[2 * i + 1]), int(counts[2 * i]),
                int(counts[2 * i + 1]), pair.truncated, alike[i].ches, alike[i].by_length,
            )
            for i, pair in enumerate(pairs)
        ]  # fmt: skip

    # Sequence KL

    def kl(self, arm: Arm, suite: str, batch: Sequence[EncodedPrompt]) -> list[KlRow]:
        """Sample answers from the unchanged policy up to the horizon and return the KL to the reference along each."""
        if not batch:
            return []
        ids = [prompt.ids for prompt in batch]
        seeds = [derive_seed(self.config.seed, "kl", suite, prompt.item.id) for prompt in batch]
        answers = self._sample(arm, batch, seeds, DecoderSettings(max_new_tokens=self.config.kl_max_new_tokens))
        found = score_answers(self.model, ids, answers, entropies=True)
        return [
            KlRow(
                suite, arm.name, prompt.item.id, kl.rb, kl.k1, len(answer.token_ids), answer.finished, answer.seed,
                _known(kl.entropy), _known(kl.reference_entropy),
            )
            for prompt, answer, kl in zip(batch, answers, found, strict=True)
        ]  # fmt: skip


def _known(value: float | None) -> float:
    return math.nan if value is None else value
