"""A bundle of states that nobody trained: the acoustic encoder, and a head that hears two tones."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from ossicle.audio.encoders.acoustic import FRONT, PERCENTILES, AcousticEncoder
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import Bundle, write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.core.model_input.chunks import ChunkPlan

LABELS = ("ac", "fridge")
TONES_HZ = (250.0, 1500.0)
RATE = FRONT.rate
RULE = StateRule(on=0.6, off=0.4, smoothing="median", frames=3, debounce=2)
DECISION = StateDecision(dict.fromkeys(LABELS, RULE), {"ac": ("fridge",)}, LABELS)


def head_bytes(dim: int = AcousticEncoder.spec.dim, labels: int = 2, reads: str = "embeddings") -> bytes:
    """A graph of embeddings (batch, tokens, dim): each label's score rises with the median level at its tone."""
    weights, bias = np.zeros((dim, labels), np.float32), np.zeros(labels, np.float32)
    for column in range(labels):
        band, quiet_db, loud_db = tone_levels(TONES_HZ[column])
        weights[(PERCENTILES.index(50) * FRONT.n_mels + band) % dim, column] = 10 / (loud_db - quiet_db)
        bias[column] = -5 * (loud_db + quiet_db) / (loud_db - quiet_db)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", [reads], ["pooled"], axes=[1], keepdims=0),
            helper.make_node("MatMul", ["pooled", "weights"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["scores"]),
        ],
        "head",
        [helper.make_tensor_value_info(reads, TensorProto.FLOAT, ["batch", "tokens", dim])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", labels])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(bias, "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def tone_levels(tone_hz: float) -> tuple[int, float, float]:
    """The mel band that a tone is loudest in, and the encoder's level there without and with the tone."""
    time = np.arange(2 * RATE) / RATE
    noise = np.random.default_rng(0).normal(0, 1e-3, len(time))
    waves = np.stack([noise, noise + 0.1 * np.sin(2 * np.pi * tone_hz * time)]).astype(np.float32)
    start = PERCENTILES.index(50) * FRONT.n_mels
    quiet, loud = AcousticEncoder().encode(waves)[:, 0, start : start + FRONT.n_mels]
    band = int(loud.argmax())
    return band, float(quiet[band]), float(loud[band])


def write_state_bundle(folder: Path, hop_s: float = 0.5, window_s: float = 2.0, **changes: Any) -> Bundle:
    """``write_bundle`` with everything filled in; keywords change one thing."""
    plan = ChunkPlan(
        rate=RATE,
        hop_samples=round(hop_s * RATE / 2) * 2,
        window_samples=round(window_s * RATE / 2) * 2,
        core_frames=1,
        context_frames=0,
    )
    arguments: dict[str, Any] = {
        "name": "appliances-v1",
        "labels": LABELS,
        "plan": plan,
        "front": FRONT,
        "decisions": dict.fromkeys(LABELS, Decision()),
        "encoder": AcousticEncoder.spec,
        "states": DECISION,
    }
    files = changes.pop("files", {"head.onnx": head_bytes()})
    return write_bundle(folder, BundleDescription(**(arguments | changes)), files)


def hums(*parts: tuple[float, int, int], rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Tones over noise, float32: rows of (seconds, ac, fridge)."""
    on = np.concatenate([np.tile([ac, fridge], (round(seconds * rate), 1)) for seconds, ac, fridge in parts])
    time = np.arange(len(on)) / rate
    wave = np.random.default_rng(seed).normal(0, 1e-3, len(time))
    for column, tone_hz in enumerate(TONES_HZ):
        wave += 0.1 * on[:, column] * np.sin(2 * np.pi * tone_hz * time)
    return wave.astype(np.float32)
