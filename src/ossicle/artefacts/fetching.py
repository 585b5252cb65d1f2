"""Download a file: resumed after interruptions, verified by size and SHA-256, written atomically.

Received bytes are stored beside the file's path under a hidden name made of path and SHA-256, so that a stopped
download continues where it ended (HTTP ranges, RFC 9110) and never with the bytes of another file. ``http``, ``https``
and ``file`` are the only schemes, also after redirections.
"""

import http.client
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal
from urllib.parse import quote, urlsplit

from ossicle.artefacts.files import file_digest, naming, publish
from ossicle.artefacts.filesystem.changes import make_folder, open_to_change, remove_file
from ossicle.artefacts.filesystem.links import first_link
from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.core.digest import digest
from ossicle.core.errors import FetchError

SCHEMES = ("http", "https", "file")
_BLOCK_BYTES = 1 << 18
# Status codes worth a retry: too early, too many requests, and server errors (RFC 9110, RFC 6585).
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_RESERVED = "%/:?#[]@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file: its address, its posix path below the folder, its bytes, and their SHA-256 (64 hexadecimal digits)."""

    address: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may send nothing (s), the number of attempts without a new byte, and the first pause between
    them (s).

    Pauses double, up to a minute.
    """

    timeout_s: float = 30.0
    attempts: int = 5
    pause_s: float = 1.0


class _Passing(Exception):
    """An error that may be gone at the next attempt."""


class _Again(Exception):
    """The received bytes do not fit the server's file: start again."""


def part_of(download: Wanted, folder: Path) -> Path:
    """Return the path of a file's bytes until it is complete."""
    name = f".ossicle-fetch-{digest([download.path, download.sha256])[:24]}"
    return (folder / PurePosixPath(download.path)).with_name(name)


def fetch_file(
    download: Wanted,
    folder: Path,
    patience: Patience = Patience(),
    *,
    stop: threading.Event | None = None,
    received: Callable[[int], None] | None = None,
) -> Literal["reused", "computed"]:
    """Download a file below ``folder``; return ``reused`` if it exists already.

    ``received`` gets the number of new bytes.

    A broken connection is retried. ``stop`` ends the download between two blocks; received bytes are kept for the next
    call.

    Raises
    ------
    FetchError
        For a link on the way to the file's path, another file at that path, an address that does not return it, bytes
        with another size or SHA-256, and a stop.
    """
    target, part = folder / PurePosixPath(download.path), part_of(download, folder)
    for path in (target, part):
        if (link := first_link(path)) is not None:
            raise FetchError(f"{link}: is a symbolic link, so a download would be written to its target; remove it")
    if target.exists():
        if not target.is_file() or target.stat().st_size != download.size or file_digest(target) != download.sha256:
            raise FetchError(f"{download.path}: already exists and differs from the table; move or remove it")
        return "reused"
    stop, received = stop or threading.Event(), received or (lambda n: None)
    with naming(target):
        make_folder(part.parent)
        resumed = part.exists()
        _receive(download, part, patience, stop, received)
        if (digest := file_digest(part)) != download.sha256 and resumed:
            # The file at the address may have changed since the first bytes.
            remove_file(part)
            _receive(download, part, patience, stop, received)
            digest = file_digest(part)
        if digest != download.sha256:
            remove_file(part)
            raise FetchError(
                f"{download.path}: {download.address} has the SHA-256 {digest}, but the table says {download.sha256}; "
                "correct the table, or ask the publisher of the file"
            )
        publish(part, target)
    return "computed"


