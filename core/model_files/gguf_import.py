"""Convert a GGUF file to a Hugging Face folder with safetensors weights.

The weights are dequantised once, to float32; training uses this float32 model. transformers keeps the quantiser on
the model that it read; it is removed with its config entry before saving, because the folder would otherwise be
marked as quantised. torch and transformers are imported inside functions, because the window imports this module.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.domain.errors import ModelRefused
from core.durable import file_sha256, publish_folder
from core.model_files.gguf_file import check_gguf, damaged_gguf, unread_sizes
from core.model_files.offline import READ_ERRORS, go_offline, without_progress_bars
from core.private_files import make_folders

Progress = Callable[[int, int, str], None]


def no_progress(done: int, total: int, text: str) -> None:
    """Ignore progress."""


def convert_gguf(
    gguf: Path, target: Path, *, origin: str = "", licence: str = "", on_progress: Progress = no_progress
) -> Path:
    """Convert ``gguf`` to a Hugging Face folder at ``target`` (which must not exist) and return it.

    The folder appears complete or not at all; its manifest has the sha256 of the GGUF file.

    Raises:
        ModelRefused: when the file cannot be read as a causal language model with a tokenizer.
    """
    gguf, target = Path(gguf), Path(target)
    check_gguf(gguf)
    on_progress(0, 4, "Reading the GGUF file")
    model, tokenizer = _read(gguf)
    on_progress(2, 4, "Writing safetensors")

    def fill(folder: Path) -> None:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        on_progress(3, 4, "Checking the copy")
        _check_copy(model, folder)

    identity = {"kind": "model", "origin": origin or gguf.name, "gguf": gguf.name, "gguf_sha256": file_sha256(gguf)}
    make_folders(target.parent)
    publish_folder(target, fill, identity={**identity, "licence": licence} if licence else identity)
    on_progress(4, 4, "Ready")
    return target


def _read(gguf: Path) -> tuple[Any, Any]:
    go_offline()
    # torch and transformers are loaded by a conversion only; this package is imported without them.
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = {"gguf_file": gguf.name, "local_files_only": True}
    try:
        with without_progress_bars():
            model = AutoModelForCausalLM.from_pretrained(
                gguf.parent, dtype=torch.float32, **place, **unread_sizes(gguf)
            )
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **place)
    except READ_ERRORS as error:
        if not _is_whole(gguf):
            raise damaged_gguf(gguf, "its end is missing or its tables do not fit") from error
        raise ModelRefused(
            f"{gguf.name} could not be read as a language model: {error}",
            "Nothing was added. The architecture may be unknown to the installed transformers; "
            "a folder of the same model in safetensors may work.",
        ) from error
    _drop_quantiser(model)
    _restore_pre_tokenizer(tokenizer, gguf)
    return model, tokenizer


def _is_whole(gguf: Path) -> bool:
    """Return whether every table and every tensor that the file names lies inside it."""
    # gguf and tokenizers are loaded by a conversion only.
    from gguf import GGUFReader

    try:
        GGUFReader(gguf)
    except READ_ERRORS:
        return False
    return True


def _drop_quantiser(model: Any) -> None:
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    if "quantization_method" in vars(model):
        del model.quantization_method
    if eps := getattr(model.config, "rms_norm_eps", None):
        model.config.rms_norm_eps = float(f"{eps:.7g}")  # GGUF stores it as float32: 9.99999974e-06 was 1e-05


def _restore_pre_tokenizer(tokenizer: Any, gguf: Path) -> None:
    """Split digits one by one where the file says so; the conversion by transformers loses that step.

    Without it, two spaces before a digit become other tokens than the model was trained on.
    """
    # gguf and tokenizers are loaded by a conversion only.
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    field = GGUFReader(gguf).get_field("tokenizer.ggml.pre")
    if field is None or field.contents() not in ("smollm", "starcoder", "refact", "command-r"):
        return
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )


def _check_copy(model: Any, folder: Path) -> None:
    """Compare every saved tensor with the one in memory, bit by bit."""
    # torch is loaded by a conversion only; this package is imported without it.
    import torch
    from safetensors import safe_open

    expected = model.state_dict()
    seen = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as handle:
            for key in handle.keys():  # noqa: SIM118 - not a dict
                if not torch.equal(handle.get_tensor(key), expected[key]):
                    raise ModelRefused(f"The copy of {key} differs from the original.", "Try again; check the disk.")
                seen += 1
    if seen == 0:
        raise ModelRefused("No weights were written.", "Try again.")
