"""Per-token reference log-probs on disk, so that a sweep over beta, loss, rate, rank or seed computes them once.

A record is keyed by two hashes. The folder's name is the hash of the model: base weights, reference (adapter
included), dtype, quantisation and kernel. The record's key is the hash of the pair's token ids and masks. Settings
that are in neither (beta, loss, seed, the order or number of pairs) do not change the record.

Records are written in segments, files that are never changed: one line of JSON with the keys of the records and the
sha256 of the rest, then little-endian floats. A segment that does not verify is skipped, and its pairs are computed
again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core import durable
from core.domain.errors import UserError
from core.domain.ids import canonical_json, sha256_json
from core.private_files import make_folders
from core.training.forward.scorer import Scorer
from core.training.text.encoded_pair import EncodedPair

FORMAT = 1
SEGMENT_PAIRS = 256
"""Pairs of a segment: the most that an interrupted pass can lose."""
_DTYPES = {"float32": np.dtype("<f4"), "float64": np.dtype("<f8")}

TokenLogps = tuple[Tensor, Tensor]
"""Log-probs in nats of the response tokens of chosen and rejected, each (tokens,) on the CPU."""


@dataclass(frozen=True, slots=True)
class ReferenceIdentity:
    """Everything that a reference log-prob depends on, apart from the tokens.

    Attributes:
        base_sha256: of the base weights and architecture.
        reference_sha256: of base and frozen reference adapter together.
        dtype: of weights and activations.
        quantisation: "none" or the number format of the base.
        kernel_id: of the scorer.
    """

    base_sha256: str
    reference_sha256: str
    dtype: str
    quantisation: str
    kernel_id: str

    @classmethod
    def of(cls, model: Any, scorer: Scorer) -> ReferenceIdentity:
        """Return the identity of a loaded model's reference, computed by ``scorer``."""
        return cls(
            base_sha256=model.reference_base_sha256,
            reference_sha256=model.reference_sha256,
            dtype=str(model.dtype).removeprefix("torch."),
            quantisation=model.run_config.quantize,
            kernel_id=getattr(scorer, "reference_kernel_id", scorer.kernel_id),
        )

    @property
    def folder_name(self) -> str:
        """Name of the folder that holds the records of this identity."""
        return sha256_json([FORMAT, asdict(self)])