def _receive(
    download: Wanted, part: Path, patience: Patience, stop: threading.Event, received: Callable[[int], None]
) -> None:
    """Download ``part`` up to its full size."""
    left, pause_s = patience.attempts, patience.pause_s
    furthest = _size(part) if _size(part) <= download.size else 0
    while True:
        have = _size(part)
        if have > download.size:
            remove_file(part)
            have = 0
        try:
            if have < download.size or not part.exists():
                _append(download, part, have, patience.timeout_s, stop, received)
            if part.stat().st_size == download.size:
                return
            reason = "the connection ended early"
        except _Again:
            remove_file(part)
            reason = "the server did not resume at the requested byte"
        except _Passing as problem:
            reason = str(problem)
        # Only attempts without progress are counted: a long download may be interrupted many times.
        came = _size(part) > furthest
        furthest = max(furthest, _size(part))
        left, pause_s = (patience.attempts, patience.pause_s) if came else (left - 1, min(2 * pause_s, 60.0))
        if left <= 0:
            raise FetchError(f"{download.path}: {download.address}: {reason}; run the same command again to resume")
        if stop.wait(0.0 if came else pause_s):
            raise FetchError(f"{download.path}: stopped; run the same command again to resume")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _append(
    download: Wanted, part: Path, have: int, timeout_s: float, stop: threading.Event, received: Callable[[int], None]
) -> None:
    """Append to ``part`` the bytes of the address from byte ``have`` on."""
    with _opened(download, have, timeout_s) as (stream, start), open_to_change(part) as handle:
        handle.truncate(start)
        handle.seek(start)
        position = start
        while block := _read(stream):
            if stop.is_set():
                raise FetchError(f"{download.path}: stopped; run the same command again to resume")
            position += len(block)
            if position > download.size:
                handle.truncate(0)
                raise FetchError(
                    f"{download.path}: {download.address} sends more than the {download.size} bytes that the table "
                    "states; correct the size"
                )
            handle.write(block)
            received(len(block))


def _read(stream: IO[bytes] | http.client.HTTPResponse) -> bytes:
    try:
        return stream.read(_BLOCK_BYTES)
    except http.client.IncompleteRead as problem:
        return problem.partial
    except (OSError, http.client.HTTPException) as problem:
        raise _Passing(_one_line(problem) or type(problem).__name__) from None


def _one_line(reason: object) -> str:
    """Return what a server or a library says as one line."""
    return " ".join(str(reason).split())


@contextmanager
def _opened(
    download: Wanted, have: int, timeout_s: float
) -> Iterator[tuple[IO[bytes] | http.client.HTTPResponse, int]]:
    """Return the stream of an address and the byte at which it begins: ``have`` or, if it cannot continue, 0."""
    parts = urlsplit(download.address)
    if parts.scheme == "file":
        source = Path(urllib.request.url2pathname(parts.path))
        if not (source.is_file() and os.access(source, os.R_OK)):
            raise FetchError(f"{download.path}: {download.address}: is not a readable file; correct the address")
        if (size := source.stat().st_size) < download.size:
            raise FetchError(
                f"{download.path}: {download.address} has {size} bytes, but the table says {download.size}; correct "
                "the size"
            )
        with open_regular(source) as local:
            local.seek(have)
            yield local, have
        return
    if parts.scheme not in SCHEMES:
        raise FetchError(f"{download.path}: {download.address}: only {', '.join(SCHEMES)} addresses are fetched")
    request = urllib.request.Request(quote(download.address, safe=_RESERVED), headers={"User-Agent": "ossicle"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = _OPENER.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as problem:
        with closing(problem):
            if problem.code == 416:
                raise _Again from None
            if problem.code in _PASSING:
                raise _Passing(f"the server says {problem.code} {_one_line(problem.reason)}") from None
            raise FetchError(
                f"{download.path}: {download.address}: the server says {problem.code} {_one_line(problem.reason)}; "
                "correct the address"
            ) from None
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "reason", problem)
        raise _Passing(_one_line(reason) or type(problem).__name__) from None
    except ValueError as problem:
        # The address itself was checked in the table.
        raise FetchError(
            f"{download.path}: {download.address} leads to an address that is not valid ({_one_line(problem)}); "
            "correct the address"
        ) from None
    with response:
        begins = response.headers.get("Content-Range", "").partition("bytes ")[2].partition("-")[0]
        if response.status == 206 and begins != str(have):
            raise _Again
        yield response, have if response.status == 206 else 0


class _SameSchemes(urllib.request.HTTPRedirectHandler):
    """Redirections may use http and https only: the standard library would also follow them to ftp."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request for ``newurl``; raises FetchError if it has another scheme."""
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise FetchError(f"{req.full_url} leads to {newurl}: only http and https are followed; correct the address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_SameSchemes)
