"""Scan the bytes of an ONNX model for references outside the model and for damaged weights, without ``onnx``.

ONNX lets a tensor name a file ("external data") that the runtime then opens; in a bundle from elsewhere this could be
any file on the machine. It also lets a node name an operator of any library, which a bundle cannot contain. NaN in a
weight is damage that scores need not show: the rectifier of onnxruntime turns NaN into 0. The scan follows the message
fields of ``onnx.proto`` (IR version 3 to 11) that can hold a tensor or a node. Reference:
https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from ossicle.core.errors import BundleError

# Message -> field number -> message in that field. Fields that lead to no tensor and no node are left out.
_CHILDREN: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_DATA_TYPE, _TENSOR_NAME = 2, 8
_FLOAT_DATA, _RAW_DATA, _DOUBLE_DATA = 4, 9, 10
# The floats among the values of TensorProto.DataType, with the NumPy type of their bytes.
_FLOAT, _FLOAT16, _DOUBLE, _BFLOAT16 = 1, 10, 11, 16
_RAW_TYPES = {_FLOAT: "<f4", _FLOAT16: "<f2", _DOUBLE: "<f8", _BFLOAT16: "<u2"}
# bfloat16 has the sign, the exponent and the first seven bits of float32: above this, without the sign, it is NaN.
_BFLOAT16_INFINITY = 0x7F80
_NODE_DOMAIN, _FUNCTION_DOMAIN = 7, 10
# The operators of the standard, and those included in every onnxruntime.
_DOMAINS = frozenset({b"", b"ai.onnx", b"ai.onnx.ml", b"com.microsoft"})
_DEEPEST = 64
# How onnxruntime recognises its own format; the fields of an ONNX model never begin like this.
_ORT_MAGIC = b"ORTM"
# Far above any model: a field takes two bytes, so scanning a large file could otherwise take hours.
_MOST_FIELDS = 4_000_000
_FIXED = {1: 8, 5: 4}


def require_safe_graph(
    model: bytes, source: str, most_fields: int = _MOST_FIELDS, *, may_hold_infinity: bool = False
) -> None:
    """Refuse a graph that needs other files or libraries, whose weights are no numbers, or that is no valid one.

    Operators that the model itself defines as functions are allowed.

    Parameters
    ----------
    model
        A serialised ModelProto.
    source
        Its name in messages.
    most_fields
        Most fields of messages to look at.
    may_hold_infinity
        Allow Inf in tensors, which masks of encoders need; NaN is always refused. A single Inf, a bound of an operator,
        is always allowed.

    Raises
    ------
    BundleError
        The graph is refused.
    """
    if model[4:8] == _ORT_MAGIC:
        raise BundleError(f"{source} is not an ONNX model: onnxruntime would read it in its own format")
    stack: list[tuple[str, memoryview, int]] = [("model", memoryview(model), 0)]
    used: set[bytes] = set()
    own_domains: set[bytes] = set()
    n_fields = 0
    while stack:
        kind, message, depth = stack.pop()
        if depth > _DEEPEST:
            raise BundleError(f"{source}: its graph is nested more than {_DEEPEST} deep")
        tensor_fields: dict[int, memoryview | int] = {}
        for number, value in _fields(message, source):
            n_fields += 1
            if n_fields > most_fields:
                raise BundleError(f"{source}: its graph has more than {most_fields} fields: this is not a model")
            if isinstance(value, memoryview) and (kind, number) == ("node", _NODE_DOMAIN):
                used.add(bytes(value))
            if isinstance(value, memoryview) and (kind, number) == ("function", _FUNCTION_DOMAIN):
                own_domains.add(bytes(value))
            if kind == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)):
                raise BundleError(f"{source} keeps tensors in other files (external data): export it as one file")
            if kind == "tensor":
                tensor_fields[number] = value
            child = _CHILDREN[kind].get(number)
            if child is not None and isinstance(value, memoryview):
                stack.append((child, value, depth + 1))
        if kind == "tensor" and (fault := _fault_of_values(tensor_fields, may_hold_infinity)):
            stored_name = tensor_fields.get(_TENSOR_NAME, 0)
            shown = "" if isinstance(stored_name, int) else bytes(stored_name).decode(errors="replace")
            raise BundleError(f"{source}: the weights {shown!r} hold {fault}, so the file is damaged: copy it again")
    for domain in sorted(used - own_domains - _DOMAINS):
        name = domain.decode(errors="replace")
        raise BundleError(f"{source} uses operators of a library ({name!r}): export it with the standard ones")


def _fault_of_values(fields: Mapping[int, memoryview | int], may_hold_infinity: bool) -> str:
    """Return "NaN" or "Inf" if a tensor of floats holds it, in any of the fields that its values may be in."""
    kind = fields.get(_DATA_TYPE, 0)
    raw_type = _RAW_TYPES.get(kind) if isinstance(kind, int) else None
    numpy_types = {_FLOAT_DATA: "<f4", _DOUBLE_DATA: "<f8", _RAW_DATA: raw_type}
    for number, numpy_type in numpy_types.items():
        data = fields.get(number)
        if numpy_type is None or data is None or isinstance(data, int):
            continue
        dtype = np.dtype(numpy_type)
        values = np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)
        if not len(values):
            continue
        if numpy_type == _RAW_TYPES[_BFLOAT16]:
            highest = int((values & 0x7FFF).max())
            is_nan, is_infinite = highest > _BFLOAT16_INFINITY, highest == _BFLOAT16_INFINITY
        else:
            # The extremes of an array with NaN are NaN; isnan of all values would need memory for all.
            low, high = values.min(), values.max()
            is_nan, is_infinite = bool(np.isnan(low)), bool(np.isinf(low) or np.isinf(high))
        if is_nan:
            return "NaN"
        if is_infinite and len(values) > 1 and not may_hold_infinity:
            return "Inf"
    return ""


def _fields(message: memoryview, source: str) -> Iterator[tuple[int, memoryview | int]]:
    """Yield number and value of each field; fixed-width values are given as 0."""
    offset = 0
    while offset < len(message):
        tag, offset = _varint(message, offset, source)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, offset = _varint(message, offset, source)
            yield number, value
            continue
        if wire == 2:
            size, offset = _varint(message, offset, source)
        elif wire in _FIXED:
            size = _FIXED[wire]
        else:
            raise BundleError(f"{source} is not an ONNX model (wire type {wire})")
        if offset + size > len(message):
            raise BundleError(f"{source} is not an ONNX model: a field is longer than its message")
        yield number, message[offset : offset + size] if wire == 2 else 0
        offset += size


def _varint(message: memoryview, offset: int, source: str) -> tuple[int, int]:
    value = 0
    for byte_index in range(10):
        if offset + byte_index >= len(message):
            break
        byte = message[offset + byte_index]
        value |= (byte & 0x7F) << (7 * byte_index)
        if byte < 0x80:
            return value, offset + byte_index + 1
    raise BundleError(f"{source} is not an ONNX model: it ends inside a number")
