"""Several processes that train one model: the only module that knows rank and world size.

Every process (rank) holds the whole model and scores its share of each optimizer step's pairs. Gradients are sums over
pairs divided by the pairs of the whole step, so they are summed over ranks. The step's values are gathered, so that
every rank has the same numbers and makes the same decisions. ``torchrun`` starts the processes and sets RANK,
WORLD_SIZE, LOCAL_RANK and the address of the first.
"""

from __future__ import annotations

import copy
import datetime
import gc
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.domain.counting import counted
from core.domain.errors import UsageError
from core.training.control_protocol import Command, Control

T = TypeVar("T")
PATIENCE = datetime.timedelta(hours=12)
"""How long a rank waits for the others; rank 0 probes and saves while they wait."""


class ProcessGroup:
    """One process of ``size``; the only one unless torchrun started it."""

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
        self.rank = rank
        self.size = size
        self.local_rank = local_rank
        self._objects: Any = None

    @classmethod
    def from_environment(cls) -> ProcessGroup:
        """Return the group that torchrun describes in the environment, not yet joined; a single process without it."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size <= 1:
            return cls()
        return cls(int(os.environ["RANK"]), size, int(os.environ.get("LOCAL_RANK", "0")))

    @property
    def is_single(self) -> bool:
        """Whether this is the only process."""
        return self.size == 1

    @property
    def is_main(self) -> bool:
        """Whether this process reports, probes and writes files."""
        return self.rank == 0

    def device(self, wanted: str) -> str:
        """Return the device of this rank for the setting ``wanted``: its own GPU where the setting leaves the choice.

        Raises:
            UsageError: on every rank of a machine that has fewer GPUs than processes.
        """
        if self.is_single or wanted not in ("auto", "cuda") or not torch.cuda.is_available():
            return wanted
        here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", str(self.size))), torch.cuda.device_count()
        if here > gpus:
            raise UsageError(
                f"There are {here} processes, but {counted(gpus, 'GPU')} on this machine.",
                f"Start {gpus} at most, one a GPU.",
            )
        return f"cuda:{self.local_rank}"

    def threads(self, wanted: int) -> int:
        """Return the CPU threads of this rank: the setting, or its share of the cores (0 for a single process: all)."""
        if wanted or self.is_single:
            return wanted
        return max(1, (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", str(self.size))))

    def join(self, device: torch.device) -> None:
        """Connect to the other ranks: NCCL for gradients between GPUs, Gloo for other gradients and for objects."""
        if self.is_single or dist.is_initialized():
            return
        if device.type == "cuda":
            torch.cuda.set_device(device)
            dist.init_process_group("nccl", timeout=PATIENCE, device_id=device)
            self._objects = dist.new_group(backend="gloo", timeout=PATIENCE)
        else:
            dist.init_process_group("gloo", timeout=PATIENCE)

    def leave(self) -> None:
        """Disconnect from the other ranks."""
        if not self.is_single and dist.is_initialized():
            gc.collect()  # an exception may hold a group; freed at the interpreter's end, it aborts
            dist.destroy_process_group()

    def share(self, sizes: Sequence[int]) -> list[int]:
        """Return this rank's positions among a step's pairs; the ranks share the lengths ``sizes`` evenly."""
        order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
        return sorted(order[self.rank :: self.size])

    def gather(self, value: T) -> list[T]:
        """Return every rank's ``value``, in order of rank, on every rank."""
        if self.is_single:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value, group=self._objects)
        return found

    def from_main(self, value: T) -> T:
        """Return rank 0's ``value`` on every rank."""
        if self.is_single:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self._objects)
        return box[0]

    def raise_together(self, caught: Exception | None) -> None:
        """Raise on every rank the error of any rank, so that none waits for one that has stopped."""
        if self.is_single:
            if caught is not None:
                raise caught
            return
        found = self.gather(None if caught is None else _portable(caught, self.rank))
        if caught is not None:
            raise caught
        for error in found:
            if error is not None:
                raise error

    def require_same(self, facts: Mapping[str, str]) -> None:
        """Refuse to train when the ranks have different inputs: machines may hold other models, pairs or checkpoints.

        Raises:
            UsageError: on every rank, naming what differs.
        """
        everyone = self.gather(dict(facts))
        different = sorted(name for name in facts if len({own.get(name) for own in everyone}) > 1)
        if different:
            raise UsageError(
                f"The processes of this run do not have the same {', '.join(different)}.",
                "Give every machine the same model, the same code and one run folder on a shared disk.",
            )

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Sum the gradients of all ranks; a rank without pairs counts as zero."""
        if self.is_single:
            return
        by_kind: dict[tuple[torch.dtype, torch.device], list[Tensor]] = {}
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            by_kind.setdefault((parameter.grad.dtype, parameter.grad.device), []).append(parameter.grad)
        for gradients in by_kind.values():  # one call instead of hundreds of small ones
            flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
            dist.all_reduce(flat)
            for gradient, summed in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(summed.view_as(gradient))


def _portable(error: Exception, rank: int) -> Exception:
    """Return ``error`` if it can be sent to other processes, else an error with its text."""
    try:
        copy.deepcopy(error)  # fails where pickling would: when the error cannot be rebuilt from its arguments
    except Exception:  # noqa: BLE001 (copying an error may raise anything)
        return RuntimeError(f"process {rank}: {type(error).__name__}: {error}")
    return error


class SharedControl:
    """Implements :class:`core.training.control_protocol.Control` for all ranks.

    Rank 0 polls and sends its answer to the others.

    Every rank must poll equally often, so with several ranks the engine polls once a step.
    """

    def __init__(self, processes: ProcessGroup, control: Control) -> None:
        self._processes = processes
        self._control = control

    def command(self) -> Command:
        """Return the request that rank 0 read."""
        return self._processes.from_main(self._control.command() if self._processes.is_main else "run")

    def take_checkpoint_request(self) -> bool:
        """Return whether rank 0 was asked for a checkpoint."""
        return self._processes.from_main(self._control.take_checkpoint_request() if self._processes.is_main else False)

    def wait(self, seconds: float) -> None:
        """Sleep on rank 0; the others wait for its next answer."""
        if self._processes.is_main:
            self._control.wait(seconds)
