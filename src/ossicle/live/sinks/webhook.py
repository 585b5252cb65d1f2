"""Lines as the bodies of HTTP requests."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from typing import IO, Any
from urllib.parse import urlsplit

from ossicle.live.sinks.sink import LineRejected, SinkError

# Status codes worth a retry: no access yet, too early, too many requests, server errors.
_PASSING = frozenset({401, 403, 404, 408, 425, 429, 500, 502, 503, 504})


class Webhook:
    """POST each line as JSON.

    Parameters
    ----------
    address
        An ``http`` or ``https`` address without user and password.
    token
        Sent as ``Authorization: Bearer``; empty for none. It appears in no message.
    timeout_s
        How long the server may take.
    """

    def __init__(self, address: str, token: str = "", timeout_s: float = 10.0) -> None:
        parts = urlsplit(address)
        # The path of a webhook is often its secret.
        self.name = f"{parts.scheme}://{parts.netloc}"
        self._address, self._timeout_s = address, timeout_s
        self._headers = {"Content-Type": "application/json", "User-Agent": "ossicle"}
        self._secret: Mapping[str, str] = {"Authorization": f"Bearer {token}"} if token else {}

    def deliver(self, text: str) -> None:
        """POST one line; raises SinkError or LineRejected by the status of the answer."""
        request = urllib.request.Request(self._address, text.encode(), self._headers, method="POST")
        for name, value in self._secret.items():
            # Not sent on to where a redirection leads.
            request.add_unredirected_header(name, value)
        try:
            with _OPENER.open(request, timeout=self._timeout_s) as response:
                response.read(1 << 16)
        except urllib.error.HTTPError as problem:
            with closing(problem):
                answer_text = f"{self.name}: the server says {problem.code} {problem.reason}"
            if problem.code in _PASSING:
                raise SinkError(answer_text) from None
            raise LineRejected(answer_text) from None
        except (OSError, http.client.HTTPException, ValueError) as problem:
            reason = getattr(problem, "reason", problem)
            raise SinkError(f"{self.name}: {reason or type(problem).__name__}") from None

    def close(self) -> None:
        """Nothing is open between lines."""


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET without its line."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Follow no redirection: the answer stays the error that it is."""
        return


_OPENER = urllib.request.build_opener(_NoRedirection)
