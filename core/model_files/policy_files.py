"""The weights of a run's policy as files: its result or a checkpoint, and the hash that names them. No torch."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import NotFound
from core.domain.ids import sha256_json
from core.model_files.file_hashes import hash_files

_RESULTS = ("adapter", "model")
_STATE = ("optimizer.safetensors", "random.safetensors", "reference.safetensors")


def policy_folder(run_dir: Path, step: int = 0) -> Path:
    """Return the folder with the weights of a policy: the run's result (step 0), or the checkpoint of ``step``.

    Raises:
        NotFound: when there is none.
    """
    if step:
        folder = Path(run_dir) / "checkpoints" / f"step-{step}"
        if not folder.is_dir():
            raise NotFound(f"The run has no checkpoint of step {step}.", "See its checkpoints with: runs show RUN")
        return folder
    for name in _RESULTS:
        if (folder := Path(run_dir) / name).is_dir():
            return folder
    raise NotFound(
        "The folder of this run holds no trained weights.",
        "A run has them once it has finished; the demo's own run comes without. Train it again, or name a checkpoint.",
    )


def policy_sha256(run_dir: Path, step: int = 0, *, fresh: bool = False) -> str:
    """Return the hash of a policy's weight files by their content alone, wherever they are.

    Args:
        run_dir: folder of the run.
        step: of the checkpoint; 0 is the result.
        fresh: read the files, also where their hashes are remembered.

    Raises:
        NotFound: when there are none.
    """
    folder = policy_folder(run_dir, step)
    inside = folder / "adapter" if (folder / "adapter").is_dir() else folder
    files = sorted(path for path in inside.glob("*.safetensors") if path.name not in _STATE)
    return sha256_json(sorted(hash_files(files, fresh=fresh).values()))
