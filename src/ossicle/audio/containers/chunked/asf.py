"""ASF, the container of WMA: data that is cut off, and a second file behind the first."""

from typing import BinaryIO

from ossicle.audio.containers.chunked.chunks import ChunkForm, walk
from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Stream

HEADER_GUID = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_DATA_GUID = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_OBJECTS = ChunkForm(16, "<Q", True, 1)


def read_asf(file: BinaryIO, start: int, size: int) -> Part | None:
    """Return the recording of the ASF file that begins at byte ``start``; None if it has no data."""
    fault, following, has_data = "", None, False
    for chunk in walk(file, start, size, _OBJECTS):
        object_start = chunk.start - _OBJECTS.head_bytes
        if chunk.name == HEADER_GUID and object_start > start:
            following = object_start
            break
        if chunk.name == _DATA_GUID:
            has_data = True
            # A broadcast states no length.
            if chunk.length == 0:
                break
            if chunk.end > size:
                fault = f"cut off: {chunk.end - size} of {chunk.length} bytes of its data are missing"
    if not has_data:
        return None
    return Part(Stream(spans=((start, size if following is None else following),)), fault, following)
