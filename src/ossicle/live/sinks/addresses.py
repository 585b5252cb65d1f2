"""The addresses of ``--sink``: ``stdout``, ``jsonl:FILE``, ``mqtt://HOST[:PORT]/TOPIC``, ``http(s)://...``."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from ossicle.core.errors import UsageError
from ossicle.core.text.controls import control_name, first_control

KINDS = "stdout, jsonl:FILE, mqtt://HOST[:PORT]/TOPIC, mqtts://HOST[:PORT]/TOPIC, http://... or https://..."
"""The addresses, for messages and help."""

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class SinkAddress:
    """A parsed address.

    Parameters
    ----------
    kind
        ``stdout``, ``jsonl``, ``mqtt`` or ``webhook``.
    target
        The file, the topic, or the whole address of a webhook.
    host, port, tls
        For MQTT.
    """

    kind: Literal["stdout", "jsonl", "mqtt", "webhook"]
    target: str = ""
    host: str = ""
    port: int = 0
    tls: bool = False


def sink_address(text: str) -> SinkAddress:
    """Parse an address.

    Parameters
    ----------
    text
        As the user typed it.

    Raises
    ------
    UsageError
        It is none of the kinds, a part is missing, or it contains a password.

    Examples
    --------
    >>> sink_address("mqtt://broker.local/home/kitchen")
    SinkAddress(kind='mqtt', target='home/kitchen', host='broker.local', port=1883, tls=False)
    """
    if character := first_control(text):
        raise UsageError(f"--sink: the address contains {control_name(character)}; remove it")
    if text == "stdout":
        return SinkAddress("stdout")
    scheme, _, rest = text.partition(":")
    if scheme == "jsonl":
        if not rest:
            raise UsageError("--sink jsonl: has no file; give jsonl:FILE")
        return SinkAddress("jsonl", rest)
    if scheme not in (*_PORTS, "http", "https"):
        raise UsageError(f"--sink {text!r} is not one of: {KINDS}")
    return _network_address(scheme, text)


def _network_address(scheme: str, text: str) -> SinkAddress:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"--sink {scheme}://...: {error}") from None
    if parts.username is not None or parts.password is not None:
        # Other users of the machine can read the command line of a process.
        variables = "OSSICLE_MQTT_USER and OSSICLE_MQTT_PASSWORD" if scheme in _PORTS else "OSSICLE_HTTP_TOKEN"
        raise UsageError(f"--sink {scheme}://{host}: user and password belong into the environment: set {variables}")
    if not host:
        raise UsageError(f"--sink {text!r} names no host; give {scheme}://HOST/...")
    if scheme not in _PORTS:
        return SinkAddress("webhook", text)
    topic = unquote(parts.path.removeprefix("/"))
    if not topic or set(text) & set("?#") or set(topic) & set("+#\0"):
        raise UsageError(f"--sink {text!r}: give a topic without + # and ?, as in {scheme}://{host}/home/kitchen")
    return SinkAddress("mqtt", topic, host, _PORTS[scheme] if port is None else port, scheme == "mqtts")
