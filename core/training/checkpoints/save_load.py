"""Checkpoints: everything a run needs to continue, in safetensors and JSON, published whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from core import bounded, durable
from core.domain.errors import BadInput, UserError
from core.domain.run_config import RunConfig
from core.private_files import make_folders
from core.training.parallel.fsdp import sharded_like
from core.training.policy.adapters import POLICY
from core.training.policy.model import LoadedModel
from core.training.reference import tr_dpo
from core.training.steps.optimizer import load_optimizer_tensors
from core.training.text.fixed_settings import is_open

FOLDER = "checkpoints"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of a run after an optimizer step, without the tensors.

    The step gives the position in the data order. ``inputs`` are the hashes that enter the fingerprint.

    Attributes:
        micro_count, micro_tokens: limits of a forward pass if memory ran out before; 0 otherwise.
        kernel_id: of the scorer; with another one the run would not continue bit for bit.
        pairs_seen, tokens_seen: counted over the whole run. seconds: of training, without pauses.
        starts_at_reference: whether the policy was exactly the reference before the first step.
        idle_steps: how many of the steps had a learning rate of 0.
        first: loss, margin, accuracy of the first step.
        fork_from: of a fork, the checkpoint it continues and the settings that changed; {} otherwise.
        best: the best held-out measurement so far (:mod:`core.training.steps.best`); {} where none decides.
    """

    step: int
    total_steps: int
    config: dict[str, Any]
    inputs: dict[str, str]
    fingerprint: str
    attempt: int = 1
    micro_count: int = 0
    micro_tokens: int = 0
    kernel_id: str = ""
    pairs_seen: int = 0
    tokens_seen: int = 0
    seconds: float = 0.0
    idle_steps: int = 0
    starts_at_reference: bool = False
    first: dict[str, float] = field(default_factory=dict)
    fork_from: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return the content of ``state.json``."""
        return {"format": _FORMAT, **asdict(self)}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> RunState:
        """Return the state written by :meth:`to_plain`."""
        names = {f.name for f in fields(cls)}
        return cls(**{key: value for key, value in row.items() if key in names})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint whose manifest verified."""

    path: Path
    state: RunState
    sha256: str


def step_folder(run_dir: Path, step: int) -> Path:
    """Return the folder of the checkpoint of ``step``."""
    return Path(run_dir) / FOLDER / f"step-{step}"


def listed(run_dir: Path) -> list[Path]:
    """Return all checkpoint folders, newest step first, verified or not."""
    found = [p for p in (Path(run_dir) / FOLDER).glob("step-*") if p.name[5:].isdigit()]
    return sorted(found, key=lambda p: -int(p.name[5:]))


def save(run_dir: Path, state: RunState, model: LoadedModel, optimizer_state: Mapping[str, Tensor]) -> Checkpoint:
    """Publish the checkpoint of ``state.step`` and verify it.

    ``optimizer_state`` is what :func:`core.training.steps.optimizer.optimizer_tensors` returns.

    Raises:
        StorageFull: when the disk is full; earlier checkpoints are not changed.
        UserError: when it cannot be written, or does not verify afterwards.
    """
    target = step_folder(run_dir, state.step)
    make_folders(target.parent)
    if target.exists():
        shutil.rmtree(target)  # of an earlier attempt, or damaged

    def fill(folder: Path) -> None:
        save_weights(model, folder)
        if model.reference_moves:
            save_file(_flat(tr_dpo.reference_tensors(model)), folder / "reference.safetensors")
        save_file(_flat(optimizer_state), folder / "optimizer.safetensors")
        save_file(random_states(), folder / "random.safetensors")
        durable.write_json(folder / "state.json", state.to_plain())

    identity = {"kind": "checkpoint", "step": state.step, "fingerprint": state.fingerprint}
    if state.fork_from:
        identity["fork_from"] = state.fork_from
    sha256 = durable.publish_folder(target, fill, identity=identity)
    try:
        durable.verify_folder(target)
    except BadInput as error:
        raise UserError(
            f"The checkpoint of step {state.step} does not read back as it was written: {error.message}",
            "Check the disk. Earlier checkpoints were not changed.",
        ) from error
    return Checkpoint(target, state, sha256)


def delete_older(run_dir: Path, keep: int, just_saved: Path | None = None, best: Path | None = None) -> list[Path]:
    """Delete checkpoints older than the ``keep`` newest that verify (0 keeps all), and what interrupted writes left.

    A damaged checkpoint takes no sound one's place, and stays for a person to look at while it is among the newest.
    ``just_saved`` was verified by :func:`save` and is not read again. ``best`` is kept however old it is.
    """
    durable.sweep(Path(run_dir) / FOLDER)
    if keep <= 0 or len(listed(run_dir)) <= keep:
        return []
    sound, old = 0, []
    for path in listed(run_dir):
        if sound >= keep:
            old += [path] if path != best else []
        else:
            sound += path == just_saved or _verifies(path)
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return old


def _verifies(path: Path) -> bool:
    try:
        read(path)
    except (UserError, OSError, KeyError, ValueError):
        return False
    return True


