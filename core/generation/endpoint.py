"""Answers from a server that speaks the OpenAI protocol (llama.cpp, vLLM, Ollama, ``transformers serve``).

Prompts go to this machine only: any other host must be confirmed by its name. Only ``http.client`` is used, so that no
proxy of the environment and no redirect takes them elsewhere. The key is read from the environment, sent in one header
and written nowhere. This module does not import torch.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from core.domain.conversation import Prompt
from core.domain.errors import BadInput, UsageError, UserError

KEY_VARIABLE = "PAIRWRIGHT_ENDPOINT_KEY"
"""Environment variable with the key that a server asks for; most servers on one's own machine ask for none."""
CONFIRM_VARIABLE = "PAIRWRIGHT_ENDPOINT_HOST"
"""Environment variable that names the other host that prompts may be sent to."""
TIMEOUT_S = 300.0
_MOST_BYTES = 16 << 20
_SHOWN = 300
_TRIES = 3
_PAUSE_S = 1.0
_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class EndpointAnswer:
    """One answer of a server. ``tokens`` and ``prompt_tokens`` are 0 where the server does not count them."""

    text: str
    finished: bool
    tokens: int = 0
    prompt_tokens: int = 0


@dataclass(frozen=True, slots=True)
class EndpointDecoder:
    """Decoder settings that the protocol has.

    ``top_k`` and ``repetition_penalty`` are sent where they are on; some servers ignore them.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0


def checked_url(url: str, confirmed_host: str = "") -> SplitResult:
    """Return the parts of an endpoint's URL.

    Args:
        url: such as ``http://127.0.0.1:8080/v1``.
        confirmed_host: the other host that the user named as allowed; "" allows this machine alone.

    Raises:
        UsageError: when it is no such URL, or names another machine that was not confirmed.
    """
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_valid = urlsplit(""), False
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or not port_is_valid:
        raise UsageError(f"{url!r} is no URL of a server.", "Write it as http://127.0.0.1:8080/v1.")
    if parts.username or parts.password or parts.query:
        raise UsageError(
            "The URL of an endpoint holds no user, key or question mark: it is stored with the evaluation.",
            f"Put a key into the environment variable {KEY_VARIABLE}.",
        )
    if not is_loopback(host) and host.lower() != confirmed_host.strip().lower():
        raise UsageError(
            f"{host} is not this machine: every prompt, also of a sealed test, would be sent there. Nothing was sent.",
            f"If that is meant, confirm it by name: set {CONFIRM_VARIABLE}={host}.",
        )
    return parts


def other_host(url: str) -> str:
    """Return the host of an endpoint's URL when it is not this machine, else "".

    Raises:
        UsageError: when it is no such URL.

    >>> other_host("http://127.0.0.1:8080/v1"), other_host("https://models.example.org/v1")
    ('', 'models.example.org')
    """
    host = _host_of(url)
    checked_url(url, confirmed_host=host)
    return "" if is_loopback(host) else host


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Return whether a host name or address stands for this machine and nothing else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    if host.lower() != "localhost":
        return False
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(address)).is_loopback for address in found)


class Endpoint:
    """A server that answers prompts, one at a time.

    Args:
        url: base URL, with the path up to ``/v1``.
        model: that the server is asked for; "" takes the first that it lists.
        confirmed_host: see :func:`checked_url`; None reads the environment.
        timeout_s: seconds that an answer may take.
        sleep: waits between tries.

    Raises:
        UsageError: when the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        model: str = "",
        *,
        confirmed_host: str | None = None,
        timeout_s: float = TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        confirmed = os.environ.get(CONFIRM_VARIABLE, "") if confirmed_host is None else confirmed_host
        self._parts = checked_url(url, confirmed)
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._model = model

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        return self._parts.netloc

    def model(self) -> str:
        """Return the name of the model that is asked for.

        Raises:
            UserError: when the server does not answer.
            BadInput: when it lists no model.
        """
        if not self._model:
            listed = self._call("GET", "/models").get("data")
            names = [row.get("id") for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
            if not names or not isinstance(names[0], str):
                raise BadInput(f"The server at {self.place} lists no model.", "Name one: endpoint:URL#MODEL.")
            self._model = names[0]
        return self._model

    def answer(self, prompt: Prompt, seed: int, decoder: EndpointDecoder) -> EndpointAnswer:
        """Return the server's answer to a prompt.

        Raises:
            UserError: when the server does not answer in time, or refuses.
            BadInput: when what it says is no answer.
        """
        body: dict[str, Any] = {
            "model": self.model(),
            "messages": prompt.to_plain(),
            "temperature": decoder.temperature,
            "top_p": decoder.top_p,
            "max_tokens": decoder.max_new_tokens,
            "seed": seed % 2**31,  # servers read it as a 32-bit number
            "stream": False,
        }
        if decoder.top_k:
            body["top_k"] = decoder.top_k
        if decoder.repetition_penalty != 1.0:
            body["repetition_penalty"] = decoder.repetition_penalty
        return _answer_of(self._call("POST", "/chat/completions", body), self.place)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask the server; busy servers and lost connections are tried again a few times."""
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                status, text = self._ask(method, self._parts.path.rstrip("/") + path, body)
            except TimeoutError as error:
                raise UserError(
                    f"The server at {self.place} did not answer within {self._timeout_s:g} s; nothing is lost.",
                    "Lower max_new_tokens, or look at the server; then resume.",
                ) from error
            except (OSError, http.client.HTTPException) as error:
                if not last:
                    self._sleep(_PAUSE_S)
                    continue
                raise UserError(
                    f"No server answers at {self.place} ({type(error).__name__}); nothing is lost.",
                    "Start the server, then resume.",
                ) from error
            if status in _AGAIN and not last:
                self._sleep(_PAUSE_S)
                continue
            return self._read(status, text)
        raise AssertionError("the last try returns or raises")

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, bytes]:
        secure = self._parts.scheme == "https"
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = make(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key := os.environ.get(KEY_VARIABLE, ""):
            headers["Authorization"] = f"Bearer {key}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            response = connection.getresponse()
            return response.status, response.read(_MOST_BYTES + 1)
        finally:
            connection.close()

    def _read(self, status: int, text: bytes) -> dict[str, Any]:
        if len(text) > _MOST_BYTES:
            raise BadInput(f"The server at {self.place} sent more than {_MOST_BYTES >> 20} MiB for one answer.")
        if status in (401, 403):
            raise UserError(
                f"The server at {self.place} asks for a key, or refuses the one it got (HTTP {status}).",
                f"Set the environment variable {KEY_VARIABLE}.",
            )
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            plain = None
        if status != 200:
            raise UserError(
                f"The server at {self.place} refused a prompt (HTTP {status}): {_reason(plain, text)}",
                "Check the model's name and that the prompt fits into its context.",
            )
        if not isinstance(plain, dict):
            raise BadInput(
                f"What the server at {self.place} sent is no JSON object; it may not speak the OpenAI protocol.",
                "Name its base URL with /v1.",
            )
        return plain


def _reason(plain: Any, text: bytes) -> str:
    error = plain.get("error") if isinstance(plain, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    words = message if isinstance(message, str) and message else text.decode("utf-8", "replace")
    shown = " ".join(words.split())[:_SHOWN] or "no reason given."
    key = os.environ.get(KEY_VARIABLE, "")
    return shown.replace(key, "***") if key else shown


def _answer_of(plain: Mapping[str, Any], place: str) -> EndpointAnswer:
    try:
        choice = plain["choices"][0]
        text, reason = choice["message"]["content"], choice.get("finish_reason")
        if text is None and reason is not None:
            text = ""
        if not isinstance(text, str):
            raise TypeError(type(text).__name__)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadInput(
            f"The server at {place} sent no answer in the form of the OpenAI protocol ({type(error).__name__}).",
            "Name the base URL of its chat interface, which ends in /v1.",
        ) from error
    usage = plain.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return EndpointAnswer(text, reason == "stop", _count(usage, "completion_tokens"), _count(usage, "prompt_tokens"))


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else 0
