"""The encoder of a bundle as ``encoder`` in its manifest, and the files that belong to it.

A bundle with an encoder has ``head.onnx`` (input ``embeddings`` (batch, tokens, dim) float32, output ``scores`` (batch,
n_labels)) in place of the graphs that read sound. The encoder itself is built in, found by its SHA-256, or, in a
self-contained bundle, a file of :data:`ENCODER_FILES`. With ``encoder_windows`` (``EncoderWindows``) the encoder reads
each window of the plan in windows of its own, and the head reads the tokens of all of them.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ossicle.audio.encoders.settings import BEATS, ONNX
from ossicle.bundle.reading import Reader, text_fault
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.core.model_input.encoder_windows import EncoderWindows

HEAD = "head.onnx"
ENCODER_FILES: Mapping[str, str] = MappingProxyType({ONNX: "encoder.onnx", BEATS: "encoder.pt"})
"""Name of the file of an encoder in a self-contained bundle, by the kind of encoder."""

_MOST = {
    "rate": 1_000_000,
    "dim": 1 << 16,
    "window_samples": 1 << 25,
    "layer": 10_000,
    "least_samples": 1 << 25,
    "version": 1 << 31,
}
_LONGEST_TEXT = 200


def read_encoder(reader: Reader) -> EncoderSpec:
    """Return the value of ``encoder``; raises BundleError naming the key."""
    fields = {spec.name: spec.type for spec in dataclasses.fields(EncoderSpec)}
    reader.only(set(fields))
    values: dict[str, Any] = {}
    for name, kind in fields.items():
        if kind is int:
            values[name] = reader.integer(name, -1, _MOST[name])
        elif kind is float:
            values[name] = reader.figure(name)
        else:
            values[name] = _text(reader, name)
    try:
        return EncoderSpec(**values)
    except ValueError as error:
        raise reader.refuse("name", f"cannot be used: {error}") from error


def encoder_plan_fault(spec: EncoderSpec, plan: ChunkPlan, windows: EncoderWindows | None = None) -> str:
    """Return why an encoder cannot read the windows of a plan, or its own windows in them; empty if it can."""
    if spec.rate != plan.rate:
        return f"the encoder reads {spec.rate} Hz, and plan.rate = {plan.rate}"
    if windows is not None and windows.count(plan.window_samples) == 0:
        return (
            f"a window has {plan.window_samples} samples, and encoder_windows.window_samples = {windows.window_samples}"
        )
    fault = spec.length_fault(plan.window_samples if windows is None else windows.window_samples)
    return f"a window {fault}" if fault else ""


def _text(reader: Reader, name: str) -> str:
    text = reader.value[name]
    if text == "":
        return ""
    if fault := text_fault(text, _LONGEST_TEXT):
        raise reader.refuse(name, fault)
    return str(text)
