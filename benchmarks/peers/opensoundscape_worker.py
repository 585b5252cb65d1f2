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


def model_of(args: argparse.Namespace):
    """Their ResNet-18 for one channel, untrained, with the arrays of ``args.weights`` if there are any."""
    import numpy as np
    import torch
    from opensoundscape import CNN

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = CNN(
        "resnet18",
        classes=[f"class{k}" for k in range(args.classes)],
        sample_duration=args.clip_s,
        sample_rate=args.rate,
        channels=1,
        arch_weights=None,
        device="cpu",
    )
    model.verbose = 0
    if args.weights is not None and args.weights.exists():
        with np.load(args.weights, allow_pickle=False) as stored:
            model.network.load_state_dict({name: torch.from_numpy(stored[name]) for name in stored.files})
    return model


def weights(args: argparse.Namespace) -> dict:
    import numpy as np

    model = model_of(args)
    np.savez(args.weights, **{name: value.numpy() for name, value in model.network.state_dict().items()})
    return {}


def tensors(args: argparse.Namespace) -> dict:
    """The first images, (n, 1, bands, frames) float32, and what their network says of them, (n, n_classes)."""
    import numpy as np
    import torch

    model = model_of(args)
    samples = model.generate_samples([str(args.audio)])[: args.count]
    images = torch.stack([sample.data for sample in samples]).float()
    model.network.eval()
    with torch.inference_mode():
        logits = model.network(images)
    np.savez(args.out, images=images.numpy(), logits=logits.numpy())
    return {"shape": list(images.shape)}


def predict(args: argparse.Namespace) -> dict:
    model = model_of(args)
    ready = time.perf_counter()
    # With `raise_errors` its version 0.13.2 ends in an AttributeError; a clip it cannot read gets NaN instead.
    scores = model.predict([str(args.audio)], batch_size=args.batch, num_workers=args.workers, progress_bar=False)
    if scores.isna().to_numpy().any():
        raise SystemExit("opensoundscape could not read all clips")
    return {"predict_s": time.perf_counter() - ready, "start_s": ready - BEGAN, "clips": len(scores)}


def train(args: argparse.Namespace) -> dict:
    """When each step began, so that the caller can leave the first epoch out."""
    import pandas
    import torch

    model = model_of(args)
    audio = sorted(args.audio.rglob("*.wav"))
    names = model.classes
    rows = [[float(k % len(names) == j) for j in range(len(names))] for k in range(len(audio))]
    index = pandas.MultiIndex.from_tuples(
        [(str(path), 0.0, float(args.clip_s)) for path in audio], names=["file", "start_time", "end_time"]
    )
    table = pandas.DataFrame(rows, index=index, columns=names)
    step, began = model.training_step, []

    def timed(*arguments: object, **named: object) -> torch.Tensor:
        began.append(time.perf_counter() - BEGAN)
        return step(*arguments, **named)

    model.training_step = timed
    steps = args.epochs * (len(audio) // args.batch)
    model.train(
        table,
        steps=steps,
        batch_size=args.batch,
        num_workers=args.workers,
        save_path=str(args.out),
        log_interval=steps + 1,
        validation_interval=steps + 1,
        invalid_samples_log=None,
        progress_bar=False,
        raise_errors=True,
        reload_best_at_end=False,
        bypass_augmentations=not args.augment,
    )
    return {"steps_s": began, "clips": len(audio), "batch": args.batch}


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
    args = parser.parse_args()
    # Their library speaks on standard output; the answer is to be alone there.
    answers, sys.stdout = sys.stdout, sys.stderr
    answer = {"weights": weights, "tensors": tensors, "predict": predict, "train": train}[args.work](args)
    from importlib.metadata import version

    answer |= {"opensoundscape": version("opensoundscape"), "torch": version("torch"), "pid": os.getpid()}
    print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
