"""Chat templates rendered within a budget of operations and characters.

Jinja's sandbox keeps a template from running code, but not from running without end, and a template may do so for some
conversations only, so that no trial finds it. Here every loop, call, filter and comparison is counted, weighted by the
size of its texts, and whatever could grow is measured before it does. The budget does not depend on the speed of the
machine: a conversation either renders everywhere or nowhere. For everything within the budget the text is that of
``transformers``' ``apply_chat_template``.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from core.training.text.value_sizes import MAX_CHARS, length, number, total

MAX_WRITTEN = 4 * MAX_CHARS
MAX_OPERATIONS = 1_000_000
_WEIGHT = 256
"""Characters that count as one operation more."""
_MAX_NUMBER = 10_000
_MAX_BITS = 4096
_GROWING = ("center", "wordwrap", "format", "batch", "slice", "filesizeformat", "pprint", "xmlattr", "urlize", "random")
_PADDING = ("center", "ljust", "rjust", "zfill", "expandtabs")
_WIDE = re.compile(r"\d{5}|\*|\{[^{}]*\{")


class OverBudget(TemplateError):
    """The template wants more than one conversation may cost."""


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with a budget; one conversation at a time."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[loopcontrols, _Generation],
            optimized=False,
            finalize=self._written_value,
        )
        self._operations = self._written = 0
        for name in _GROWING:
            self.filters.pop(name, None)
        self.filters["tojson"] = _tojson
        self.filters = {name: self._counted_filter(name, filter_) for name, filter_ in self.filters.items()}
        self.globals = {
            "range": self.globals["range"],
            "cycler": self.globals["cycler"],
            "joiner": self.globals["joiner"],
            "dict": lambda *values, **named: dict(*values, **named),
            "namespace": _Namespace,
            "raise_exception": _raise,
        }

    def begin(self) -> None:
        """Give the next conversation its whole budget."""
        self._operations = self._written = 0

    def spend(self, count: int = 1) -> None:
        """Count operations.

        Raises:
            OverBudget: when they are more than one conversation may cost.
        """
        self._operations += count
        if self._operations > MAX_OPERATIONS:
            raise OverBudget(f"it takes more than {MAX_OPERATIONS:,} operations")

    def weighed(self, value: Any) -> Any:
        """Return the value after counting an operation on it."""
        self.spend(1 + length(value) // _WEIGHT)
        return value

    def looped(self, value: Any) -> Any:
        """Return what a loop goes over, counted item by item."""
        if hasattr(value, "__len__"):
            self.spend(1 + len(value))
            return value
        return self._counted_items(value)

    def concat_all(self, *values: Any) -> str:
        """Return the texts of the operator ``~`` as one."""
        self._require(sum(total(value) for value in values))
        return "".join(map(str, values))

    def _counted_items(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.spend()
            yield value

    def _require(self, size: int) -> None:
        if size > MAX_CHARS:
            raise OverBudget(f"it makes a text or list of more than {MAX_CHARS:,} parts")
        self.spend(1 + size // _WEIGHT)

    def _written_value(self, value: Any) -> Any:
        size = total(value)
        self._require(size)
        self.wrote(size)
        return value

    def wrote(self, size: int) -> None:
        """Count characters that the template writes.

        Raises:
            OverBudget: when they are too many.
        """
        self._written += size
        if self._written > MAX_WRITTEN:
            raise OverBudget(f"it writes more than {MAX_WRITTEN:,} characters")

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = _Counting().visit(super()._parse(source, name, filename))
        for node in tree.find_all(nodes.Node):
            node.environment = self
        return tree

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Carry out an operation whose result may be large."""
        if operator == "+":
            self._require(length(left) + length(right))
        elif operator == "*":
            _small_number(left, right, product=True)
            self._require(length(left) * max(number(right), 1) + length(right) * max(number(left), 1))
        elif operator == "**":
            _small_number(left, right, product=False)
        elif isinstance(left, str):
            self._require_pattern(left, right)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call something after counting it; methods of texts that may grow are measured before."""
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        self.spend(1 + length(owner) // _WEIGHT)
        if isinstance(owner, str):
            args = self._checked_method(owner, name, args, kwargs)
        result = super().call(context, obj, *args, **kwargs)
        self._require(length(result))
        return result

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return what stands for ``str.format`` in a template."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        @functools.wraps(wrapped)
        def bounded(*args: Any, **kwargs: Any) -> str:
            self._require_pattern(value.__self__, [*args, *kwargs.values()])
            return wrapped(*args, **kwargs)

        return bounded

    def _checked_method(self, text: str, name: str, args: tuple, kwargs: Mapping[str, Any]) -> tuple:
        if name in _PADDING:
            self._require(max((number(value) for value in (*args, *kwargs.values())), default=0) * len(text or " "))
        elif name == "join" and args:
            return (self._joined_parts(text, args[0]), *args[1:])
        elif name == "replace" and len(args) >= 2:
            self._require_replaced(text, str(args[0]), str(args[1]))
        elif name == "translate":
            raise SecurityError("a template may not use str.translate")
        return args

    def _joined_parts(self, between: str, parts: Iterable[Any]) -> list[Any]:
        kept = list(self._counted_items(parts))
        self._require(sum(map(total, kept)) + len(between) * len(kept))
        return kept

    def _require_replaced(self, text: str, old: str, new: str) -> None:
        self._require(len(text) + (text.count(old) if old else len(text) + 1) * len(new))

    def _require_pattern(self, pattern: str, values: Any) -> None:
        if _WIDE.search(pattern):
            raise OverBudget("it formats a number with a huge width")
        marks = pattern.count("%") + pattern.count("{")
        self._require(len(pattern) + marks * (64 + total(values)))

    def _counted_filter(self, name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
        """Return the filter with its budget; what Jinja wrote on the function stays."""
        skip = 1 if getattr(filter_, "jinja_pass_arg", None) is not None else 0

        @functools.wraps(filter_)
        def counted(*args: Any, **kwargs: Any) -> Any:
            values = list(args)
            subject = values[skip] if len(values) > skip else None
            rest = [*values[skip + 1 :], *kwargs.values()]
            self.spend(1 + length(subject) // _WEIGHT)
            if any(number(value) > _MAX_NUMBER for value in rest):
                raise OverBudget(f"it gives the filter {name} a number above {_MAX_NUMBER:,}")
            if name == "join":
                between = rest[0] if rest and isinstance(rest[0], str) else ""
                values[skip] = self._joined_parts(between, subject or ())
            elif name == "replace" and len(rest) >= 2:
                self._require_replaced(str(subject), str(rest[0]), str(rest[1]))
            elif name == "sum" and not isinstance(kwargs.get("start", [*rest, 0, 0][1]), int | float):
                raise OverBudget("it adds up lists with the filter sum")
            elif name in ("tojson", "string", "escape", "e", "indent", "forceescape"):
                self._require(total(subject))
            result = filter_(*values, **kwargs)
            self._require(length(result))
            return result

        return counted


class ChatTemplate:
    """A compiled chat template.

    Attributes:
        reads: names that it looks up besides those that it sets itself: ``messages``, ``tools``, ``strftime_now``, ...
    """

    def __init__(self, source: str) -> None:
        """Compile it.

        Raises:
            TemplateError: when the source is no Jinja.
        """
        self._environment = BoundedEnvironment()
        self._template = self._environment.from_string(source)
        self.reads = frozenset(find_undeclared_variables(self._environment.parse(source)))

    def render(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        generation_prompt: bool,
        specials: Mapping[str, Any],
        arguments: Mapping[str, Any] | None = None,
        moment: datetime | None = None,
    ) -> str:
        """Return the text of a conversation.

        Args:
            messages: its turns.
            generation_prompt: whether the header of the next answer follows.
            specials: the special tokens by name.
            arguments: further values that the template reads, by name.
            moment: the date and time that it writes; None takes the clock, as transformers does.

        Raises:
            OverBudget: when it costs more than one conversation may.
            Exception: whatever the template raises.
        """
        self._environment.begin()
        values = {"tools": None, "documents": None, **specials, **(arguments or {})}
        values["messages"] = [dict(message) for message in messages]
        values["strftime_now"] = (moment or datetime.now()).strftime  # noqa: DTZ005 - the local day, as transformers does
        return self._template.render(values, add_generation_prompt=generation_prompt)


@functools.lru_cache(maxsize=16)
def compiled(source: str) -> ChatTemplate:
    """Return the compiled template, from memory where it was compiled before."""
    return ChatTemplate(source)


class _Counting(NodeTransformer):
    """Rewrites a parsed template so that loops, comparisons and joined texts are counted."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        node.iter = _through("looped", [node.iter])
        node.body.insert(0, nodes.ExprStmt(_through("spend", [])))
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_through("spend", [])))
        return node

    def visit_Output(self, node: nodes.Output) -> list[nodes.Stmt]:
        self.generic_visit(node)
        size = sum(len(part.data) for part in node.nodes if isinstance(part, nodes.TemplateData))
        return [nodes.ExprStmt(_through("wrote", [nodes.Const(size)])), node]

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:
        self.generic_visit(node)
        node.expr = _through("weighed", [node.expr])
        for operand in node.ops:
            operand.expr = _through("weighed", [operand.expr])
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:
        self.generic_visit(node)
        return _through("concat_all", [part for part in node.nodes if isinstance(part, nodes.Expr)])


class _Generation(Extension):
    """``{% generation %}`` blocks mark the assistant's text; their content is rendered as it is."""

    tags = {"generation"}

    def parse(self, parser: Any) -> Any:
        """Return the statements between the two tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Namespace(Namespace):
    def __init__(*args: Any, **kwargs: Any) -> None:
        self, args = args[0], args[1:]
        Namespace.__init__(self, dict(*args, **kwargs))

    def __setitem__(self, name: Any, value: Any) -> None:
        if isinstance(name, str) and name.startswith("_"):
            raise SecurityError(f"a template may not set {name}")
        Namespace.__setitem__(self, name, value)


def _through(method: str, values: list[Any]) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(method), values, [], None, None)


def _raise(message: str) -> None:
    raise TemplateError(message)


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _small_number(left: Any, right: Any, *, product: bool) -> None:
    if not (isinstance(left, int) and isinstance(right, int)):
        return
    bits = left.bit_length() + right.bit_length() if product else max(left.bit_length(), 1) * max(right, 0)
    if bits > _MAX_BITS:
        raise OverBudget("it makes a huge number")
