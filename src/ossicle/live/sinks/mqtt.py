"""Lines as messages to an MQTT broker; the only module that imports paho."""

import threading
from typing import Any

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from ossicle.live.sinks.sink import SinkError

_LONGEST_RECONNECT_S = 30
_NO_CONNECTION = "no connection to the broker"


class MqttBroker:
    """Publish each line with QoS 1: a line is delivered when the broker has confirmed it.

    paho connects again by itself. A broker may get a line twice, never half.

    Parameters
    ----------
    host, port, topic
        The broker and the topic.
    user, password
        For brokers that ask; empty for none. They appear in no message.
    tls
        Whether to encrypt the connection, with the system's certificates.
    timeout_s
        How long to wait for a confirmation before the line counts as failed and is waited for again.
    """

    def __init__(
        self,
        host: str,
        port: int,
        topic: str,
        user: str = "",
        password: str = "",
        *,
        tls: bool = False,
        timeout_s: float = 5.0,
    ) -> None:
        self.name = f"{'mqtts' if tls else 'mqtt'}://{host}:{port}/{topic}"
        self._topic, self._timeout_s = topic, timeout_s
        self._waiting: tuple[str, MQTTMessageInfo] | None = None
        self._reason = _NO_CONNECTION
        self._connected = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        if user or password:
            self._client.username_pw_set(user or None, password or None)
        if tls:
            self._client.tls_set()
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.reconnect_delay_set(1, _LONGEST_RECONNECT_S)
        self._client.connect_async(host, port)
        self._client.loop_start()

    def deliver(self, text: str) -> None:
        """Publish one line; raises SinkError while the broker does not confirm it."""
        if self._waiting is None or self._waiting[0] != text:
            if not self._connected.wait(self._timeout_s):
                raise SinkError(f"{self.name}: {self._reason}")
            info = self._client.publish(self._topic, text.encode(), qos=1)
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise SinkError(f"{self.name}: {info.rc.name}")
            # paho sends it again after a lost connection, so a second attempt only waits.
            self._waiting = (text, info)
        info = self._waiting[1]
        try:
            info.wait_for_publish(self._timeout_s)
            confirmed = info.is_published()
        except (RuntimeError, ValueError) as problem:
            self._waiting = None
            raise SinkError(f"{self.name}: {problem}") from None
        if not confirmed:
            reason = "the broker does not answer" if self._connected.is_set() else self._reason
            raise SinkError(f"{self.name}: {reason}")
        self._waiting = None

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._reason = f"the broker refuses the connection: {reason}"
        else:
            self._connected.set()

    def _on_disconnect(self, client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        was_connected = self._connected.is_set()
        self._connected.clear()
        if was_connected:
            self._reason = f"the connection ended: {reason}"
