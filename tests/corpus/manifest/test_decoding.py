"""Bad lines are named by their number and what is wrong with them; the lines around them are read."""

import msgspec
import pytest

from ossicle.corpus.manifest.decoding import decode
from ossicle.corpus.manifest.event_fields import Event, PlacedEvent, name_fault, path_fault

from ...made_up.manifest_lines import line

GOOD = line()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (GOOD[:-1], "the line ends in the middle of a value"),
        (GOOD[:-1] + ',"x":tru}', "not JSON"),
        (GOOD + ",", f"column {len(GOOD) + 1}: not JSON"),
        (GOOD + GOOD, f"column {len(GOOD) + 1}: not JSON"),
        ("kick", "column 1: not JSON"),
        ("[1]", "expected an object, got a list"),
        ("null", "expected an object, got null"),
        (line(onset_time=None), "lacks 'onset_time'"),
        (line(audio_path=None), "lacks 'audio_path'"),
        (line(components=None), "lacks 'components'"),
        (line(onset_time=-1), "onset_time: expected a number of at least 0"),
        (line(onset_time=1e300), "onset_time: expected a number of at most 1000000000"),
        (line(onset_time="1.5"), "onset_time: expected a number, got text"),
        (line(onset_time=1.5).replace("1.5", "NaN"), "not JSON"),
        (line(onset_time=1.5).replace("1.5", "Infinity"), "not JSON"),
        (line(onset_time=1.5).replace("1.5", "1e999"), "onset_time: number out of range"),
        (
            line(components=[{"label": "kick", "velocity": 90}]),
            "components[0].velocity: expected a number of at most 1",
        ),
        (line(components=[{"label": ""}]), "components[0].label: expected text of at least 1 character"),
        (line(context_ms={"pre": -5, "post": 200}), "context_ms.pre: expected a number of at least 0"),
        (line(label="k\ud800"), "half a character"),
        (line(onset_time=1.5).replace("1.5", '1.5, "x": ' + "[" * 5000), "nested too deeply"),
    ],
)
@pytest.mark.parametrize("kind", [Event, PlacedEvent])
def test_a_bad_line_is_named(kind: type[Event] | type[PlacedEvent], bad: str, reason: str) -> None:
    chunk = f"{GOOD}\n{bad}\n{GOOD}\n".encode("utf-8", "surrogatepass")
    decoded = decode(msgspec.json.Decoder(kind), chunk, 7)
    assert [bad_line.line for bad_line in decoded.bad] == [8]
    assert reason in decoded.bad[0].reason
    assert list(decoded.numbers) == [7, 9]
    assert decoded.n_lines == 3


@pytest.mark.parametrize("bad", [b"\xff\xfe{\x00}\x00", b"\x00\x00\x00"])
def test_another_encoding_is_named(bad: bytes) -> None:
    decoded = decode(msgspec.json.Decoder(Event), bad + b"\n" + GOOD.encode(), 1)
    assert [(bad_line.line, bad_line.reason) for bad_line in decoded.bad] == [
        (1, "not UTF-8 text; save the manifest as UTF-8")
    ]
    assert list(decoded.numbers) == [2]


def test_bytes_that_are_not_utf8_are_a_bad_line() -> None:
    decoded = decode(msgspec.json.Decoder(Event), GOOD.replace("kick", "ki~k").encode().replace(b"~", b"\xff"), 1)
    assert [bad_line.line for bad_line in decoded.bad] == [1]


def test_blank_lines_and_carriage_returns_are_no_events() -> None:
    decoded = decode(msgspec.json.Decoder(Event), f"{GOOD}\r\n\r\n  \n{GOOD}\r\n".encode(), 1)
    assert (list(decoded.numbers), decoded.bad, decoded.n_lines) == ([1, 4], [], 4)


def test_unknown_fields_are_skipped_and_numbers_may_be_ids() -> None:
    decoded = decode(msgspec.json.Decoder(Event), line(kit_id=7, strange={"a": [1]}).encode(), 1)
    assert decoded.events[0].kit_id == 7


OUTSIDE = ["/etc/passwd", "../a.wav", "a/../../b.wav", "a\\..\\b.wav", "C:\\a.wav", "c:a.wav", "\\\\host\\share\\a.wav"]
ODD = ["a\n.wav", "a\0.wav", " ", ".", "a\u202ewav.exe"]


@pytest.mark.parametrize("path", OUTSIDE + ODD)
def test_paths_that_leave_a_root_have_a_fault(path: str) -> None:
    assert path_fault(path)


@pytest.mark.parametrize("path", ["a.wav", "a/b.wav", "a\\b.wav", "..a/b..wav", "a/.b.wav", "über/ß.wav", "a b.wav"])
def test_paths_below_a_root_have_none(path: str) -> None:
    assert path_fault(path) == ""


def test_names_with_control_characters_have_a_fault() -> None:
    assert name_fault("label", "kick\x1b[2J") == "label is 'kick\\x1b[2J', which contains U+001B"
    assert name_fault("label", "  ")
    assert name_fault("label", "Große Trommel") == ""
