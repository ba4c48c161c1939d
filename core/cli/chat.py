"""``chat``: talk with the policy of a run, alone, beside its reference or beside another run.

Imports inside a function load the workspace libraries, which only the saving of a pair needs.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from core.cli.chat_lines import AnswerLines
from core.cli.chat_words import HELP, read_vote
from core.cli.evaluations import run_of
from core.cli.output import say, say_json, say_note
from core.cli.people import By, reviewer_id
from core.cli.versions import published_version
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError, UserError
from core.domain.talk import HISTORIES, Exchange, History, TalkSettings
from core.runs.event_lines import finite
from core.runs.folder import RunFolder
from core.runs.run_control import find_run
from core.services.talks.arms import arms_of
from core.services.talks.session import OnEvent, TalkSession


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("chat")(chat)


def chat(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder, or a run folder alone.")],
    run: Annotated[str, typer.Argument(help="Run of the workspace: its id, name or folder.")] = "",
    reference: Annotated[bool, typer.Option(help="Its reference answers too.")] = False,
    against: Annotated[str, typer.Option(metavar="RUN2", help="The policy of another run answers too.")] = "",
    blind: Annotated[bool, typer.Option(help="Hide which of two is which until /vote, /names or /pair.")] = False,
    history: Annotated[
        str, typer.Option(help="own: each goes on from its own answers; one: both from the better answer.")
    ] = "own",
    system: Annotated[str, typer.Option(help="System prompt.")] = "",
    prompt: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A message; many times, for several turns. Then it ends.")
    ] = None,
    temperature: Annotated[float, typer.Option(help="0 takes the most likely token.")] = 0.7,
    top_p: Annotated[float, typer.Option(help="Keeps the most likely tokens with this probability; 1 is off.")] = 0.95,
    top_k: Annotated[int, typer.Option(help="Keeps so many most likely tokens; 0 is off.")] = 0,
    repetition_penalty: Annotated[float, typer.Option(help="Above 1 repeats less; 1 is off.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(help="Most tokens of an answer.")] = 128,
    seed: Annotated[int, typer.Option(help="Of the answers; the same for all who answer.")] = 0,
    own_seeds: Annotated[bool, typer.Option(help="Each answers with a seed of its own that follows from it.")] = False,
    checkpoint: Annotated[int, typer.Option(help="Step of the checkpoint; 0 is the run's result.", min=0)] = 0,
    by: By = "",
    rubric: Annotated[str, typer.Option(help="Published rubric version of votes; the newest otherwise.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each exchange, for machines.")] = False,
) -> None:
    """Talk with the policy of a run; type /help for what else can be said. Ctrl+C stops an answer."""
    if history not in HISTORIES:
        raise UsageError(f"There is no history {history!r}.", f"Choose one of {', '.join(HISTORIES)}.")
    kept: History = "one" if history == "one" else "own"
    settings = TalkSettings(temperature, top_p, top_k, max_new_tokens, seed, not own_seeds, repetition_penalty)
    place, run_dir = run_of(workspace, run)
    other = find_run(against, place) if against else None
    arms = arms_of(RunFolder(run_dir), step=checkpoint, reference=reference, against=other)
    if blind and len(arms) != 2:
        raise UsageError("Only two answers can be compared blind.", "Add --reference or --against RUN2, not both.")
    session = TalkSession(arms, system=system, history=kept, blind=blind, settings=settings)
    try:
        Chat(session, place, by, rubric, as_json=as_json).run(prompt or [])
    finally:
        session.close()


class Chat:
    """One talk on a terminal, on lines of standard input, or with given messages.

    Args:
        session: the talk.
        place: the workspace; None for a run folder alone, where nothing can be saved.
        by: name of the reviewer. rubric: the version of votes.
        as_json: print JSON lines, and no text.
    """

    def __init__(self, session: TalkSession, place: Path | None, by: str, rubric: str, *, as_json: bool) -> None:
        self._session, self._place, self._by, self._rubric, self._json = session, place, by, rubric, as_json
        self._commands: dict[str, Callable[[str], None]] = {
            "/again": lambda _: self._say(lambda on_event: session.again(on_event)),
            "/seed": lambda word: self._say(lambda on_event: session.again(on_event, seed=_number(word))),
            "/system": session.set_system,
            "/vote": self._vote,
            "/names": lambda _: self._names(),
            "/pair": lambda _: self._pair(),
            "/failure": self._failure,
            "/new": lambda _: session.clear(),
            "/help": lambda _: say_note(HELP),
        }

    def run(self, prompts: list[str]) -> None:
        """Say the given messages and end, or go on until the input ends or /quit.

        Raises:
            UserError: when a given message, or a line that nobody types, cannot be answered.
        """
        for text in prompts:
            self._say(lambda on_event, text=text: self._session.ask(text, on_event))
        if prompts:
            return
        typed = sys.stdin.isatty()
        if typed:
            names = ", ".join(arm.name for arm in self._session.talk.arms)
            say_note(f"{names}; {self._session.settings.words()}. /help shows what can be said, /quit ends.")
        for line in _lines(typed):
            if line.strip() == "/quit":
                return
            try:
                self._take(line)
            except UserError as error:
                if not typed:
                    raise
                say_note(f"{error.message} {error.hint}".strip())

    def _take(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if word in self._commands:
            self._commands[word](rest.strip())
        elif word.startswith("/") and not word.startswith("//"):
            raise UsageError(f"There is no command {word}.", "/help shows them; a message begins with //, not /.")
        elif line.strip():
            text = line.removeprefix("/") if line.startswith("//") else line
            self._say(lambda on_event: self._session.ask(text, on_event))

    def _say(self, ask: Callable[[OnEvent], Exchange]) -> None:
        lines = AnswerLines(quiet=self._json)
        with _stopping(self._session):
            exchange = ask(lines.hear)
        lines.end(exchange)
        self._tell(exchange)

    def _tell(self, exchange: Exchange) -> None:
        if self._json:
            number = len(self._session.talk.exchanges)
            say_json({"event": "exchange", "number": number, **finite(exchange.to_plain())})

    # Votes, and what is saved

    @property
    def _last(self) -> int:
        return len(self._session.talk.exchanges)

    def _vote(self, words: str) -> None:
        exchange = self._session.vote(self._last, read_vote(words))
        assert exchange.vote is not None
        if not self._json:
            say(f"{exchange.vote.words()}{' (blind)' if exchange.vote.blind else ''}")
        self._names()

    def _names(self) -> None:
        exchange = self._session.reveal(self._last)
        if not self._json:
            say("; ".join(f"{side}: {name}" for side, name in zip(("left", "right"), exchange.order, strict=False)))
        self._tell(exchange)

    def _pair(self) -> None:
        with self._opened() as app:
            version = published_version(app, self._rubric) if self._session.talk.exchange(self._last).vote else None
            saved = app.talks.save_pair(self._session, self._last, reviewer_id(app, self._by), version).value
        if not self._json:
            said = "with its vote" if saved.judgement else "without a vote"
            say(f"saved as pair {saved.pair_id} {said}")
        self._tell(saved.exchange)

    def _failure(self, note: str) -> None:
        order = self._session.talk.exchange(self._last).order
        arm = "policy" if "policy" in order else order[0]
        with self._opened() as app:
            event = app.talks.save_failure(self._session, self._last, arm, reviewer_id(app, self._by), note).value
        if self._json:
            say_json({"event": "failure", "feedback": event.id, "kind": event.kind})
        else:
            say(f"saved as feedback {event.id}; see it with: feedback list WS")

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        if self._place is None:
            raise UsageError("A run folder alone keeps no pairs; nothing was saved.", "Name a workspace and its run.")
        with open_workspace(self._place) as app:
            yield app


def _lines(typed: bool) -> Iterator[str]:
    """Yield the lines of the input; on a terminal each is asked for, and Ctrl+C or Ctrl+D ends them."""
    if not typed:
        yield from (line.rstrip("\n") for line in sys.stdin)
        return
    while True:
        try:
            yield input("> ")
        except (EOFError, KeyboardInterrupt):
            say("")
            return


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 19):
        raise UsageError(f"{word!r} is no seed.", "Write /seed and a whole number.")
    return int(word)


@contextmanager
def _stopping(session: TalkSession) -> Iterator[None]:
    """Let Ctrl+C stop the answer, and not the command, within the context."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        session.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
