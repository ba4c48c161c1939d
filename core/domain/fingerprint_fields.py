"""How the fingerprints of runs differ: one field for each part of the objective, with both values and a sentence.

A fingerprint is one hash. Here it is taken apart again: what is scored, on which data, against which reference, under
which loss. Another value of a field marked ``asks_other`` makes numbers of two runs answers to different questions;
the others (beta, seed, learning rate) are what people vary on purpose, and margins in nats stay comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.run_config import SETTINGS
from core.domain.run_record import RunRecord
from core.domain.run_settings import NEVER, fingerprint_values

_SHORT = 8
"""Characters of a hash that are shown."""

ValueOf = Callable[[RunRecord], str]


def _nothing(_record: RunRecord) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class FingerprintField:
    """One part of what a fingerprint is made of.

    Attributes:
        name: for machines. label: for people.
        settings: names of the settings that belong to it.
        asks_other: whether another value means another question, not another answer to the same one.
        value: what is compared besides the settings, in words; "" for nothing.
        sentence: of a run with another value, with ``{own}`` and ``{base}``; "" names the settings that differ.
    """

    name: str
    label: str
    settings: tuple[str, ...] = ()
    asks_other: bool = False
    value: ValueOf = _nothing
    sentence: str = ""


def _base_model(record: RunRecord) -> str:
    return _hashed(Path(record.model_dir).name, record.inputs.get("model", ""))


def _tokenizer(record: RunRecord) -> str:
    return record.inputs.get("tokenizer", "")[:_SHORT]


def _eos_rule(record: RunRecord) -> str:
    if record.config.template == "none":
        return "scored: the tokenizer's EOS"
    if record.config.row_rules == "1":
        return "scored: the template's first special token"
    return "scored: the template's first stop token"


def _dataset(record: RunRecord) -> str:
    title = str(record.dataset.get("title") or "")
    return _hashed(title, str(record.dataset.get("root_sha256") or record.inputs.get("pairs", "")))


def _rubrics(record: RunRecord) -> str:
    return ", ".join(str(title) for title in record.dataset.get("rubrics") or ())


def _reference(record: RunRecord) -> str:
    config, inputs = record.config, record.inputs
    if "reference" in inputs:
        return _hashed("a third model", inputs["reference"])
    adapter = inputs.get("adapter", "")
    if adapter and config.reference in ("auto", "init"):
        return _hashed("the adapter it starts from", adapter)
    return "the base model"


def _start(record: RunRecord) -> str:
    adapter = record.inputs.get("adapter", "")
    return _hashed("an adapter", adapter) if adapter else ""


def _unknown(record: RunRecord) -> str:
    return ", ".join(record.unknown_settings)


def _hashed(text: str, sha256: str) -> str:
    return " ".join(part for part in (text, sha256[:_SHORT]) if part)


FIELDS: tuple[FingerprintField, ...] = (
    FingerprintField(
        "mask", "Mask", ("row_rules", "rewritten_answers"), True, sentence="other tokens of an answer are scored"
    ),
    FingerprintField("eos", "EOS rule", (), True, _eos_rule, "its EOS token is another one ({own}, not {base})"),
    FingerprintField("truncation", "Truncation", ("max_length", "min_response"), True),
    FingerprintField("template", "Template, date", ("template", "template_args", "template_date"), True),
    FingerprintField("sampling", "Sampling, order", ("shuffle", "seed", "batch_size", "epochs", "steps")),
    FingerprintField(
        "dataset", "Dataset version", (), True, _dataset, "it was trained on other pairs ({own}, not {base})"
    ),
    FingerprintField("rubric", "Rubric", (), True, _rubrics, "its labels answer another rubric ({own}, not {base})"),
    FingerprintField("beta", "β", ("beta",), sentence="its β is {own}, not {base}"),
    FingerprintField(
        "loss",
        "Loss",
        (
            "loss", "loss_mix", "label_smoothing", "f_divergence", "f_alpha", "rpo_alpha", "rpo_average",
            "router_aux_loss", "ld_alpha", "wpo", "dpop_lambda", "r_dpo_alpha", "simpo_gamma", "orpo_lambda",
            "tie_nu", "discopop_tau",
        ),
        True,
    ),
    FingerprintField(
        "reference", "Reference", ("reference", "ref_refresh_every", "ref_refresh_mix"), True, _reference,
        "its reference is {own}, not {base}",
    ),
    FingerprintField(
        "model", "Base model", (), True, _base_model, "it starts from another base model ({own}, not {base})"
    ),
    FingerprintField("tokenizer", "Tokenizer", (), True, _tokenizer, "it has another tokenizer ({own}, not {base})"),
    FingerprintField(
        "adapter",
        "Adapter",
        (
            "lora_r", "lora_alpha", "lora_targets", "lora_rslora", "lora_dora", "rank_pattern", "alpha_pattern",
            "modules_to_save", "lora_experts",
        ),
        value=_start,
    ),
    FingerprintField(
        "optimizer",
        "Optimizer, schedule",
        (
            "lr", "warmup", "scheduler", "lr_floor", "wsd_decay", "clip", "optimizer", "weight_decay",
            "adam_beta1", "adam_beta2", "adam_eps",
        ),
    ),
    FingerprintField("precision", "Precision", ("dtype", "quantize")),
    FingerprintField("thresholds", "Thresholds", ("kl_budget", "best_metric", "patience")),
    FingerprintField(
        "unknown", "Newer settings", (), True, _unknown, "it has settings that this version does not know ({own})"
    ),
)  # fmt: skip
"""All fields, those that decide what is asked first. Every setting of a fingerprint is in exactly one (a test)."""


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One field in several runs.

    Attributes:
        field: which. values: of each run, the baseline first, in words.
        differs: for each run, whether it differs from the baseline's; False for the baseline.
        sentences: for each run, how it differs, such as "its β is 0.05, not 0.1"; "" where it does not.
    """

    field: FingerprintField
    values: tuple[str, ...]
    differs: tuple[bool, ...]
    sentences: tuple[str, ...]

    def to_plain(self, letters: Sequence[str]) -> dict[str, Any]:
        """Return plain values by the letters of the runs."""
        return {
            "field": self.field.name,
            "label": self.field.label,
            "asks_other": self.field.asks_other,
            "values": dict(zip(letters, self.values, strict=True)),
            "differs": [letter for letter, other in zip(letters, self.differs, strict=True) if other],
            "sentences": {letter: text for letter, text in zip(letters, self.sentences, strict=True) if text},
        }


