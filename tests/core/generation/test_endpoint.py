"""An OpenAI-compatible server: what it is asked, where prompts may go, and what is said when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput, UsageError, UserError
from core.generation.endpoint import KEY_VARIABLE, Endpoint, EndpointAnswer, EndpointDecoder, checked_url
from tests.fakes.openai_server import OpenAiServer

Make = Callable[..., Endpoint]
PROMPT = Prompt((Message("system", "Be brief."), Message("user", "Hello?")))
DECODER = EndpointDecoder(12, 0.5, 0.9)


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    made = OpenAiServer()
    yield made
    made.stop()


@pytest.fixture
def endpoint(server: OpenAiServer) -> Callable[..., Endpoint]:
    return lambda **options: Endpoint(server.url, sleep=lambda _: None, **options)


def test_that_a_prompt_is_asked_with_every_decoder_setting(
    server: OpenAiServer, endpoint: Callable[..., Endpoint]
) -> None:
    assert endpoint().answer(PROMPT, 2**40 + 5, DECODER) == EndpointAnswer("Hi.", True, 3, 9)
    path, body, key = server.asked[0]
    assert (path, key) == ("/v1/chat/completions", "")
    assert body == {
        "model": "first",
        "messages": PROMPT.to_plain(),
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 12,
        "seed": (2**40 + 5) % 2**31,
        "stream": False,
    }
    endpoint().answer(PROMPT, 1, replace(DECODER, repetition_penalty=1.2, top_k=4))
    assert (server.asked[-1][1]["repetition_penalty"], server.asked[-1][1]["top_k"]) == (1.2, 4)


def test_that_an_answer_cut_at_the_limit_is_not_finished(
    server: OpenAiServer, endpoint: Callable[..., Endpoint]
) -> None:
    server.replies = [(200, {"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}]})]
    assert endpoint(model="m").answer(PROMPT, 0, DECODER) == EndpointAnswer("Hi", False)


def test_that_a_busy_server_is_asked_again(server: OpenAiServer, endpoint: Make) -> None:
    server.replies = [(503, {}), (429, {})]
    assert endpoint(model="m").answer(PROMPT, 0, DECODER).text == "Hi."
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((404, {"error": {"message": "model 'm' not found"}}), "model 'm' not found"),
        ((401, {"error": {"message": "bad key hush-hush"}}), "asks for a key"),
        ((400, {"error": "the key hush-hush is odd"}), "the key *** is odd"),
        ((200, b"<html>hello</html>"), "no JSON object"),
        ((200, {"choices": []}), "no answer in the form"),
        ((200, {"choices": [{"message": {"content": 7}}]}), "no answer in the form"),
    ],
)
def test_that_a_refusal_is_a_sentence_that_holds_no_key(
    server: OpenAiServer, endpoint: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch, reply: Any, words: str
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "hush-hush")
    server.replies = [reply]
    with pytest.raises(UserError, match=r".") as raised:
        endpoint(model="m").answer(PROMPT, 0, DECODER)
    assert words in raised.value.message
    assert "hush-hush" not in str(raised.value)
    assert server.asked[0][2] == "Bearer hush-hush"


def test_that_a_server_that_is_not_there_is_named(server: OpenAiServer, endpoint: Make) -> None:
    made = endpoint(model="m")
    server.stop()
    with pytest.raises(UserError, match=r"No server answers at 127\.0\.0\.1"):
        made.answer(PROMPT, 0, DECODER)


def test_that_a_server_without_a_model_must_be_told_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Endpoint("http://127.0.0.1:1/v1")
    monkeypatch.setattr(made, "_call", lambda *_: {"data": []})
    with pytest.raises(BadInput, match="lists no model"):
        made.model()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v1", "http://[::1]:8080/v1", "https://127.0.0.2/v1"])
def test_that_this_machine_may_be_asked(url: str) -> None:
    assert checked_url(url).hostname


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/v1",
        "http://10.0.0.5:8080/v1",
        "http://127.0.0.1.example.org/v1",
        "http://0.0.0.0:8080/v1",
        "file:///etc/passwd",
        "127.0.0.1:8080",
        "http://user:word@127.0.0.1/v1",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1/v1?key=word",
    ],
)
def test_that_nothing_is_sent_elsewhere_without_the_hosts_name(url: str) -> None:
    with pytest.raises(UsageError):
        checked_url(url)


def test_that_a_named_host_may_be_asked() -> None:
    assert checked_url("https://models.example.org/v1", "models.example.org").hostname == "models.example.org"
    with pytest.raises(UsageError):
        checked_url("https://models.example.org/v1", "yes")
