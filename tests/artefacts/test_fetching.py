"""Downloads from a server that drops connections, lies and changes its mind; and what is refused."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.artefacts.fetching import Patience, Wanted, _one_line, fetch_file, part_of
from ossicle.core.errors import FetchError

BODY = np.random.default_rng(1).bytes(700_000)
QUICK = Patience(timeout_s=2.0, attempts=3, pause_s=0.001)


class Server:
    """A server on this machine whose answers a test decides; ``asked`` holds the Range header of every request."""

    def __init__(self) -> None:
        self.body, self.ranges, self.drop_after, self.drops = BODY, True, 0, 0
        self.statuses: list[int] = []
        self.location = ""
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.httpd.server_address[1]}/a/b%20c.ogg"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range", "")
        self.asked.append(asked)
        if self.location:
            handler.send_response(302)
            handler.send_header("Location", self.location)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if self.statuses:
            handler.send_error(self.statuses.pop(0))
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        if start >= len(self.body) and start:
            handler.send_error(416)
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(self.body) - 1}/{len(self.body)}")
        handler.send_header("Content-Length", str(len(self.body) - start))
        handler.end_headers()
        rest = self.body[start:]
        if self.drops:
            self.drops -= 1
            handler.wfile.write(rest[: self.drop_after])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.close()
            return
        handler.wfile.write(rest)


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.httpd.shutdown()
    one.thread.join()
    one.httpd.server_close()


def wanted(server: Server, body: bytes = BODY, path: str = "x/b c.ogg") -> Wanted:
    return Wanted(server.address, path, len(body), hashlib.sha256(body).hexdigest())


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_is_fetched_once_and_then_found(server: Server, tmp_path: Path) -> None:
    came: list[int] = []
    assert fetch_file(wanted(server), tmp_path, QUICK, received=came.append) == "computed"
    assert (tmp_path / "x/b c.ogg").read_bytes() == BODY
    assert sum(came) == len(BODY)
    assert fetch_file(wanted(server), tmp_path, QUICK) == "reused"
    assert server.asked == [""]
    assert left(tmp_path) == ["x/b c.ogg"]


def test_dropped_connections_go_on_where_they_ended(server: Server, tmp_path: Path) -> None:
    # More drops than tries: only those that bring nothing are counted.
    server.drops, server.drop_after = 6, 100_000
    assert fetch_file(wanted(server), tmp_path, QUICK) == "computed"
    assert (tmp_path / "x/b c.ogg").read_bytes() == BODY
    assert len(server.asked) == 7
    starts = [int(asked.removeprefix("bytes=").rstrip("-") or 0) for asked in server.asked]
    assert starts == sorted(starts)
    assert starts[1] > 0


def test_a_server_without_ranges_is_asked_for_all_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.drops, server.drop_after = False, 1, 50_000
    assert fetch_file(wanted(server), tmp_path, QUICK) == "computed"
    assert (tmp_path / "x/b c.ogg").read_bytes() == BODY


def test_what_another_process_left_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    one = wanted(server)
    part = part_of(one, tmp_path)
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY[:123_456])
    assert fetch_file(one, tmp_path, QUICK) == "computed"
    assert server.asked == ["bytes=123456-"]
    assert (tmp_path / "x/b c.ogg").read_bytes() == BODY


@pytest.mark.parametrize("rest", [b"wrong" * 1000, b"x" * (len(BODY) + 9), b"w" * len(BODY)])
def test_a_rest_of_other_bytes_is_begun_anew(server: Server, tmp_path: Path, rest: bytes) -> None:
    one = wanted(server)
    part = part_of(one, tmp_path)
    part.parent.mkdir(parents=True)
    part.write_bytes(rest)
    assert fetch_file(one, tmp_path, QUICK) == "computed"
    assert (tmp_path / "x/b c.ogg").read_bytes() == BODY


def test_other_bytes_than_the_table_says_leave_nothing(server: Server, tmp_path: Path) -> None:
    one = wanted(server)
    server.body = BODY[:-1] + b"?"
    with pytest.raises(FetchError, match=r"^x/b c\.ogg: http://.*has the SHA-256 .*the table says"):
        fetch_file(one, tmp_path, QUICK)
    server.body = BODY + b"more"
    with pytest.raises(FetchError, match=r"sends more than the 700000 bytes that the table states"):
        fetch_file(one, tmp_path, QUICK)
    assert [name for name in left(tmp_path) if not name.startswith("x/.ossicle-fetch-")] == []


def test_a_server_that_never_gets_there_is_given_up_and_gone_on_with_later(server: Server, tmp_path: Path) -> None:
    server.statuses = [503, 500, 429]
    with pytest.raises(FetchError, match=r"the server says 429 .*; run the same command again to resume"):
        fetch_file(wanted(server), tmp_path, QUICK)
    assert len(server.asked) == 3
    server.body = BODY[:1000]
    with pytest.raises(FetchError, match=r"the connection ended early|did not resume"):
        fetch_file(wanted(server), tmp_path, QUICK)
    server.body = BODY
    assert fetch_file(wanted(server), tmp_path, QUICK) == "computed"


def test_what_is_not_there_is_told_at_once(server: Server, tmp_path: Path) -> None:
    server.statuses = [404]
    with pytest.raises(FetchError, match=r"the server says 404 .*; correct the address"):
        fetch_file(wanted(server), tmp_path, QUICK)
    assert len(server.asked) == 1
    gone = Wanted("http://127.0.0.1:9/x.ogg", "x.ogg", 1, "0" * 64)
    with pytest.raises(FetchError, match="run the same command again to resume"):
        fetch_file(gone, tmp_path, Patience(timeout_s=1.0, attempts=1, pause_s=0.001))


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "file:///etc/hostname", "data:text/plain,x"])
def test_redirections_to_other_schemes_are_not_followed(server: Server, tmp_path: Path, location: str) -> None:
    server.location = location
    with pytest.raises(FetchError, match=r"only http and https are followed|the server says 302"):
        fetch_file(wanted(server), tmp_path, QUICK)
    assert left(tmp_path) == []


def test_files_in_its_place_and_links_on_the_way_are_left_alone(server: Server, tmp_path: Path) -> None:
    mine = tmp_path / "x/b c.ogg"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(FetchError, match=r"already exists and differs from the table; move or remove it"):
        fetch_file(wanted(server), tmp_path, QUICK)
    assert mine.read_bytes() == b"mine"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "b.ogg").symlink_to(tmp_path / "elsewhere/b.ogg")
    for path in ("link/b.ogg", "b.ogg"):
        with pytest.raises(FetchError, match="is a symbolic link"):
            fetch_file(wanted(server, path=path), tmp_path, QUICK)
    assert left(tmp_path / "elsewhere") == []
    assert server.asked == []


def test_files_of_this_machine_may_have_addresses_too(tmp_path: Path) -> None:
    source = tmp_path / "a b.ogg"
    source.write_bytes(BODY)
    one = Wanted(source.as_uri(), "copy.ogg", len(BODY), hashlib.sha256(BODY).hexdigest())
    assert fetch_file(one, tmp_path / "out", QUICK) == "computed"
    assert (tmp_path / "out/copy.ogg").read_bytes() == BODY
    source.unlink()
    with pytest.raises(FetchError, match="is not a readable file"):
        fetch_file(one, tmp_path / "again", QUICK)
    with pytest.raises(FetchError, match="only http, https, file"):
        fetch_file(Wanted("ftp://x/y", "y", 1, "0" * 64), tmp_path / "again", QUICK)


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    one = Wanted((tmp_path / "none").as_uri(), "copy", 0, hashlib.sha256(b"").hexdigest())
    assert fetch_file(one, tmp_path / "out", QUICK) == "computed"
    assert (tmp_path / "out/copy").read_bytes() == b""


def stopping(stop: threading.Event, after: int) -> Callable[[int], None]:
    came = 0

    def told(n: int) -> None:
        nonlocal came
        came += n
        if came >= after:
            stop.set()

    return told


@given(after=st.integers(1, 600_000))
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stopped_anywhere_the_next_call_ends_it(server: Server, tmp_path_factory, after: int) -> None:
    folder, stop = tmp_path_factory.mktemp("stop"), threading.Event()
    with pytest.raises(FetchError, match="stopped; run the same command again to resume"):
        fetch_file(wanted(server), folder, QUICK, stop=stop, received=stopping(stop, after))
    assert not (folder / "x/b c.ogg").exists()
    assert fetch_file(wanted(server), folder, QUICK) == "computed"
    assert (folder / "x/b c.ogg").read_bytes() == BODY


def test_a_redirection_to_an_address_that_is_not_valid_is_an_error_of_one_line(server: Server, tmp_path: Path) -> None:
    server.location = "http://[::1"
    with pytest.raises(FetchError, match=r"leads to an address that is not valid .*; correct the address$"):
        fetch_file(wanted(server), tmp_path, QUICK)
    assert left(tmp_path) == []


def test_what_a_server_says_is_one_line() -> None:
    assert _one_line("Found\r\n  - twice\n") == "Found - twice"


def test_a_file_that_is_smaller_than_the_table_says_is_not_called_a_broken_connection(tmp_path: Path) -> None:
    source = tmp_path / "source.ogg"
    source.write_bytes(BODY[:500])
    listed = Wanted(source.as_uri(), "x.ogg", len(BODY), hashlib.sha256(BODY).hexdigest())
    with pytest.raises(FetchError, match="has 500 bytes, but the table says 700000; correct the size"):
        fetch_file(listed, tmp_path / "out", QUICK)
