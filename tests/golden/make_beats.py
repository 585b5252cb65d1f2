"""Golden tokens of speechbrain's BEATs, made in an environment of its own.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install torch numpy transformers==5.24.0
    /tmp/golden/bin/pip install --no-deps speechbrain==1.1.2 && /tmp/golden/bin/python tests/golden/make_beats.py

The network is small and its weights are drawn from a seed, so the file holds outputs only, with digests of what was
drawn. Weights are large enough for attention, gates and buckets of far positions to matter. speechbrain is run in
float64, so that the file does not depend on the processor; its front end (torchaudio's) is replaced by
the one in transformers. The tests import :func:`draw_checkpoint` and :func:`draw_waveforms`.
"""

import hashlib
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).with_name("beats.npz")
LENGTHS = (16000, 40123, 104000)
CONFIG: dict[str, Any] = {
    "input_patch_size": 16, "embed_dim": 32, "conv_bias": False, "encoder_layers": 2, "encoder_embed_dim": 48,
    "encoder_ffn_embed_dim": 96, "encoder_attention_heads": 4, "activation_fn": "gelu", "layer_norm_first": False,
    "deep_norm": True, "conv_pos": 128, "conv_pos_groups": 16, "relative_position_embedding": True,
    "num_buckets": 320, "max_distance": 800, "gru_rel_pos": True, "finetuned_model": False,
    "layer_wise_gradient_decay_ratio": 0.6, "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0,
    "encoder_layerdrop": 0.05, "dropout_input": 0.0,
}  # fmt: skip


def shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a published checkpoint of these sizes."""
    patch, dim, inner = config["embed_dim"], config["encoder_embed_dim"], config["encoder_ffn_embed_dim"]
    heads, size, width = config["encoder_attention_heads"], config["input_patch_size"], config["conv_pos"]
    out: dict[str, tuple[int, ...]] = {
        "patch_embedding.weight": (patch, 1, size, size),
        "layer_norm.weight": (patch,),
        "layer_norm.bias": (patch,),
        "post_extract_proj.weight": (dim, patch),
        "post_extract_proj.bias": (dim,),
        "encoder.pos_conv.0.bias": (dim,),
        "encoder.pos_conv.0.weight_g": (1, 1, width),
        "encoder.pos_conv.0.weight_v": (dim, dim // config["conv_pos_groups"], width),
        "encoder.layer_norm.weight": (dim,),
        "encoder.layer_norm.bias": (dim,),
    }
    for layer in range(config["encoder_layers"]):
        at = f"encoder.layers.{layer}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            out |= {f"{at}self_attn.{name}.weight": (dim, dim), f"{at}self_attn.{name}.bias": (dim,)}
        out |= {f"{at}self_attn.grep_linear.weight": (8, dim // heads), f"{at}self_attn.grep_linear.bias": (8,)}
        out |= {f"{at}self_attn.grep_a": (1, heads, 1, 1)}
        out |= {f"{at}self_attn.relative_attention_bias.weight": (config["num_buckets"], heads)}
        out |= {f"{at}fc1.weight": (inner, dim), f"{at}fc1.bias": (inner,)}
        out |= {f"{at}fc2.weight": (dim, inner), f"{at}fc2.bias": (dim,)}
        for name in ("self_attn_layer_norm", "final_layer_norm"):
            out |= {f"{at}{name}.weight": (dim,), f"{at}{name}.bias": (dim,)}
    return out


def draw_checkpoint(config: dict[str, Any], seed: int = 0) -> dict[str, np.ndarray]:
    """Draw weights: float32, uniform, with the one table of biases under the name of every layer."""
    rng = np.random.default_rng(seed)
    out: dict[str, np.ndarray] = {}
    for name, shape in shapes(config).items():
        values = 2 * rng.random(shape) - 1
        if name.endswith(("norm.weight", "weight_g", "grep_a")):
            values = 1 + values / 2
        elif name.endswith(".weight") and len(shape) > 1 and "relative_attention_bias" not in name:
            values *= (3 / np.prod(shape[1:])) ** 0.5
        out[name] = values.astype(np.float32)
    shared = out["encoder.layers.0.self_attn.relative_attention_bias.weight"]
    return {name: shared if "relative_attention_bias" in name else value for name, value in out.items()}


def draw_waveforms() -> list[np.ndarray]:
    """Draw noise of the three lengths, float32 in [-0.2, 0.2)."""
    rng = np.random.default_rng(1)
    return [(0.4 * rng.random(n) - 0.2).astype(np.float32) for n in LENGTHS]


def input_digest() -> str:
    """Return a short hash of everything that is drawn."""
    state = hashlib.sha256(json.dumps(CONFIG, sort_keys=True).encode())
    for values in (*draw_checkpoint(CONFIG).values(), *draw_waveforms()):
        state.update(values.tobytes())
    return state.hexdigest()[:16]


def kaldi(waveform: np.ndarray) -> np.ndarray:
    """Return the log-mel energies of a waveform with a full scale of 32768, as Kaldi's, float64 (n_frames, 128)."""
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    filters = mel_filter_bank(
        257, 128, 20.0, 8000.0, 16000, norm=None, mel_scale="kaldi", triangularize_in_mel_space=True
    )
    window = window_function(400, "povey", periodic=False)
    result = spectrogram(
        waveform.astype(np.float64), window, frame_length=400, hop_length=160, fft_length=512, power=2.0, center=False,
        preemphasis=0.97, mel_filters=filters, log_mel="log", mel_floor=float(np.finfo(np.float32).eps),
        remove_dc_offset=True, dtype=np.float64,
    )  # fmt: skip
    return np.ascontiguousarray(result.T)


