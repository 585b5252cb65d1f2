"""Named arrays and a text in one file, in the safetensors format, read and written without its library.

Eight bytes hold the length of the header; the header is JSON (name to dtype, shape and position in the data, and
``__metadata__``, text to text); the rest are the arrays' bytes, little-endian, one after the other without gaps
(https://github.com/huggingface/safetensors#format). Nothing is unpickled or decompressed, so a file cannot require more
memory than its own size. Only the dtypes in :data:`DTYPES` are read.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import canonical_json
from ossicle.core.errors import ArtefactError

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
}
_METADATA = "__metadata__"
_MOST_HEADER_BYTES = 8 << 20
_MOST_AXES = 8
# An empty array may have a shape, but NumPy counts its other axes.
_MOST_VALUES = 1 << 40

Arrays = Mapping[str, NDArray[Any]]


def arrays_to_bytes(arrays: Arrays, text: Mapping[str, str]) -> bytes:
    """Return the file as bytes; equal arrays and text give equal bytes. Raises ValueError for an unlisted dtype."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    header: dict[str, Any] = {_METADATA: dict(text)}
    parts: list[bytes] = []
    offset = 0
    for name, array in sorted(arrays.items()):
        dtype = array.dtype.newbyteorder("<")
        if dtype not in names:
            raise ValueError(f"{name}: cannot write arrays of {array.dtype}; use one of {', '.join(DTYPES)}")
        data = np.ascontiguousarray(array, dtype=dtype).tobytes()
        header[name] = {"dtype": names[dtype], "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    head = canonical_json(header).encode()
    # The arrays begin at a multiple of eight, as the format requires; the header is padded with spaces.
    head += b" " * (-len(head) % 8)
    return b"".join([len(head).to_bytes(8, "little"), head, *parts])


def arrays_from_bytes(data: bytes, source: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return arrays (read-only views of ``data``) and text of a file; ``source`` names it in errors.

    Raises
    ------
    ArtefactError
        If ``data`` is not exactly such a file.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(_MOST_HEADER_BYTES, len(data) - 8):
        raise ArtefactError(f"{source}: its header is longer than the file: copy it again")
    try:
        header = json.loads(data[8 : 8 + length].decode())
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ArtefactError(f"{source}: its header is not readable JSON ({error}): copy it again") from error
    if not isinstance(header, dict):
        raise ArtefactError(f"{source}: its header is not a JSON object")
    text = header.pop(_METADATA, {})
    if not isinstance(text, dict) or not all(isinstance(value, str) for value in text.values()):
        raise ArtefactError(f"{source}: {_METADATA} does not map names to text")
    if any("\ud800" <= character <= "\udfff" for word in (*header, *text, *text.values()) for character in word):
        raise ArtefactError(f"{source}: a name or a text in its header is not valid Unicode")
    body = memoryview(data)[8 + length :]
    arrays: dict[str, NDArray[Any]] = {}
    offset = 0
    for name, entry in sorted(header.items(), key=lambda item: _begin(item[1])):
        arrays[name], offset = _array(body, name, entry, offset, source)
    if offset != len(body):
        raise ArtefactError(f"{source}: {len(body) - offset} bytes belong to no array")
    return arrays, text


def _begin(entry: Any) -> int:
    try:
        return int(entry["data_offsets"][0])
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return -1


def _array(body: memoryview, name: str, entry: Any, offset: int, source: str) -> tuple[NDArray[Any], int]:
    """Return the array described by an entry of the header, which begins at ``offset``, and where it ends."""
    wrong = f"{source}: the entry of {name!a} in the header"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ArtefactError(f"{wrong} must have exactly dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ArtefactError(f"{wrong} has a dtype that is not one of {', '.join(DTYPES)}")
    if not _counts(shape) or len(shape) > _MOST_AXES or not _counts(offsets) or len(offsets) != 2:
        raise ArtefactError(f"{wrong} has a shape or offsets that are not counts")
    if math.prod(max(1, length) for length in shape) > _MOST_VALUES:
        raise ArtefactError(f"{wrong} has the shape {shape}, which no array can have")
    end = offset + math.prod(shape) * DTYPES[dtype].itemsize
    if offsets != [offset, end] or end > len(body):
        raise ArtefactError(
            f"{wrong} gives the offsets {offsets}, but its shape needs [{offset}, {end}] of {len(body)} bytes"
        )
    return np.frombuffer(body[offset:end], dtype=DTYPES[dtype]).reshape(shape), end


def _counts(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 48 for value in values
    )
