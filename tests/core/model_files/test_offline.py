from __future__ import annotations

import warnings

import pytest

from core.model_files.offline import go_offline


@pytest.mark.parametrize("library", ["transformers.modeling_utils", "peft.peft_model", "torch.nn"])
def test_that_notes_of_the_libraries_to_their_developers_are_not_shown(library: str) -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        go_offline()
        warnings.warn_explicit("this name goes away", FutureWarning, "file.py", 1, module=library)
        warnings.warn_explicit("this is ours", FutureWarning, "file.py", 1, module="core.cli.app")
    assert [str(warning.message) for warning in shown] == ["this is ours"]