def newest(run_dir: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest checkpoint that verifies, and what is wrong with any newer one."""
    problems: list[str] = []
    for path in listed(run_dir):
        try:
            return read(path), problems
        except (UserError, KeyError, TypeError, ValueError, OSError) as error:
            problems.append(f"The checkpoint {path.name} was left out: {getattr(error, 'message', error)}")
    return None, problems


def read(path: Path) -> Checkpoint:
    """Verify a checkpoint against its manifest and read its state.

    Raises:
        BadInput: when it is damaged.
    """
    durable.verify_folder(path)
    try:
        state = RunState.from_plain(bounded.read_object(path / "state.json"))
    except TypeError as error:
        raise BadInput(f"state.json of the checkpoint {path.name} is incomplete: {error}.") from error
    return Checkpoint(path, state, durable.file_sha256(path / durable.MANIFEST))


def restore(checkpoint: Checkpoint, model: LoadedModel, optimizer: torch.optim.Optimizer) -> None:
    """Load weights, optimizer and random states of ``checkpoint``.

    Raises:
        BadInput: when they do not fit this model.
    """
    path = checkpoint.path
    try:
        load_weights(model, path)
        if model.reference_moves:
            tr_dpo.restore(model, load_file(path / "reference.safetensors"))
        load_optimizer_tensors(optimizer, model.trainable(), load_file(path / "optimizer.safetensors"))
        set_random_states(load_file(path / "random.safetensors"))
    except (KeyError, RuntimeError, ValueError, FileNotFoundError) as error:
        raise BadInput(
            f"The checkpoint {path.name} does not fit this model: {error}", "Resume with the model it was trained on."
        ) from error


def save_weights(model: LoadedModel, folder: Path) -> None:
    """Write the trainable weights: an adapter as a PEFT folder ``adapter``, all weights as ``weights.safetensors``."""
    if not model.is_peft:
        save_file(_flat({n: p.detach() for n, p in model.trainable().items()}), folder / "weights.safetensors")
        return
    save_adapter(model, folder / "adapter")


def save_adapter(model: LoadedModel, folder: Path) -> None:
    """Write the policy's adapter as a folder that PEFT loads."""
    # Imported here: peft imports transformers, which must not be imported before go_offline().
    from peft.utils import get_peft_model_state_dict

    make_folders(folder)
    tensors = get_peft_model_state_dict(model.model, adapter_name=POLICY, save_embedding_layers=False)
    save_file(_flat(tensors), folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = model.model.peft_config[POLICY]
    before, config.inference_mode = config.inference_mode, True
    try:
        config.save_pretrained(str(folder))
    finally:
        config.inference_mode = before


def load_weights(model: LoadedModel, folder: Path) -> None:
    """Copy what :func:`save_weights` wrote into the model, bit for bit.

    Raises:
        KeyError: when a tensor is missing or unknown.
    """
    if model.is_peft:
        stored = load_file(folder / "adapter" / "adapter_model.safetensors")
        trainable = {_name_in_file(name): parameter for name, parameter in model.trainable().items()}
    else:
        stored = load_file(folder / "weights.safetensors")
        trainable = model.trainable()
    if different := sorted(stored.keys() ^ trainable.keys()):
        raise KeyError(different[0])
    with torch.no_grad():
        for name, parameter in trainable.items():
            if stored[name].shape != parameter.shape or stored[name].dtype != parameter.dtype:
                raise ValueError(f"{name} has another shape or dtype")
            parameter.copy_(sharded_like(parameter, stored[name]))


def _name_in_file(name: str) -> str:
    """Return the name that PEFT gives to a parameter in a file: lora_A.default.weight is lora_A.weight."""
    found = f"{name}.".replace(f".modules_to_save.{POLICY}.", ".").replace(f".{POLICY}.", ".")[:-1]
    return found.removesuffix(".weight") if ".lora_magnitude_vector" in found else found


def _flat(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}


def random_states() -> dict[str, Tensor]:
    """Return torch's generator states as bytes, of the CPU and of the GPU in use.

    Asking another GPU for its state would open a context on it, which takes hundreds of megabytes there.
    """
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        index = torch.cuda.current_device()
        states[f"cuda:{index}"] = torch.cuda.get_rng_state(index)
    return states


def set_random_states(states: Mapping[str, Tensor]) -> None:
    """Set the states that :func:`random_states` returned, except for devices that this machine lacks."""
    torch.set_rng_state(states["cpu"])
    for name, state in states.items():
        device, _, index = name.partition(":")
        if device == "cuda" and torch.cuda.is_available() and int(index) < torch.cuda.device_count():
            torch.cuda.set_rng_state(state, int(index))


def objective_differences(before: Mapping[str, Any], now: RunConfig) -> list[str]:
    """Return the settings that change the objective and differ, as "name: before -> now".

    A setting that did not exist when ``before`` was written counts as having its default. One that either leaves open
    (:mod:`core.training.text.fixed_settings`) does not differ.
    """
    old, new = RunConfig.as_stored(before).to_plain(), now.to_plain()
    names = [n for n in RunConfig.objective_keys() if not is_open(n, old[n]) and not is_open(n, new[n])]
    return [f"{n}: {old[n]!r} -> {new[n]!r}" for n in names if old[n] != new[n]]
