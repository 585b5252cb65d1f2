"""What opensoundscape does in its own environment: JSON on standard output, nothing of ours imported.

`weights` leaves a ResNet-18's arrays; `tensors` its own preprocessed images of a recording and their logits; `predict`
runs its `predict` over a recording; `train` its `train` over a folder of clips. README.md beside this file says how
the environment is made. NumPy's archives carry arrays between the two environments; nothing is pickled.
"""

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path

BEGAN = time.perf_counter()
warnings.filterwarnings("ignore")


def model_of(asked: argparse.Namespace):
    """Their ResNet-18 for one channel, untrained, with the arrays of ``asked.weights`` if there are any."""
    import numpy as np
    import torch
    from opensoundscape import CNN

    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    model = CNN(
        "resnet18",
        classes=[f"class{k}" for k in range(asked.classes)],
        sample_duration=asked.clip_s,
        sample_rate=asked.rate,
        channels=1,
        arch_weights=None,
        device="cpu",
    )
    model.verbose = 0
    if asked.weights is not None and asked.weights.exists():
        with np.load(asked.weights, allow_pickle=False) as stored:
            model.network.load_state_dict({name: torch.from_numpy(stored[name]) for name in stored.files})
    return model


def weights(asked: argparse.Namespace) -> dict:
    import numpy as np

    model = model_of(asked)
    np.savez(asked.weights, **{name: value.numpy() for name, value in model.network.state_dict().items()})
    return {}


def tensors(asked: argparse.Namespace) -> dict:
    """The first images, (n, 1, bands, frames) float32, and what their network says of them, (n, n_classes)."""
    import numpy as np
    import torch

    model = model_of(asked)
    samples = model.generate_samples([str(asked.audio)])[: asked.count]
    images = torch.stack([sample.data for sample in samples]).float()
    model.network.eval()
    with torch.inference_mode():
        logits = model.network(images)
    np.savez(asked.out, images=images.numpy(), logits=logits.numpy())
    return {"shape": list(images.shape)}


def predict(asked: argparse.Namespace) -> dict:
    model = model_of(asked)
    ready = time.perf_counter()
    # With `raise_errors` its version 0.13.2 ends in an AttributeError; a clip it cannot read gets NaN instead.
    scores = model.predict([str(asked.audio)], batch_size=asked.batch, num_workers=asked.workers, progress_bar=False)
    if scores.isna().to_numpy().any():
        raise SystemExit("opensoundscape could not read all clips")
    return {"predict_s": time.perf_counter() - ready, "start_s": ready - BEGAN, "clips": len(scores)}


def train(asked: argparse.Namespace) -> dict:
    """When each step began, so that the caller can leave the first epoch out."""
    import pandas
    import torch

    model = model_of(asked)
    audio = sorted(asked.audio.rglob("*.wav"))
    names = model.classes
    rows = [[float(k % len(names) == j) for j in range(len(names))] for k in range(len(audio))]
    index = pandas.MultiIndex.from_tuples(
        [(str(path), 0.0, float(asked.clip_s)) for path in audio], names=["file", "start_time", "end_time"]
    )
    table = pandas.DataFrame(rows, index=index, columns=names)
    step, began = model.training_step, []

    def timed(*given: object, **named: object) -> torch.Tensor:
        began.append(time.perf_counter() - BEGAN)
        return step(*given, **named)

    model.training_step = timed
    steps = asked.epochs * (len(audio) // asked.batch)
    model.train(
        table,
        steps=steps,
        batch_size=asked.batch,
        num_workers=asked.workers,
        save_path=str(asked.out),
        log_interval=steps + 1,
        validation_interval=steps + 1,
        invalid_samples_log=None,
        progress_bar=False,
        raise_errors=True,
        reload_best_at_end=False,
        bypass_augmentations=not asked.augment,
    )
    return {"steps_s": began, "clips": len(audio), "batch": asked.batch}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=("weights", "tensors", "predict", "train"))
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--rate", type=int, default=32000)
    parser.add_argument("--clip-s", type=float, default=3.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--augment", action="store_true")
    asked = parser.parse_args()
    # Their library speaks on standard output; the answer is to be alone there.
    answers, sys.stdout = sys.stdout, sys.stderr
    found = {"weights": weights, "tensors": tensors, "predict": predict, "train": train}[asked.work](asked)
    from importlib.metadata import version

    found |= {"opensoundscape": version("opensoundscape"), "torch": version("torch"), "pid": os.getpid()}
    print(json.dumps(found), file=answers)


if __name__ == "__main__":
    main()
