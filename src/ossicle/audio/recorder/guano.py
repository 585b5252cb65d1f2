"""GUANO, the metadata of bat recorders: lines of ``key: value`` in the chunk ``guan``.

References
----------
https://github.com/riggsd/guano-spec
"""

from ossicle.audio.recorder.values import (
    RecorderMetadata,
    clean_text,
    expansion_of,
    position_of,
    temperature_of,
    time_of,
)

_MOST_LINES = 1000
# The standard has no key for the name of a place, and programs use these.
_SITES = (
    "station", "site", "site name", "loc name", "location", "wa|song meter|prefix", "wa|kaleidoscope|prefix",
    "nabat|site name", "nabat|grid cell grts id", "anabat|site",
)  # fmt: skip


def read_guano(content: bytes) -> RecorderMetadata:
    """Return what a GUANO chunk says."""
    values: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines()[:_MOST_LINES]:
        key, colon, value = line.partition(":")
        if colon and value.strip(" \0"):
            values.setdefault(key.strip().casefold(), value.strip(" \0"))
    latitude, _, longitude = values.get("loc position", "").replace(",", " ").partition(" ")
    model = " ".join(filter(None, (values.get("make"), values.get("model"), values.get("serial"))))
    return RecorderMetadata(
        start=time_of(values.get("timestamp", "")),
        site=next((name for key in _SITES if (name := clean_text(values.get(key, "")))), None),
        temperature_c=temperature_of(values.get("temperature ext", values.get("temperature int", ""))),
        time_expansion=expansion_of(values.get("te", "")),
        recorder=clean_text(model),
        **position_of(latitude, longitude),
    )
