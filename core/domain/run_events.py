"""The events of a run: frozen values that cross thread, process and file unchanged.

``train`` yields them; the recorder stores them; window and command line show the same ones.
A run begins with ``RunStarted`` and ends with exactly one ``Finished`` or ``Failed``.
Units: log-probs, h and KL in nats; rewards and margin in nats * beta; times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, Union, get_args

from core.domain.look_plan import LooksPlanned


@dataclass(frozen=True, slots=True)
class PairMetrics:
    """One pair in one optimizer step (or probe). Log-probs are sums over response tokens incl. EOS.

    ``h`` = (logp_chosen - ref_chosen) - (logp_rejected - ref_rejected) in nats; ``margin`` z = beta * h
    for reference-based losses, and the loss's own margin otherwise; ``weight`` is the gradient weight
    sigma(-z) for sigmoid and |dloss/dz| in general.
    """

    pair_id: str
    loss: float
    logp_chosen: float
    logp_rejected: float
    ref_chosen: float
    ref_rejected: float
    h: float
    margin: float
    weight: float
    tokens_chosen: int
    tokens_rejected: int
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Always first."""

    event: ClassVar[str] = "started"
    run_id: str
    total_steps: int
    epochs: float
    n_train: int
    n_dev: int
    device: str
    dtype: str
    fingerprint: str
    resumed_from: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """Which part of a run or an evaluation is going on; the only source of progress outside the steps."""

    event: ClassVar[str] = "phase"
    phase: Literal[
        "load",
        "tokenise",
        "forward",
        "reference",
        "gate",
        "train",
        "evaluate",
        "kl",
        "sample",
        "save",
        "answer",
        "score",
        "measure",
    ]
    done: int = 0
    total: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the truth gate measured before the first step."""

    event: ClassVar[str] = "gate"
    passed: bool
    loss: float
    expected_loss: float
    h_max: float
    checks: dict[str, str] = field(default_factory=dict)
    cause: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What tokenising did to the data.

    Lengths are tokens of the longer row of each pair, before anything of it was cut. ``double_bos``: pairs
    that lost a second BOS.
    ``eos_added``: pairs whose text has no stop token of its own. ``identical``: dropped, since both
    sides are the same tokens once truncated. ``left_out``: reason -> the ids of the pairs that the run cannot use, all
    of them in ``dropped_ids`` too (:mod:`core.domain.left_out`). ``empty_answers``: pairs with an answer of no text;
    they train.
    ``rewritten``: pairs whose scored text is not the answer, because the chat template changes it. ``respelled``:
    pairs whose tokens stand for another text than the answer. ``other_header``: pairs whose responses start behind
    another header than the one that generation starts from. ``changed_prompts``: pairs of whose prompt the template
    does not show every turn whole. ``control_tokens``: pairs with a control token inside a text.
    ``cut_prompts``, ``cut_answers``: truncated pairs that lost the start of the prompt, or the end of an answer.
    ``lost_system``: those of them whose system text is gone. ``folded_system``: pairs whose system text opens the first
    question, because the template has no place for it. ``template_says``: what the template says when it refuses
    conversations -> how many of them. At most 100 pairs of a kind are named.
    """

    event: ClassVar[str] = "tokens"
    pairs: int
    truncated: int
    dropped: int
    merged_boundaries: int
    p50: int
    p95: int
    longest: int
    dropped_ids: tuple[str, ...] = ()
    truncated_ids: tuple[str, ...] = ()
    double_bos: int = 0
    eos_added: int = 0
    identical: int = 0
    left_out: dict[str, list[str]] = field(default_factory=dict)
    empty_answers: int = 0
    rewritten: int = 0
    rewritten_ids: tuple[str, ...] = ()
    respelled: int = 0
    respelled_ids: tuple[str, ...] = ()
    other_header: int = 0
    changed_prompts: int = 0
    control_tokens: int = 0
    cut_prompts: int = 0
    cut_answers: int = 0
    lost_system: int = 0
    folded_system: int = 0
    template_says: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepDone:
    """One optimizer step. Means are over its pairs: sum divided by count, ties counted one half.

    ``micro_batches``: passes that the step was split into; the run looks at its requests before each. 0: not known.
    ``resident_bytes``: memory of the process that trains, after the step; of several processes, the first one's.
    ``cuda_peak_bytes``: the most that its tensors took on the card so far. Both are None where they are not known.
    """

    event: ClassVar[str] = "step"
    step: int
    epoch: float
    loss: float
    margin: float
    h: float
    accuracy: float
    reward_chosen: float
    reward_rejected: float
    logp_chosen: float
    logp_rejected: float
    displacement_chosen: float
    displacement_rejected: float
    gradient_weight: float
    grad_norm: float
    lr: float
    tokens_per_s: float
    pairs: int
    truncated: int
    seconds: float
    entropy: float | None = None
    token_accuracy: float | None = None
    micro_batches: int = 0
    resident_bytes: int | None = None
    cuda_peak_bytes: int | None = None
    extra: dict[str, float] = field(default_factory=dict)
    rows: tuple[PairMetrics, ...] = ()


