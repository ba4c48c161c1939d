"""Reading the cells of one column as prompts, answers or messages, in the shape that the whole column has."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.domain.conversation import Message, Prompt
from core.services.importing.formats.columns import prompt_column
from core.services.importing.formats.messages import ColumnShape, read_answer, read_messages, read_prompt, shape_of
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected, check_text
from core.services.importing.reading import Remarks


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """One column of a file.

    Attributes:
        name: as the file spells it.
        shape: what its cells are, by the sample.
        remarks: takes note of what single cells hold beside their text.
    """

    name: str
    limits: Limits
    shape: ColumnShape = field(default_factory=ColumnShape)
    remarks: Remarks = field(default_factory=Remarks)

    @classmethod
    def of(cls, sample: Sample, name: str, limits: Limits) -> ColumnReader:
        """Look at a column of the sample."""
        return cls(name, limits, shape_of(sample.values(name), limits), sample.remarks)

    def text(self, row: Row) -> str:
        """Return a cell that is a text.

        Raises:
            RowRejected: when it is anything else.
        """
        return check_text(row.get(self.name), self.name, self.limits)

    def answer(self, row: Row) -> str:
        """Return the answer that a cell holds, as a text or as one message."""
        return read_answer(row.get(self.name), self.name, self.limits, self.remarks, as_json=self.shape.as_json)

    def prompt(self, row: Row) -> Prompt:
        """Return the prompt that a cell holds, as a text, a transcript or messages."""
        return read_prompt(row.get(self.name), self.name, self.limits, self.remarks, as_json=self.shape.as_json)

    def messages(self, row: Row, *, text_is: str = "") -> list[Message]:
        """Return the messages of a cell.

        Args:
            row: the record.
            text_is: ``assistant`` to take a plain text for the assistant's message.

        Raises:
            RowRejected: when it holds none.
        """
        value = row.get(self.name)
        if text_is == "assistant" and isinstance(value, str) and not self._is_json(value):
            return [Message("assistant", self.text(row))]
        found = read_messages(value, self.name, self.limits, self.remarks, as_json=self.shape.as_json)
        if not found:
            raise RowRejected(f"{self.name} is an empty list")
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the column."""
        if not self.shape.as_json:
            return ()
        kind = "lists of messages as Python prints them" if self.shape.as_python else "JSON lists of messages"
        return (f"the texts of {self.name} are {kind} and are read as messages",)

    def _is_json(self, value: str) -> bool:
        return self.shape.as_json and (value.lstrip()[:1] in ("[", "{") or self.shape.as_python)


def json_notes(sample: Sample, limits: Limits) -> tuple[str, ...]:
    """Return what is to be said of the prompt column of a file."""
    column = prompt_column(sample)
    return () if column is None else ColumnReader.of(sample, column, limits).notes