class ReferenceCache:
    """Reference log-probs of pairs, read from disk or else computed by a scorer.

    Args:
        cache_dir: folder of all caches; None keeps nothing on disk.
        identity: of model and scorer.

    Attributes:
        hits, misses: pairs read from disk and pairs computed, since the cache was opened.
        damaged: segments that did not verify.
    """

    def __init__(self, cache_dir: Path | None, identity: ReferenceIdentity) -> None:
        self.identity = identity
        self.hits = self.misses = self.damaged = 0
        self._folder = None if cache_dir is None else Path(cache_dir) / "reference" / identity.folder_name
        self._known: dict[str, TokenLogps] | None = None

    def missing(self, encoded: Sequence[EncodedPair]) -> list[EncodedPair]:
        """Return the pairs whose reference log-probs must be computed, each content once."""
        known = self._load()
        return list({p.content_key: p for p in encoded if p.content_key not in known}.values())

    def fetch(
        self,
        encoded: Sequence[EncodedPair],
        scorer: Scorer,
        on_progress: Callable[[int, int], None] | None = None,
        *,
        batch: int = 4,
    ) -> dict[str, TokenLogps]:
        """Return the reference log-probs of every pair by pair id, computing and storing those that are missing."""
        for done, total in self.fill(encoded, scorer, batch=batch):
            if on_progress is not None:
                on_progress(done, total)
        return self.lookup(encoded)

    def fill(self, encoded: Sequence[EncodedPair], scorer: Scorer, *, batch: int = 4) -> Iterator[tuple[int, int]]:
        """Compute and store what is missing, yielding (done, total) after every ``batch`` pairs.

        What was computed is stored even when the caller stops iterating. On a full disk the records are not stored,
        and the run continues.
        """
        wanted = self.missing(encoded)
        self.hits += len(encoded) - len(wanted)
        self.misses += len(wanted)
        unsaved: dict[str, TokenLogps] = {}
        try:
            for start in range(0, len(wanted), batch):
                part = wanted[start : start + batch]
                scores = scorer.score(part, policy=False, stats=False)
                for pair, (chosen, rejected) in zip(part, scores.token_logps, strict=True):
                    unsaved[pair.content_key] = (chosen.detach().cpu().clone(), rejected.detach().cpu().clone())
                if len(unsaved) >= SEGMENT_PAIRS:
                    self._keep(unsaved)
                    unsaved = {}
                yield min(start + batch, len(wanted)), len(wanted)
        finally:
            self._keep(unsaved)

    def add(self, encoded: Sequence[EncodedPair], token_logps: Sequence[TokenLogps]) -> None:
        """Store log-probs that the cache's own scorer has computed for pairs that were missing."""
        self.misses += len(encoded)
        pairs = zip(encoded, token_logps, strict=True)
        self._keep({pair.content_key: (c.detach().cpu().clone(), r.detach().cpu().clone()) for pair, (c, r) in pairs})

    def lookup(self, encoded: Sequence[EncodedPair]) -> dict[str, TokenLogps]:
        """Return the log-probs, by pair id, of pairs that :meth:`fill` was called with."""
        known = self._load()
        return {pair.pair_id: known[pair.content_key] for pair in encoded}

    def _keep(self, records: dict[str, TokenLogps]) -> None:
        if not records:
            return
        self._load().update(records)
        if self._folder is None:
            return
        data = encode_segment(records)
        with contextlib.suppress(UserError, OSError):
            make_folders(self._folder)
            if not (self._folder / "identity.json").exists():
                durable.write_json(self._folder / "identity.json", asdict(self.identity))
            durable.write_bytes(self._folder / f"{hashlib.sha256(data).hexdigest()[:32]}.seg", data)

    def _load(self) -> dict[str, TokenLogps]:
        """Read every segment of the folder, once."""
        if self._known is None:
            self._known = {}
            for path in sorted(self._folder.glob("*.seg")) if self._folder and self._folder.is_dir() else ():
                try:
                    self._known.update(decode_segment(path.read_bytes()))
                except (OSError, ValueError, KeyError, TypeError):
                    self.damaged += 1
        return self._known


def encode_segment(records: dict[str, TokenLogps]) -> bytes:
    """Return the bytes of a segment: a line of JSON, then the floats of every record in its order."""
    wide = any(t.dtype == torch.float64 for pair in records.values() for t in pair)
    name = "float64" if wide else "float32"
    arrays = [t.numpy().astype(_DTYPES[name]) for pair in records.values() for t in pair]
    body = b"".join(array.tobytes() for array in arrays)
    entries = [[key, len(chosen), len(rejected)] for key, (chosen, rejected) in records.items()]
    header = {"format": FORMAT, "dtype": name, "entries": entries, "sha256": _digest(entries, body)}
    return canonical_json(header).encode() + b"\n" + body


def decode_segment(data: bytes) -> dict[str, TokenLogps]:
    """Read a segment back.

    Raises:
        ValueError: when it is cut short, altered, of another format, or holds a value that is not finite.
    """
    line, _, body = data.partition(b"\n")
    header = json.loads(line)
    if header["format"] != FORMAT or header["sha256"] != _digest(header["entries"], body):
        raise ValueError("segment does not verify")
    values = torch.from_numpy(np.frombuffer(body, dtype=_DTYPES[header["dtype"]]).copy())
    if not torch.isfinite(values).all():
        raise ValueError("segment holds values that are not finite")
    lengths = [n for _, chosen, rejected in header["entries"] for n in (chosen, rejected)]
    parts = values.split(lengths)
    return {
        entry[0]: (chosen, rejected)
        for entry, chosen, rejected in zip(header["entries"], parts[::2], parts[1::2], strict=True)
    }


def _digest(entries: list[list[Any]], body: bytes) -> str:
    return hashlib.sha256(canonical_json(entries).encode() + b"\n" + body).hexdigest()
