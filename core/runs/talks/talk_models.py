"""The models of a talk: they are loaded once, and answer, colour and render as often as they are asked.

This module imports torch (through generation and evaluation), so it is imported only by the child program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.evaluation_record import Arm
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.prompt_inspection import Author, InspectedAnswer
from core.domain.suite import SuiteItem
from core.domain.talk import Reply, TalkSettings
from core.domain.talk_events import RenderedPrompt, TalkToken
from core.evaluation.token_shift import token_shifts
from core.generation.context import position_limit
from core.generation.decoders import Decoder, open_decoder, open_pair_decoder
from core.generation.decoding import room
from core.generation.requests import POLICY, REFERENCE
from core.generation.sampler import DecoderSettings, answer_text, write
from core.generation.seeds import derive_seed, uniforms
from core.generation.streaming import Stopped, StreamedRequest, StreamedText
from core.runs.evaluations.local_model import LocalModel
from core.runs.evaluations.model_batches import EncodedPrompt
from core.training.text.response_mask import encode_texts

_LIKELY = 5
"""Likeliest tokens of each model that are named at each place of a coloured answer."""
_USUAL_PROMPT = 1024
"""Tokens of a prompt that decoders are opened for; a longer one opens them again."""
_SUITE = "talk"

OnToken = Callable[[TalkToken], None]
Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class _Writing:
    """An answer while it is written."""

    arm: str
    prompt: EncodedPrompt
    seed: int
    request: StreamedRequest
    text: StreamedText
    began: float
    first: float | None = None
    last: float | None = None

    def reply(self, tokenizer: Any, stops: frozenset[int], stopped: bool) -> Reply:
        """Return the answer as it stands; ``stopped`` says that all writing was stopped."""
        ids = self.request.written
        finished = bool(ids) and ids[-1] in stops
        return Reply(
            self.arm,
            answer_text(tokenizer, ids, finished),
            tuple(ids),
            finished,
            stopped and not self.request.ended,
            self.seed,
            len(self.prompt.ids),
            self.prompt.dropped_turns,
            self.first,
            self.last,
        )


@dataclass(slots=True)
class _RunModels:
    """The models of one run, and the arms that they answer for."""

    model: LocalModel
    arms: list[Arm] = field(default_factory=list)
    decoders: list[tuple[Decoder, dict[str, int]]] = field(default_factory=list)


class TalkModels:
    """Policy, reference and another run, loaded for a talk.

    Args:
        arms: who answers; those of one run and step share its models.
        device: where the models compute.
        threads: of torch; 0 chooses.
        on_progress: told while models are loaded.

    Raises:
        ModelRefused: when a file of a model was altered.
        NotFound: when a run has no weights, or its model is gone.
    """

    def __init__(
        self, arms: Sequence[Arm], *, device: str = "auto", threads: int = 0, on_progress: Progress = lambda *_: None
    ) -> None:
        self._stack = ExitStack()
        self._opened_for = 0
        self._sources: dict[tuple[str, int], _RunModels] = {}
        config = EvaluationConfig().with_values({"device": device, "threads": threads})
        wanted = list(dict.fromkeys(arm.source for arm in arms))
        for done, (run_dir, step) in enumerate(wanted):
            on_progress(done, len(wanted) + 1, "Loading the model")
            self._sources[run_dir, step] = _RunModels(LocalModel(Path(run_dir), step, config, {}))
        for arm in arms:
            self._sources[arm.source].arms.append(arm)
        on_progress(len(wanted), len(wanted) + 1, "Preparing the decoder")
        self._open(_USUAL_PROMPT)

    def close(self) -> None:
        """Free the decoders."""
        self._stack.close()

    def notes(self) -> list[str]:
        """Return how the answers are decoded and why no faster way was chosen, one line a decoder."""
        return [
            f"{', '.join(groups)}: {decoder.name}" + (f" ({decoder.note})" if decoder.note else "")
            for source in self._sources.values()
            for decoder, groups in source.decoders
        ]

    def _open(self, longest: int) -> None:
        """Open the decoders for prompts up to a length, and release the earlier ones."""
        self._stack.close()
        self._opened_for = longest
        for source in self._sources.values():
            source.decoders = list(self._decoders(source, longest))

    def _decoders(self, source: _RunModels, longest: int) -> Sequence[tuple[Decoder, dict[str, int]]]:
        model, enter = source.model.model, self._stack.enter_context
        policies = [arm.name for arm in source.arms if arm.is_policy]
        references = [arm.name for arm in source.arms if not arm.is_policy]
        ids = source.model.encoder.prompt_ids(Prompt.from_text("Hello"))
        like = [(ids * (longest // len(ids) + 1))[:longest]]
        if policies and references and model.reference_kind in ("adapter_off", "reference_adapter"):
            groups = {**dict.fromkeys(policies, POLICY), **dict.fromkeys(references, REFERENCE)}
            return [(enter(open_pair_decoder(model, like)), groups)]
        found = []
        if policies:
            found.append((enter(open_decoder(model.model, like)), dict.fromkeys(policies, POLICY)))
        if references:
            reference = enter(model.reference())
            found.append((enter(open_decoder(reference, like)), dict.fromkeys(references, POLICY)))
        return found

    # Answers

    def answer(
        self,
        asked: Mapping[str, Prompt],
        settings: TalkSettings,
        *,
        on_token: OnToken,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[Reply]:
        """Return the answers of some arms, each told token by token while all are written.

        Args:
            asked: what each arm is asked.
            settings: of the decoder.
            on_token: may be called from several threads, one for each decoder.
            stopped: asked after each token; True ends all answers where they are.

        Raises:
            BadInput: for a prompt that a model cannot read; nobody answered.
        """
        began = time.perf_counter()

        def told(writing: _Writing) -> Callable[[StreamedRequest], None]:
            def tell(request: StreamedRequest) -> None:
                writing.last = time.perf_counter() - began
                writing.first = writing.last if writing.first is None else writing.first
                text = writing.text.add(request.written[-1])
                on_token(TalkToken(writing.arm, text, len(request.written), request.ended))
                if stopped():
                    raise Stopped

            return tell

        written = [self._writing(arm, prompt, settings, began) for arm, prompt in asked.items()]
        for one in written:
            one.request.on_token = told(one)
        longest = max(len(one.prompt.ids) for one in written)
        if longest > self._opened_for:
            self._open(2 * longest)
        jobs = list(self._jobs(written))
        penalty = settings.repetition_penalty
        drawn = DecoderSettings(settings.temperature, settings.top_p, settings.top_k, settings.max_new_tokens, penalty)
        with ThreadPoolExecutor(len(jobs)) as pool:
            ended = list(pool.map(lambda job: _write(job[0], job[1], job[2], drawn), jobs))
        replies = []
        for one in written:
            model = self._source(one.arm).model.model
            replies.append(one.reply(model.tokenizer, frozenset(model.stop_ids), not all(ended)))
        return replies

    def _writing(self, arm: str, prompt: Prompt, settings: TalkSettings, began: float) -> _Writing:
        source = self._source(arm)
        encoded, most = self._encoded(arm, prompt, settings.max_new_tokens), settings.max_new_tokens
        seed = settings.seed if settings.same_seed else derive_seed(settings.seed, arm)
        positions = position_limit(source.model.model.model)
        group = next(groups[arm] for _, groups in source.decoders if arm in groups)
        request = StreamedRequest(
            encoded.ids,
            uniforms(seed, most).tolist(),
            room(len(encoded.ids), most, positions),
            group,
            penalty=settings.repetition_penalty,
        )
        return _Writing(arm, encoded, seed, request, StreamedText(source.model.model.tokenizer), began)

    def _jobs(self, written: Sequence[_Writing]) -> Sequence[tuple[Decoder, list[StreamedRequest], frozenset[int]]]:
        found = []
        for source in self._sources.values():
            for decoder, groups in source.decoders:
                if requests := [one.request for one in written if one.arm in groups]:
                    found.append((decoder, requests, frozenset(source.model.model.stop_ids)))
        return found

    # Looks at what was said

    def shifts(self, arm: str, prompt: Prompt, text: str, token_ids: Sequence[int]) -> InspectedAnswer:
        """Return an answer of an arm token by token under the policy and the reference of its own run."""
        source = self._source(arm)
        encoded = self._encoded(arm, prompt, max(1, len(token_ids)))
        tokens = token_shifts(source.model.model, encoded.ids, token_ids, _LIKELY)
        author: Author = "policy" if self._arm(arm).is_policy else "reference"
        finished = bool(token_ids) and token_ids[-1] in source.model.model.stop_ids
        return InspectedAnswer(arm, author, text, tuple(tokens), finished)

    def rendered(self, arm: str, prompt: Prompt, settings: TalkSettings) -> RenderedPrompt:
        """Return what an arm reads before it answers: the text of exactly the tokens that it gets."""
        tokenizer = self._source(arm).model.model.tokenizer
        encoded, special = self._encoded(arm, prompt, settings.max_new_tokens), set(tokenizer.all_special_ids)
        special |= {id_ for id_, token in tokenizer.added_tokens_decoder.items() if token.special}
        pieces: list[tuple[bool, list[int]]] = []
        for id_ in encoded.ids:
            if not pieces or id_ in special or pieces[-1][0]:
                pieces.append((id_ in special, []))
            pieces[-1][1].append(id_)
        backend = tokenizer.backend_tokenizer
        parts = [(backend.decode(ids, skip_special_tokens=False), is_special) for is_special, ids in pieces]
        first = prompt.messages[0]
        system = len(encode_texts(tokenizer, [first.content])[0].ids) if first.role == "system" else 0
        return RenderedPrompt(parts, len(encoded.ids), system, encoded.dropped_turns)

    def _encoded(self, arm: str, prompt: Prompt, horizon: int) -> EncodedPrompt:
        found, _ = self._source(arm).model.encoded(self._arm(arm), [SuiteItem(_SUITE, prompt, "open")], horizon)
        if not found:
            raise BadInput("The model cannot read this: its last message alone is too long.", "Shorten the message.")
        return found[0]

    def _arm(self, name: str) -> Arm:
        return next(arm for arm in self._source(name).arms if arm.name == name)

    def _source(self, arm: str) -> _RunModels:
        return next(source for source in self._sources.values() if arm in [one.name for one in source.arms])


def _write(decoder: Decoder, requests: list[StreamedRequest], stops: frozenset[int], settings: DecoderSettings) -> bool:
    """Write some answers; return False when they were stopped."""
    try:
        write(decoder, requests, settings, stops)
    except Stopped:
        return False
    return True
