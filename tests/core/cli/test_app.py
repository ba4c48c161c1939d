"""A call makes the one command that it names, and all of them only where they are listed."""

from __future__ import annotations

import pytest
import typer

from core.cli.app import build_app, main, narrowed


def test_that_a_named_command_is_made_alone_and_as_among_all() -> None:
    everything = typer.main.get_command(build_app()).commands  # type: ignore[attr-defined]
    assert {"init", "train", "runs", "contract"} <= everything.keys()
    for name, command in everything.items():
        alone = typer.main.get_command(narrowed(build_app(), [name, "--help"])).commands  # type: ignore[attr-defined]
        assert list(alone) == [name]
        assert [(one.name, one.opts) for one in alone[name].params] == [(one.name, one.opts) for one in command.params]


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"], ["no-such-command"]])
def test_that_without_a_known_name_all_commands_are_there(words: list[str]) -> None:
    assert len(narrowed(build_app(), words).registered_commands) == len(build_app().registered_commands)


def test_that_a_wrong_name_is_refused_and_help_lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inti"]) == 2
    assert "inti" in capsys.readouterr().err
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("init", "train", "runs", "contract"))
