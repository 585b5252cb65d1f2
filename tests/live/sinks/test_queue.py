"""A sink never slows the engine, and every line is delivered or counted as lost."""

import json
import threading
import time
from collections.abc import Callable

import pytest

from ossicle.live.backoff import Backoff
from ossicle.live.sinks.fan_out import FanOut
from ossicle.live.sinks.queue import LOST, SinkQueue
from ossicle.live.sinks.sink import LineRejected, SinkClosed, SinkError

QUICK = Backoff(0.001, 0.01)


class Listed:
    """Keeps lines; ``first`` runs before each."""

    name = "list"

    def __init__(self, first: Callable[[str], None] = lambda text: None) -> None:
        self.lines: list[dict[str, int]] = []
        self._first = first
        self.closed = False

    def deliver(self, text: str) -> None:
        self._first(text)
        self.lines.append(json.loads(text))

    def close(self) -> None:
        self.closed = True


def test_lines_are_delivered_in_order() -> None:
    sink = Listed()
    queue = SinkQueue(sink)
    for number in range(500):
        queue.put({"n": number})
    report = queue.end()
    assert [line["n"] for line in sink.lines] == list(range(500))
    assert (report.delivered, report.lost, report.last_error, sink.closed) == (500, 0, "", True)


def test_a_stopped_sink_never_slows_the_engine_and_the_next_line_counts_what_was_lost() -> None:
    going, began = threading.Event(), threading.Event()

    def stop(text: str) -> None:
        began.set()
        going.wait(10.0)

    sink = Listed(stop)
    queue = SinkQueue(sink, most_lines=10)
    queue.put({"n": 0})
    began.wait(5.0)
    before_s = time.perf_counter()
    for number in range(1, 1001):
        queue.put({"n": number})
    assert time.perf_counter() - before_s < 1.0
    assert queue.report().lost == 990
    going.set()
    report = queue.end(5.0)
    assert (report.delivered, report.lost) == (11, 990)
    assert sink.lines[:2] == [{"n": 0}, {"n": 991, LOST: 990}]
    assert [line["n"] for line in sink.lines[1:]] == list(range(991, 1001))
    assert all(LOST not in line for line in sink.lines[2:])


def test_a_failed_line_is_tried_again_with_the_same_text() -> None:
    texts: list[str] = []

    def failing(text: str) -> None:
        texts.append(text)
        if len(texts) < 4:
            raise SinkError("the broker is away")

    sink = Listed(failing)
    queue = SinkQueue(sink, backoff=QUICK)
    queue.put({"n": 1})
    report = queue.end(5.0)
    assert texts == [texts[0]] * 4
    assert (report.delivered, report.lost, report.last_error) == (1, 0, "the broker is away")


def test_a_rejected_line_is_lost_and_the_next_one_says_so() -> None:
    def rejecting(text: str) -> None:
        if '"n": 1' in text:
            raise LineRejected("the server says 400 Bad Request")

    sink = Listed(rejecting)
    queue = SinkQueue(sink)
    for number in range(3):
        queue.put({"n": number})
    report = queue.end()
    assert sink.lines == [{"n": 0}, {"n": 2, LOST: 1}]
    assert (report.delivered, report.lost) == (2, 1)


def test_what_waits_at_the_end_is_lost_after_the_patience() -> None:
    def failing(text: str) -> None:
        raise SinkError("away")

    queue = SinkQueue(Listed(failing), backoff=Backoff(5.0, 5.0))
    for number in range(7):
        queue.put({"n": number})
    before_s = time.perf_counter()
    report = queue.end(0.2)
    assert time.perf_counter() - before_s < 2.0
    assert (report.delivered, report.lost, report.last_error) == (0, 7, "away")


def test_a_delivery_that_never_returns_does_not_keep_the_session() -> None:
    forever = threading.Event()
    queue = SinkQueue(Listed(lambda text: [forever.wait(30.0), None][1]))
    queue.put({"n": 0})
    before_s = time.perf_counter()
    report = queue.end(0.2)
    assert time.perf_counter() - before_s < 2.0
    assert report.lost == 1
    forever.set()


def test_a_sink_that_is_gone_loses_all_later_lines_and_the_others_go_on() -> None:
    def gone(text: str) -> None:
        raise SinkClosed("nobody reads")

    other = Listed()
    sinks = FanOut([SinkQueue(Listed(gone)), SinkQueue(other)])
    for number in range(5):
        sinks.put({"n": number})
    first, second = sinks.end()
    assert (first.delivered, first.lost, second.delivered) == (0, 5, 5)
    assert not sinks.all_gone
    assert FanOut([]).all_gone is False


@pytest.mark.parametrize("failures", [0, 3])
def test_delivered_and_lost_are_all_lines(failures: int) -> None:
    left = [failures]

    def sometimes(text: str) -> None:
        if left[0]:
            left[0] -= 1
            raise SinkError("away")

    sink = Listed(sometimes)
    queue = SinkQueue(sink, most_lines=3, backoff=QUICK)
    for number in range(50):
        queue.put({"n": number})
    report = queue.end(5.0)
    assert report.delivered + report.lost == 50
    assert len(sink.lines) == report.delivered
    assert sum(line.get(LOST, 0) for line in sink.lines) == report.lost