def speechbrain_class() -> Any:
    """Return speechbrain's class without the rest of its package, which needs a torchaudio."""
    import importlib.metadata

    import torch
    import transformers.audio_utils  # noqa: F401  # before torchaudio is replaced, which it asks for

    root = Path(str(importlib.metadata.distribution("speechbrain").locate_file("speechbrain")))
    for name in ("speechbrain", "speechbrain.lobes", "speechbrain.lobes.models", "speechbrain.dataio"):
        package = types.ModuleType(name)
        package.__path__ = [str(root.parent / name.replace(".", "/"))]
        sys.modules[name] = package
    dataio, front = types.ModuleType("speechbrain.dataio.dataio"), types.ModuleType("torchaudio.compliance.kaldi")

    def length_to_mask(length: Any, longest: int, device: Any = None) -> Any:
        return (torch.arange(longest)[None] < length[:, None]).to(length.dtype)

    def fbank(waveform: Any, **_: Any) -> Any:
        return torch.from_numpy(kaldi(waveform[0].numpy()))

    dataio.length_to_mask, front.fbank = length_to_mask, fbank  # type: ignore[attr-defined]
    sys.modules |= {"torchaudio": types.ModuleType("torchaudio"), dataio.__name__: dataio, front.__name__: front}
    sys.modules["torchaudio.compliance"] = types.ModuleType("torchaudio.compliance")
    sys.modules["torchaudio.compliance"].kaldi = front  # type: ignore[attr-defined]
    sys.modules["torchaudio"].compliance = sys.modules["torchaudio.compliance"]  # type: ignore[attr-defined]
    from speechbrain.lobes.models.beats import BEATs

    return BEATs


def main() -> None:
    import tempfile

    import torch

    cls = speechbrain_class()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "beats.pt"
        model = {name: torch.from_numpy(value) for name, value in draw_checkpoint(CONFIG).items()}
        torch.save({"cfg": CONFIG, "model": model}, path)
        network = cls(str(path), freeze=True, output_all_hiddens=True).double()
    kept: dict[str, np.ndarray] = {"inputs": np.array(input_digest())}
    for waveform in draw_waveforms():
        with torch.no_grad():
            given = torch.from_numpy(waveform)[None].double()
            layers = network.extract_features(given, wav_lens=torch.ones(1))[0]
        for layer in (1, 2):
            # Time, batch, values: the order inside speechbrain's transformer.
            kept[f"layer{layer}_{len(waveform)}"] = layers[layer][:, 0].numpy().astype(np.float32)
    kept[f"fbank_{LENGTHS[0]}"] = kaldi(draw_waveforms()[0] * 32768).astype(np.float32)
    np.savez_compressed(GOLDEN, **kept)
    for name, values in kept.items():
        print(name, values.shape, values.dtype, "" if name == "inputs" else float(values.std()))
    print(GOLDEN.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
