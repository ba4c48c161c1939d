"""The tiny models of the engine's tests, for the tests of model folders."""

from tests.core.training.conftest import _one_thread, tiny_gpt2_dir, tiny_llama_dir

__all__ = ["_one_thread", "tiny_gpt2_dir", "tiny_llama_dir"]
