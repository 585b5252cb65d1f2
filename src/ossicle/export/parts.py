"""Find the spectrogram in a graph: its nodes are named after the module that made them, and keep their precision."""

import onnx

_FRONT = "/front_end/"


def front_end_nodes(model: onnx.ModelProto) -> list[str]:
    """Return the names of the nodes that compute the spectrogram; none in a graph that reads one."""
    return [node.name for node in model.graph.node if node.name.startswith(_FRONT)]


def front_end_constants(model: onnx.ModelProto) -> set[str]:
    """Return the names of the tensors that those nodes read."""
    inside = set(front_end_nodes(model))
    return {name for node in model.graph.node if node.name in inside for name in node.input}
