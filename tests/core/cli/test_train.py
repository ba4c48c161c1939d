from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.cli.run_settings import read_settings, with_template_arguments
from core.domain.errors import UsageError
from core.domain.preflight_report import Check, PreflightReport
from core.domain.run_config import SETTINGS, RunConfig
from core.domain.run_events import Failed, PairMetrics, RunEvent, RunStarted, StepDone
from core.runs.folder import RunFolder
from core.runs.run_reader import RunReader
from tests.core.cli.conftest import Said
from tests.fakes import scripted_engine
from tests.fakes.scripted_engine import Scripted, train

Call = Callable[..., Said]
KEYS = [
    "beta",
    "loss",
    "lr",
    "scheduler",
    "warmup",
    "steps",
    "epochs",
    "batch_size",
    "micro_batch",
    "shuffle",
    "seed",
    "dtype",
    "clip",
    "weight_decay",
    "lora_r",
    "lora_alpha",
    "lora_targets",
    "init_adapter",
    "template",
    "max_length",
    "eval_every",
    "kl_every",
]


def bare(pairs: Path, model: Path, out: Path, *more: str) -> list[str]:
    return ["train", "--pairs", str(pairs), "--model", str(model), "--out", str(out), "--set", "steps=4", *more]


def test_that_a_bare_run_prints_one_event_a_line_and_ends_with_0(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    said = call(*bare(pairs, model, tmp_path / "run", "--json", "--set", "batch_size=2"))
    assert (said.code, said.err) == (0, "")
    lines = said.lines()
    assert [lines[0]["event"], lines[-1]["event"]] == ["started", "finished"]
    assert [line["step"] for line in lines if line["event"] == "step"] == [1, 2, 3, 4]
    assert RunFolder(tmp_path / "run").record().config.batch_size == 2


def test_that_without_json_each_event_is_a_readable_line(call: Call, pairs: Path, model: Path, tmp_path: Path) -> None:
    said = call(*bare(pairs, model, tmp_path / "run"))
    assert said.code == 0
    assert "step 4: loss" in said.out
    assert "finished (completed) at step 4" in said.out


def test_that_the_command_line_in_run_json_makes_the_same_run(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    call(*bare(pairs, model, tmp_path / "one", "--set", "beta=0.3", "--name", "it's", "--target", "kind"))
    record = RunFolder(tmp_path / "one").record()
    words = shlex.split(record.command_line)[1:]
    words[words.index("--out") + 1] = str(tmp_path / "two")
    assert call(*words).code == 0
    again = RunFolder(tmp_path / "two").record()
    assert (again.config, again.fingerprint, again.name, again.charter) == (
        record.config,
        record.fingerprint,
        "it's",
        record.charter,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "nothing to train on"),
        (["train", "ws"], "No dataset version"),
        (["train", "--pairs", "PAIRS", "--model", "MODEL"], "No run folder"),
        (["train", "--pairs", "PAIRS", "--out", "OUT"], "No model"),
        (["train", "--pairs", "PAIRS", "--out", "OUT", "--model", "MODEL", "--set", "beta"], "not a setting"),
        (["train", "--pairs", "PAIRS", "--out", "OUT", "--model", "MODEL", "--set", "bta=1"], "Unknown run setting"),
        (["train", "--pairs", "PAIRS", "--out", "OUT", "--model", "MODEL", "--set", "beta=-1"], "cannot be"),
        (["train", "--pairs", "PAIRS", "--out", "OUT", "--model", "MODEL", "--set", "beta=x"], "cannot be"),
        (["train", "--frob"], "No such option"),
        (["dance"], "No such command"),
    ],
)
def test_that_wrong_usage_returns_2_with_message_and_hint(
    call: Call, pairs: Path, model: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    places = {"PAIRS": pairs, "MODEL": model, "OUT": tmp_path / "run"}
    said = call(*(places.get(word, word) for word in words), "--json")
    assert said.code == 2
    assert message in said.error()["error"]
    assert said.error()["hint"]
    assert said.out == ""
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("missing", ["pairs", "model"])
def test_that_a_missing_input_returns_1_and_leaves_no_folder(
    call: Call, pairs: Path, model: Path, tmp_path: Path, missing: str
) -> None:
    places = {"pairs": pairs, "model": model, missing: tmp_path / "nothing"}
    said = call(*bare(places["pairs"], places["model"], tmp_path / "run"))
    assert said.code == 1
    assert said.err.startswith("Error: ")
    assert "Traceback" not in said.err
    assert not (tmp_path / "run").exists()


def test_that_a_failed_run_returns_1_and_says_why_on_standard_error(
    call: Call, pairs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [RunStarted("r", 4, 1, 8, 0, "cpu", "float32", "f"), Failed("nan", "Loss is NaN.", "Lower lr.", 2)]
    monkeypatch.setattr("core.runs.hosting.driver.real_engine", lambda probe=None: (Scripted(events), probe))
    said = call(*bare(pairs, model, tmp_path / "run", "--json"))
    assert said.code == 1
    assert said.lines()[-1]["kind"] == "nan"
    assert said.error() == {"error": "Loss is NaN.", "hint": "Lower lr."}


def interrupting(times: int) -> Callable[..., Iterator[RunEvent]]:
    def engine(*arguments: Any, **options: Any) -> Iterator[RunEvent]:
        for event in train(*arguments, **options):
            yield event
            if isinstance(event, StepDone) and event.step == 2:
                for _ in range(times):
                    signal.raise_signal(signal.SIGINT)

    return engine


@pytest.mark.parametrize(("times", "reason"), [(1, "stopped"), (2, "stopped_without_saving")])
def test_that_ctrl_c_stops_and_saves_and_a_second_one_stops_now(
    call: Call, pairs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, reason: str
) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("core.runs.hosting.driver.real_engine", lambda probe=None: (interrupting(times), probe))
    said = call(*bare(pairs, model, tmp_path / "run", "--json"))
    assert said.code == 0
    assert (said.lines()[-1]["reason"], said.lines()[-1]["step"]) == (reason, 2)
    assert signal.getsignal(signal.SIGINT) is before


def test_that_a_stopped_run_is_taken_up_again(
    call: Call, pairs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.runs.hosting.driver.real_engine", lambda probe=None: (interrupting(1), probe))
    call(*bare(pairs, model, tmp_path / "run"))
    monkeypatch.setattr("core.runs.hosting.driver.real_engine", lambda probe=None: (train, probe))
    said = call("train", "--resume", tmp_path / "run", "--json")
    assert said.code == 0
    assert (said.lines()[0]["attempt"], said.lines()[0]["resumed_from"]) == (2, 2)
    assert list(RunReader(tmp_path / "run").series("loss")[0]) == [1, 2, 3, 4]
    assert call("train", "--resume", tmp_path / "run").code == 2


def test_that_create_only_makes_the_folder_and_trains_nothing(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    said = call(*bare(pairs, model, tmp_path / "run", "--create-only"))
    assert (said.code, said.out.strip()) == (0, str(tmp_path / "run"))
    assert RunReader(tmp_path / "run").status().state == "created"


def test_that_every_promised_key_is_a_setting() -> None:
    config = read_settings([f"{key}={getattr(read_settings([]), key)}" for key in KEYS if key != "init_adapter"])
    assert config == read_settings([])
    with pytest.raises(UsageError, match="Unknown"):
        read_settings(["learning_rate=1"])


def test_that_a_bare_run_needs_no_database_library_and_no_window() -> None:
    code = """
import sys
class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('sqlmodel', 'sqlalchemy', 'alembic', 'PySide6', 'pyqtgraph', 'pyarrow'):
            raise ImportError(name + ' is not installed')
sys.meta_path.insert(0, Ban())
from core.cli.app import main
raise SystemExit(main(['train', '--pairs', 'nothing.jsonl', '--model', 'm', '--out', 'o']))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nothing.jsonl does not exist" in done.stderr


def test_that_every_setting_is_listed_with_what_it_does(call: Call) -> None:
    listed = call("train", "--settings", "--json").json()
    assert [setting["name"] for setting in listed] == list(SETTINGS)
    assert all(setting["hint"] for setting in listed)
    assert "batch_size=8" in call("train", "--settings").out


REPORT = PreflightReport(checks=(Check("model", "ok", "It loads."), Check("memory", "bad", "Too big.", "Lower it.")))


def test_that_a_run_can_be_checked_and_nothing_is_made(
    call: Call, pairs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def preflight(config: object, model_dir: Path, found: list[object], **words: Any) -> PreflightReport:
        if words["on_check"] is not None:
            words["on_check"](REPORT.checks[0])
        return REPORT

    monkeypatch.setattr("core.cli.train.preflight", preflight)
    before = sorted(tmp_path.iterdir())
    said = call("train", "--pairs", pairs, "--model", model, "--check")
    assert said.code == 1
    assert [line.split()[:2] for line in said.out.splitlines()] == [["ok", "model"], ["BAD", "memory"]]
    plain = call("train", "--pairs", pairs, "--model", model, "--check", "--json")
    assert (plain.code, plain.json()["ok"], len(plain.json()["checks"])) == (1, False, 2)
    assert sorted(tmp_path.iterdir()) == before


def test_that_arguments_of_the_template_become_one_setting(tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text('[{"name": "add"}]')
    words = with_template_arguments(["beta=0.2", "template_args=a=1"], ["mode=high", f"tools=@{tools}"])
    assert words == ["beta=0.2", 'template_args=a=1, mode=high, tools=[{"name": "add"}]']
    assert with_template_arguments(["beta=0.2"], []) == ["beta=0.2"]
    for wrong in (["mode"], ["a=2"], ["tools=@nowhere.json"]):
        with pytest.raises(UsageError):
            with_template_arguments(["template_args=a=1"], wrong)


def test_that_a_run_that_diverges_does_not_end_without_a_word(
    call: Call, pairs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = scripted_engine.make_row

    def worse(config: RunConfig, pair_id: str, step: int) -> PairMetrics:
        return replace(plain(config, pair_id, step), loss=0.69 + 300.0 * max(0, step - 2))

    monkeypatch.setattr(scripted_engine, "make_row", worse)
    out = tmp_path / "run"
    said = call("train", "--pairs", pairs, "--model", model, "--out", out, "--set", "steps=8")
    assert said.code == 0
    assert "The run diverged (error, steps " in said.err
    shown = call("runs", "insights", out, "--json").json()["insights"][0]
    assert (shown["code"], shown["severity"]) == ("diverged", "error")
