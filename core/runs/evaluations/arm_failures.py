"""Arms that cannot go on: which, and why. The work of the other arms is done all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from core.domain.counting import counted
from core.domain.errors import StorageFull, UserError
from core.domain.evaluation_record import Arm
from core.domain.run_events import Warned
from core.runs.evaluations.work_part import WorkPart

ARM_FAILED = "arm_failed"
"""Code of the warning that is stored when an arm fails."""


class ArmFailures:
    """The failures of one attempt."""

    def __init__(self) -> None:
        self._errors: dict[str, UserError] = {}

    def kept(self, work: WorkPart, do: Callable[[WorkPart], Iterator[Any]]) -> Iterator[Any]:
        """Do the work of an arm; its failure is noted and told. Nothing more is tried of an arm that failed.

        A guardrail waits for the answers of the arm that it is put on. A full disk concerns all arms and is raised; an
        error of the program too, with a note of the arm.
        """
        arm = work.arm
        if arm.name in self._errors or (arm.guard and arm.base in self._errors):
            return
        try:
            yield from do(work)
        except StorageFull:
            raise
        except UserError as error:
            yield from self.noted([arm], error)
        except Exception as error:
            error.add_note(f"arm {arm.name}, {work.suite}")
            raise

    def noted(self, arms: Sequence[Arm], error: UserError) -> Iterator[Warned]:
        """Note that arms failed, and tell it.

        Raises:
            StorageFull: where that is the error.
        """
        if isinstance(error, StorageFull):
            raise error
        for name in dict.fromkeys(arm.name for arm in arms):
            self._errors[name] = error
            yield Warned(ARM_FAILED, f"Arm {name} failed: {error.message} The other arms go on.")

    def tell(self) -> None:
        """Raise where an arm failed.

        Raises:
            UserError: with every arm that failed and its reason.
        """
        if not self._errors:
            return
        by_reason: dict[str, list[str]] = {}
        for name, error in self._errors.items():
            by_reason.setdefault(error.message, []).append(name)
        told = [f"{counted_arms(names)} failed: {message}" for message, names in by_reason.items()]
        hints = dict.fromkeys(error.hint for error in self._errors.values() if error.hint)
        raise UserError(
            " ".join([*told, "The work of the other arms is stored; resuming does only what is missing."]),
            " ".join(hints),
        )


def counted_arms(names: Sequence[str]) -> str:
    """Return arms as the subject of a sentence.

    >>> counted_arms(["aligned"]), counted_arms(["aligned", "reference"])
    ('Arm aligned', '2 arms (aligned, reference)')
    """
    return f"Arm {names[0]}" if len(names) == 1 else f"{counted(len(names), 'arm')} ({', '.join(names)})"
