"""The public files of the development machine, where they are: their counts are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import BadInput
from core.services.importing.reading import Choices
from tests.fakes.fresh import fresh

FOLDER = Path(__file__).resolve().parents[5] / "shared" / "data"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the folder ../shared/data is not there")

COUNTS = {
    "hh_harmless_1500.jsonl.gz": ("hh", 1500, 1499, 0, 1, 1499),
    "finegrained_qa_pairs.jsonl.gz": ("table:one_based", 3000, 3000, 0, 0, 3000),
    "pandalm_3annotators.jsonl.gz": ("table:one_based", 999, 861, 132, 6, 2585),
    "hhh_alignment.jsonl.gz": ("trl", 221, 221, 0, 0, 221),
    "dpo_en_demo.jsonl.gz": ("sharegpt", 300, 295, 5, 0, 295),
}


@pytest.mark.parametrize("name", COUNTS)
def test_that_a_real_file_imports_with_known_counts(tmp_path: Path, name: str) -> None:
    with fresh(tmp_path / "ws") as app:
        coding = "one_based" if name.startswith("finegrained") else None  # it does not say what 1 and 2 mean
        report = app.imports.run(FOLDER / name, choices=Choices(coding=coding)).value
        found = (report.fmt, report.rows, report.imported, report.repeats, report.rejected, report.judgements)
        assert found == COUNTS[name]
        assert app.pairs.count() == report.pairs
        again = app.imports.run(FOLDER / name, choices=Choices(coding=coding)).value
        assert (again.imported, again.judgements, again.rejected) == (0, 0, report.rejected)


@pytest.mark.parametrize("name", ["xstest_prompts.csv", "xstest_completions_2annotators.jsonl.gz"])
def test_that_a_real_file_without_pairs_is_refused(tmp_path: Path, name: str) -> None:
    with fresh(tmp_path / "ws") as app:
        with pytest.raises(BadInput, match="holds no pairs"):
            app.imports.run(FOLDER / name)
        assert app.pairs.count() == 0