@dataclass(frozen=True, slots=True)
class EvalDone:
    """The probe of one split at one step: exact means over its pairs, and exact token KL.

    ``kl_chosen`` and ``kl_rejected`` are means over response positions of the full-vocabulary
    KL(policy || reference) in nats per token, on the prefixes of chosen and of rejected; ``kl_chosen_se`` and
    ``kl_rejected_se`` are their standard errors over pairs, None where an older run did not record them.
    """

    event: ClassVar[str] = "eval"
    step: int
    split: str
    pairs: int
    loss: float
    margin: float
    h: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    ref_accuracy: float
    reward_chosen: float
    reward_rejected: float
    logp_chosen: float
    logp_rejected: float
    displacement_chosen: float
    displacement_rejected: float
    kl_chosen: float | None = None
    kl_rejected: float | None = None
    kl_chosen_se: float | None = None
    kl_rejected_se: float | None = None
    rows: tuple[PairMetrics, ...] = ()


@dataclass(frozen=True, slots=True)
class KlDone:
    """On-policy sequence KL(policy || reference), Rao-Blackwellised, nats in the first ``horizon`` tokens.

    Source: Amini, Vieira, Cotterell 2025 (arXiv 2504.10637). ``k1`` is the plain Monte Carlo estimate
    on the same samples; ``horizon`` tokens at most; ``censored`` is the share cut there.
    """

    event: ClassVar[str] = "kl"
    step: int
    kl: float
    se: float
    k1: float
    k1_se: float
    per_token: float
    samples: int
    horizon: int
    censored: float


@dataclass(frozen=True, slots=True)
class SampleDone:
    """One prompt answered by policy and reference under the same seed."""

    event: ClassVar[str] = "sample"
    step: int
    pair_id: str
    prompt: str
    policy: str
    reference: str
    seed: int
    kl: float | None = None


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """A checkpoint whose manifest was written and verified; ``best`` says by what it is the best so far, or is ""."""

    event: ClassVar[str] = "checkpoint"
    step: int
    path: str
    sha256: str
    seconds: float
    best: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know; the run continues."""

    event: ClassVar[str] = "warning"
    code: str
    message: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The run was paused, resumed, or is stopping."""

    event: ClassVar[str] = "state"
    state: Literal["running", "paused", "stopping"]
    step: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """Last event of a run that ended as asked."""

    event: ClassVar[str] = "finished"
    reason: Literal["completed", "stopped", "stopped_without_saving", "kl_budget", "early_stop"]
    step: int
    adapter_path: str = ""
    seconds: float = 0.0
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """Last event of a run that did not. ``kind`` is a machine name such as gate:missing_eos, nan, oom, error."""

    event: ClassVar[str] = "failed"
    kind: str
    message: str
    hint: str = ""
    step: int = 0
    pair_ids: tuple[str, ...] = ()
    traceback: str = ""


RunEvent = Union[
    RunStarted,
    PhaseChanged,
    GateReport,
    TokenReport,
    LooksPlanned,
    StepDone,
    EvalDone,
    KlDone,
    SampleDone,
    CheckpointSaved,
    Warned,
    StateChanged,
    Finished,
    Failed,
]
MACHINE_FIELDS = ("seconds", "tokens_per_s", "resident_bytes", "cuda_peak_bytes")
"""Numbers of a step that tell of the machine and its clock: two runs that compute the same differ in them."""
EVENT_TYPES: dict[str, type] = {cls.event: cls for cls in get_args(RunEvent)}
TERMINAL = (Finished, Failed)


def to_plain(event: Any, *, rows: bool = True) -> dict[str, Any]:
    """Return plain values with the event's name first; ``rows=False`` leaves the per-pair rows out."""
    plain = {"event": event.event, **asdict(event)}
    if not rows:
        plain.pop("rows", None)
    return plain


def from_plain(plain: dict[str, Any], types: Mapping[str, type] = EVENT_TYPES) -> Any:
    """Return the event written by :func:`to_plain`; unknown fields of a newer writer are ignored."""
    cls = types[plain["event"]]
    names = {f.name for f in fields(cls)}
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items() if k in names}
    if "rows" in values:
        values["rows"] = tuple(row if isinstance(row, PairMetrics) else PairMetrics(**row) for row in values["rows"])
    return cls(**values)
