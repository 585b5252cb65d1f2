"""Which part of a graph is the spectrogram: it is named after the module that made it, and keeps its precision."""

import onnx

_FRONT = "/front_end/"


def front_end_nodes(model: onnx.ModelProto) -> list[str]:
    """The names of the nodes that compute the spectrogram; none in a graph that reads one."""
    return [node.name for node in model.graph.node if node.name.startswith(_FRONT)]


def front_end_constants(model: onnx.ModelProto) -> set[str]:
    """The names of the tensors that those nodes read."""
    inside = set(front_end_nodes(model))
    return {name for node in model.graph.node if node.name in inside for name in node.input}
