"""Wildlife Acoustics' metadata: entries of a number, a length and a content in the chunk ``wamd``."""

import re
import struct

from ossicle.audio.recorder.values import (
    RecorderMetadata,
    clean_text,
    expansion_of,
    position_of,
    temperature_of,
    time_of,
)

_MODEL, _SERIAL, _PREFIX, _TIME, _POSITION, _EXPANSION = 0x01, 0x02, 0x04, 0x05, 0x06, 0x0F
_TEMPERATURE_INSIDE, _TEMPERATURE_OUTSIDE = 0x15, 0x16
_MOST_ENTRIES = 1000
# WGS84,42.1234,N,71.1234,W,120
_GPS = re.compile(r"(?P<north>\d+(?:\.\d+)?)\s*,\s*(?P<ns>[NS])\s*,\s*(?P<east>\d+(?:\.\d+)?)\s*,\s*(?P<ew>[EW])", re.I)


def read_wamd(content: bytes) -> RecorderMetadata:
    """Return what a wamd chunk says; entries behind one that is cut off are not read."""
    entries: dict[int, bytes] = {}
    offset = 0
    for _ in range(_MOST_ENTRIES):
        if offset + 6 > len(content):
            break
        number, length = struct.unpack_from("<HI", content, offset)
        if offset + 6 + length > len(content):
            break
        entries.setdefault(number, content[offset + 6 : offset + 6 + length])
        offset += 6 + length
    texts = {number: value.decode("utf-8", "replace").strip(" \0") for number, value in entries.items()}
    expansion = entries.get(_EXPANSION, b"")
    expanded = str(struct.unpack("<H", expansion)[0]) if len(expansion) == 2 else texts.get(_EXPANSION, "")
    return RecorderMetadata(
        start=time_of(texts.get(_TIME, "")),
        site=clean_text(texts.get(_PREFIX, "")),
        temperature_c=temperature_of(texts.get(_TEMPERATURE_OUTSIDE, texts.get(_TEMPERATURE_INSIDE, ""))),
        time_expansion=expansion_of(expanded),
        recorder=clean_text(" ".join(filter(None, (texts.get(_MODEL), texts.get(_SERIAL))))),
        **_position(texts.get(_POSITION, "")),
    )


def _position(text: str) -> dict[str, float]:
    match = _GPS.search(text[:200])
    if match is None:
        return {}
    south, west = match["ns"].upper() == "S", match["ew"].upper() == "W"
    return position_of(f"{'-' * south}{match['north']}", f"{'-' * west}{match['east']}")
