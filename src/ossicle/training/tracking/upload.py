"""Upload the files of Weights & Biases that a training left, with wandb's own command."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from ossicle.core.errors import OssicleError

_SERVER, _SERVER_VARIABLE = "https://api.wandb.ai", "WANDB_BASE_URL"
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_CONNECT_S = 10.0


def require_server() -> None:
    """Raise OssicleError if the server of Weights & Biases cannot be reached, which wandb itself tries for very long.

    Behind a proxy nothing is tried.
    """
    server = os.environ.get(_SERVER_VARIABLE, _SERVER)
    if any(os.environ.get(name) for name in _PROXIES):
        return
    parts = urlsplit(server)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_S).close()
    except OSError as error:
        raise OssicleError(
            f"{server} cannot be reached ({error}); nothing was uploaded, and nothing is lost: run the same command "
            f"again with a connection, or set {_SERVER_VARIABLE} to the address of your own server"
        ) from error


def upload(files: Path) -> None:
    """Upload the run below ``files``, the folder ``wandb`` of a run folder.

    Raises
    ------
    OssicleError
        wandb could not; the message is its own.
    """
    runs = sorted(path.parent for path in files.glob("*run-*/run-*.wandb"))
    environment = {**os.environ, "WANDB_ERROR_REPORTING": "false"}
    for run in runs:
        command = [sys.executable, "-m", "wandb", "sync", str(run)]
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise OssicleError(f"{run}: not uploaded: {_last_words(done.stdout + done.stderr)}")


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["wandb gave no reason"])[-1]
