"""Scan the bytes of an ONNX model for references outside the model, without the ``onnx`` package.

ONNX lets a tensor name a file ("external data") that the runtime then opens; in a bundle from elsewhere this could be
any file on the machine. It also lets a node name an operator of any library, which a bundle cannot contain. The scan
follows the message fields of ``onnx.proto`` (IR version 3 to 11) that can hold a tensor or a node. Reference:
https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator, Mapping

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
_NODE_DOMAIN, _FUNCTION_DOMAIN = 7, 10
# The operators of the standard, and those included in every onnxruntime.
_DOMAINS = frozenset({b"", b"ai.onnx", b"ai.onnx.ml", b"com.microsoft"})
_DEEPEST = 64
# How onnxruntime recognises its own format; the fields of an ONNX model never begin like this.
_ORT_MAGIC = b"ORTM"
# Far above any model: a field takes two bytes, so scanning a large file could otherwise take hours.
_MOST_FIELDS = 4_000_000
_FIXED = {1: 8, 5: 4}


def refuse_reaching_out(model: bytes, source: str, most_fields: int = _MOST_FIELDS) -> None:
    """Raise BundleError if ``model`` (a serialised ModelProto) needs other files or libraries, or is not a valid one.

    Operators that the model itself defines as functions are allowed.
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
            child = _CHILDREN[kind].get(number)
            if child is not None and isinstance(value, memoryview):
                stack.append((child, value, depth + 1))
    for domain in sorted(used - own_domains - _DOMAINS):
        name = domain.decode(errors="replace")
        raise BundleError(f"{source} uses operators of a library ({name!r}): export it with the standard ones")


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
