"""A template that writes the date renders the same tokens on every day a run is worked on, forked or swept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.cli.sweep import with_day
from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import Finished, RunEvent
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.forking import fork_run
from core.runs.hosting.driver import HostOptions, drive
from core.runs.run_reader import RunReader
from core.training.policy.read_model import read_tokenizer
from core.training.text.tokenise import encode_pairs
from tests.core.training.text.templates import FAMILIES
from tests.core.training.tiny_runs import SETTINGS, some_pairs, start
from tests.tiny_models import save_tiny

NIGHT = int(datetime(2024, 2, 29, 23, 59).timestamp() * 1000)  # noqa: DTZ001 - a template writes the local day
MORNING = NIGHT + int(timedelta(minutes=2).total_seconds() * 1000)
CONFIG = RunConfig().with_values({**SETTINGS, "dtype": "float32", "eval_every": 0, "kl_every": 0, "sample_every": 0})


def folder_with(family: str, place: Path) -> Path:
    save_tiny(place)
    (place / "chat_template.jinja").write_text(FAMILIES[family])
    return place


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_with("date in the system turn", tmp_path_factory.mktemp("dated") / "model")


def made(place: Path, model: Path, created_ms: int, config: RunConfig = CONFIG) -> RunFolder:
    return create_run(place, NewRun(config, model, some_pairs()), created_ms=created_ms)


def tokens(run: RunFolder) -> list[str]:
    record = run.record()
    encoded, _ = encode_pairs(run.pairs(), read_tokenizer(Path(record.model_dir)), record.config)
    return [pair.content_key for pair in encoded]


def finished(run: RunFolder, cache: Path) -> Finished:
    last = drive(run.path, HostOptions(host="thread", cache_dir=cache))
    assert isinstance(last, Finished), last
    return last


def test_that_the_day_is_fixed_when_the_run_is_created_and_part_of_its_fingerprint(dated: Path, tmp_path: Path) -> None:
    night, again, morning = (
        made(tmp_path / n, dated, ms) for n, ms in zip("abc", (NIGHT, NIGHT, MORNING), strict=True)
    )
    assert [run.record().config.template_date for run in (night, again, morning)] == [
        "2024-02-29", "2024-02-29", "2024-03-01",
    ]  # fmt: skip
    assert night.record().fingerprint == again.record().fingerprint != morning.record().fingerprint
    assert tokens(night) == tokens(again) != tokens(morning)


def test_that_a_date_of_the_users_own_stays_and_no_date_is_fixed_where_none_is_written(
    dated: Path, tmp_path: Path
) -> None:
    own = made(tmp_path / "own", dated, NIGHT, replace(CONFIG, template_date="2000-01-01"))
    assert own.record().config.template_date == "2000-01-01"
    plain = made(tmp_path / "plain", save_tiny(tmp_path / "model"), NIGHT)
    assert plain.record().config == CONFIG
    assert made(tmp_path / "none", dated, NIGHT, replace(CONFIG, template="none")).record().config.template_date == ""


def test_that_an_argument_the_template_ignores_leaves_no_run_behind(dated: Path, tmp_path: Path) -> None:
    for changes in ({"template_args": "enable_thinking=true"}, {"template_args": "date=today"}):
        with pytest.raises(UsageError, match="does not read"):
            made(tmp_path / "run", dated, NIGHT, CONFIG.with_values(changes))
    assert not (tmp_path / "run").exists()


def test_that_row_rules_are_fixed_for_a_template_that_thinks(tmp_path: Path) -> None:
    thinking = folder_with("empty thought before answers", tmp_path / "model")
    assert made(tmp_path / "run", thinking, NIGHT).record().config.row_rules == "2"


def test_that_resume_and_fork_on_a_later_day_take_the_tokens_and_the_cache_of_the_first(
    dated: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    run = made(tmp_path / "run", dated, NIGHT)
    first = finished(run, cache)
    assert first.summary["reference_computed"] > 0
    child = fork_run(run, 2, {"lr": 1e-4})
    assert child.record().config.template_date == "2024-02-29"
    assert tokens(child) == tokens(run)
    assert finished(child, cache).summary["reference_computed"] == 0


def test_that_a_sweep_past_midnight_gives_every_run_the_day_on_which_it_began(dated: Path) -> None:
    assert with_day(["lr=1"], str(dated), NIGHT) == ["lr=1", "template_date=2024-02-29"]
    assert with_day(["template_date=2001-01-01"], str(dated), NIGHT) == ["template_date=2001-01-01"]
    assert with_day(["template=none"], str(dated), NIGHT) == ["template=none"]


def reference_work(events: list[RunEvent]) -> list[int]:
    return [e.summary["reference_computed"] for e in events if isinstance(e, Finished)]


def test_that_a_run_of_an_older_version_takes_the_day_of_its_creation(dated: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"cache_dir": tmp_path / "cache", "eval_every": 0, "kl_every": 0, "sample_every": 0}
    began = list(start(dated, tmp_path / "run", steps=2, created_ms=NIGHT, **options))
    everything = reference_work(began)
    assert everything > [0]
    for created, work in ((NIGHT, [0]), (MORNING, everything)):
        other = list(start(dated, tmp_path / f"run-{created}", steps=2, created_ms=created, **options))
        assert reference_work(other) == work


def test_that_the_steps_after_a_resume_are_those_of_the_whole_run(dated: Path, tmp_path: Path) -> None:
    whole, broken = (made(tmp_path / name, dated, NIGHT) for name in ("whole", "broken"))
    finished(whole, tmp_path / "one")
    quiet = {"eval_every": 0, "kl_every": 0, "sample_every": 0, "template_date": "2024-02-29"}
    events = start(dated, broken.path, resume=False, **quiet)
    for event in events:
        if event.event == "checkpoint":
            break
    events.close()  # type: ignore[attr-defined]
    rest = [e for e in start(dated, broken.path, resume=True, **quiet) if e.event == "step"]
    expected = [(s.step, s.loss, s.grad_norm) for s in RunReader(whole.path).steps()]
    assert [(s.step, s.loss, s.grad_norm) for s in rest] == expected[-len(rest) :]  # type: ignore[union-attr]