def compare_fields(records: Sequence[RunRecord]) -> tuple[FieldComparison, ...]:
    """Return every field of the runs, compared with the first run; fields that say nothing of any run are left out."""
    plain = [record.config.to_plain() for record in records]
    scored = [fingerprint_values(one, SETTINGS) for one in plain]
    found = [_compared(field, records, plain, scored) for field in FIELDS]
    return tuple(one for one in found if any(one.values))


def _compared(
    field: FingerprintField,
    records: Sequence[RunRecord],
    plain: Sequence[Mapping[str, Any]],
    scored: Sequence[Mapping[str, Any]],
) -> FieldComparison:
    other = [name for name in field.settings if len({repr(one.get(name)) for one in scored}) > 1]
    extra = [field.value(record) for record in records]
    values, differs, sentences = [], [], []
    for number, _ in enumerate(records):
        own = [name for name in field.settings if scored[number].get(name) != scored[0].get(name)]
        is_other = bool(own) or extra[number] != extra[0]
        values.append(_words(field, other, plain[number], extra[number]))
        differs.append(is_other)
        sentences.append(_sentence(field, own, plain[number], plain[0], extra[number], extra[0]) if is_other else "")
    return FieldComparison(field, tuple(values), tuple(differs), tuple(sentences))


def _words(field: FingerprintField, other: Sequence[str], plain: Mapping[str, Any], extra: str) -> str:
    """Return the value of a field: what differs between the runs, or what is not the default, or the first setting."""
    names = list(other) or [name for name in field.settings if plain[name] != SETTINGS[name].default]
    if not names and not extra:
        names = list(field.settings[:1])
    named = [f"{SETTINGS[name].label} {value_words(plain[name])}" for name in names]
    if len(field.settings) == 1:
        named = [value_words(plain[field.settings[0]])]
    return ", ".join(part for part in (extra, *named) if part)


def _sentence(
    field: FingerprintField,
    own: Sequence[str],
    plain: Mapping[str, Any],
    base: Mapping[str, Any],
    extra: str,
    base_extra: str,
) -> str:
    if field.sentence and (extra != base_extra or len(own) == 1 == len(field.settings)):
        values = (extra, base_extra) if extra != base_extra else (value_words(plain[own[0]]), value_words(base[own[0]]))
        return field.sentence.format(own=values[0] or "none", base=values[1] or "none")
    parts = [f"{_lower(SETTINGS[n].label)} {value_words(plain[n])}, not {value_words(base[n])}" for n in own]
    if extra != base_extra:
        parts.append(f"it starts from {extra or 'a fresh adapter'}, not from {base_extra or 'a fresh one'}")
    told = " and ".join(parts)
    return f"{field.sentence} ({told})" if field.sentence and "{" not in field.sentence else told


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def value_words(value: object) -> str:
    """Return the value of a setting as people read it.

    >>> value_words(True), value_words(2e-05), value_words(""), value_words(0.1)
    ('yes', '2e-05', 'none', '0.1')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


@dataclass(frozen=True, slots=True)
class SettingComparison:
    """One setting in several runs: its values, the baseline's first, and whether it is part of the fingerprint."""

    name: str
    label: str
    group: str
    values: tuple[Any, ...]
    in_fingerprint: bool

    @property
    def differs(self) -> bool:
        """Whether the runs have different values."""
        return len({repr(value) for value in self.values}) > 1

    def to_plain(self, letters: Sequence[str]) -> dict[str, Any]:
        """Return plain values by the letters of the runs."""
        return {
            "name": self.name,
            "label": self.label,
            "group": self.group,
            "values": dict(zip(letters, self.values, strict=True)),
            "in_fingerprint": self.in_fingerprint,
        }


def compare_settings(records: Sequence[RunRecord]) -> tuple[SettingComparison, ...]:
    """Return every setting with its value in each run, in the order of the form."""
    plain = [record.config.to_plain() for record in records]
    return tuple(
        SettingComparison(name, one.label, one.group, tuple(values[name] for values in plain), one.fingerprint != NEVER)
        for name, one in SETTINGS.items()
    )


def objection_of(fields: Sequence[FieldComparison], number: int, letter: str) -> str:
    """Return why numbers of a run are no answers to the baseline's question, in one sentence; "" where they are.

    Args:
        fields: of the comparison.
        number: of the run among the compared ones.
        letter: what it is called.
    """
    told = [one.sentences[number] for one in fields if one.differs[number] and one.field.asks_other]
    return f"{letter} has another objective: {'; '.join(told)}." if told else ""


def variation_of(fields: Sequence[FieldComparison], number: int, letter: str) -> str:
    """Return in one sentence what else a run varies (beta, seed, learning rate); "" where nothing does."""
    told = [one.sentences[number] for one in fields if one.differs[number] and not one.field.asks_other]
    return f"{letter} varies: {'; '.join(told)}." if told else ""
