"""Sinks: standard output, files, webhooks and MQTT, and their addresses."""

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ossicle.core.errors import UsageError
from ossicle.live.sinks.addresses import SinkAddress, sink_address
from ossicle.live.sinks.json_lines import JsonLinesFile
from ossicle.live.sinks.mqtt import MqttBroker
from ossicle.live.sinks.sink import LineRejected, SinkClosed, SinkError
from ossicle.live.sinks.standard_output import StandardOutput
from ossicle.live.sinks.webhook import Webhook


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("stdout", SinkAddress("stdout")),
        ("jsonl:a/b c.jsonl", SinkAddress("jsonl", "a/b c.jsonl")),
        ("mqtt://h/home/k%C3%BCche", SinkAddress("mqtt", "home/küche", "h", 1883)),
        ("mqtts://h:9/t", SinkAddress("mqtt", "t", "h", 9, tls=True)),
        ("https://h/hook?id=1", SinkAddress("webhook", "https://h/hook?id=1")),
    ],
)
def test_addresses(text: str, address: SinkAddress) -> None:
    assert sink_address(text) == address


NO_ADDRESSES = ["", "out.jsonl", "jsonl:", "mqtt://h", "mqtt://h/", "mqtt:///t", "mqtt://h/a/#", "mqtt://h/+/b"]
NO_ADDRESSES += ["mqtt://h:99999/t", "mqtt://h:x/t", "ftp://h/x", "http:///x", "http://[::1", "std\nout"]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--sink"):
        sink_address(text)


@pytest.mark.parametrize("text", ["mqtt://ann:geheim@h/t", "https://ann:geheim@h/x", "http://geheim@h/x"])
def test_a_password_in_an_address_is_refused_and_not_printed(text: str) -> None:
    with pytest.raises(UsageError, match="OSSICLE_") as refused:
        sink_address(text)
    assert "geheim" not in str(refused.value)


def test_stdout_writes_whole_lines_and_notices_a_reader_that_left() -> None:
    reading, writing = os.pipe()
    sink = StandardOutput(writing)
    sink.deliver('{"a": "ä"}')
    assert os.read(reading, 100) == '{"a": "ä"}\n'.encode()
    os.close(reading)
    with pytest.raises(SinkClosed, match="stdout"):
        sink.deliver("{}")
    os.close(writing)


def test_a_file_gets_whole_lines_after_half_a_line_and_after_it_was_moved(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.jsonl"
    sink = JsonLinesFile(path)
    sink.deliver('{"n": 1}')
    path.write_text(path.read_text() + '{"n": ')
    sink.deliver('{"n": 2}')
    assert path.read_text() == '{"n": 1}\n{"n": \n{"n": 2}\n'
    path.rename(tmp_path / "old.jsonl")
    sink.deliver('{"n": 3}')
    assert path.read_text() == '{"n": 3}\n'


def test_no_link_pipe_or_device_is_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("mine\n")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "other")
    with pytest.raises(UsageError, match="symbolic link"):
        JsonLinesFile(tmp_path / "link.jsonl")
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(OSError, match="not a regular file"):
        JsonLinesFile(tmp_path / "pipe.jsonl")
    sink = JsonLinesFile(tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").unlink()
    (tmp_path / "log.jsonl").symlink_to(tmp_path / "other")
    with pytest.raises(SinkError, match="symbolic link"):
        sink.deliver("{}")
    assert (tmp_path / "other").read_text() == "mine\n"


class Hook(http.server.ThreadingHTTPServer):
    """Answers with the given codes, then 200, and keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.codes: list[int] = []
        self.got: list[tuple[str, str, str | None]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/secret-path"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hook)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.got.append((self.headers["Content-Type"], body, self.headers["Authorization"]))
        code = self.server.codes.pop(0) if self.server.codes else 200
        self.send_response(code)
        if code in (301, 302, 307):
            self.send_header("Location", self.server.address)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_webhook_gets_json_with_the_token(hook: Hook) -> None:
    Webhook(hook.address, "geheim").deliver('{"label": "ä"}')
    ((kind, body, token),) = hook.got
    assert (kind, json.loads(body), token) == ("application/json", {"label": "ä"}, "Bearer geheim")
    Webhook(hook.address).deliver("{}")
    assert hook.got[-1][2] is None


@pytest.mark.parametrize(
    ("code", "error"),
    [*((code, SinkError) for code in (503, 429, 404)), *((code, LineRejected) for code in (400, 413, 302, 307))],
)
def test_the_answer_of_a_webhook_says_whether_to_try_again(hook: Hook, code: int, error: type[Exception]) -> None:
    hook.codes = [code]
    with pytest.raises(error, match=str(code)) as raised:
        Webhook(hook.address, "geheim").deliver("{}")
    assert "geheim" not in str(raised.value)
    assert "secret-path" not in str(raised.value)
    # A redirection is not followed: the line would be left behind.
    assert len(hook.got) == 1


def test_a_webhook_that_is_not_there_is_tried_again(hook: Hook) -> None:
    address = hook.address
    hook.server_close()
    with pytest.raises(SinkError, match=r"http://127\.0\.0\.1"):
        Webhook(address, timeout_s=1.0).deliver("{}")


def test_a_broker_that_is_not_there_is_an_error_without_secrets() -> None:
    sink = MqttBroker("127.0.0.1", 1, "home/x", "ann", "geheim", timeout_s=0.05)
    with pytest.raises(SinkError, match=r"mqtt://127\.0\.0\.1:1/home/x: no connection") as raised:
        sink.deliver("{}")
    assert "geheim" not in str(raised.value)
    sink.close()
