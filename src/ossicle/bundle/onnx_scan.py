"""A look through the bytes of an ONNX model for tensors kept in other files, without the ``onnx`` package.

ONNX lets a tensor name a file ("external data") that the runtime then opens; in a bundle from elsewhere this could be
any file of the machine. The walk follows the message fields of ``onnx.proto`` (IR version 3 to 11) that can hold a
tensor. Reference: https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator, Mapping

from ossicle.core.errors import BundleError

# Message -> field number -> message in that field. Fields that lead to no tensor are left out.
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
_DEEPEST = 64
_FIXED = {1: 8, 5: 4}


def refuse_external_data(model: bytes, source: str) -> None:
    """Raise BundleError where ``model`` (a serialised ModelProto) refers to other files, or is no such message."""
    stack: list[tuple[str, memoryview, int]] = [("model", memoryview(model), 0)]
    while stack:
        kind, message, depth = stack.pop()
        if depth > _DEEPEST:
            raise BundleError(f"{source}: its graph is nested more than {_DEEPEST} deep")
        for number, value in _fields(message, source):
            if kind == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)):
                raise BundleError(f"{source} keeps tensors in other files (external data): export it as one file")
            child = _CHILDREN[kind].get(number)
            if child is not None and isinstance(value, memoryview):
                stack.append((child, value, depth + 1))


def _fields(message: memoryview, source: str) -> Iterator[tuple[int, memoryview | int]]:
    """Number and value of each field; fixed-width values come as 0."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at, source)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at, source)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(message, at, source)
        elif wire in _FIXED:
            size = _FIXED[wire]
        else:
            raise BundleError(f"{source} is not an ONNX model (wire type {wire})")
        if at + size > len(message):
            raise BundleError(f"{source} is not an ONNX model: a field is longer than its message")
        yield number, message[at : at + size] if wire == 2 else 0
        at += size


def _varint(message: memoryview, at: int, source: str) -> tuple[int, int]:
    value = 0
    for place in range(10):
        if at + place >= len(message):
            break
        byte = message[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise BundleError(f"{source} is not an ONNX model: it ends inside a number")
