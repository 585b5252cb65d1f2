"""The settings of a training."""

import re

from ossicle.core.settings import setting, settings


@settings
class TrainingSettings:
    """Length, optimiser and randomness of a training; ``[training]`` in the project file."""

    epochs: int = setting(default=40, help="epochs", ge=1)
    steps_per_epoch: int = setting(default=12, help="optimiser steps an epoch; 0: as many as there are clips for", ge=0)
    batch_size: int = setting(default=16, help="crops a step", ge=1)
    learning_rate: float = setting(default=2e-3, help="highest learning rate of AdamW", gt=0)
    weight_decay: float = setting(default=1e-3, help="decoupled weight decay", ge=0)
    warmup: float = setting(default=0.1, help="share of the steps with a rising learning rate", ge=0, lt=1)
    gradient_clip: float = setting(default=5.0, help="largest gradient norm; 0 for none", ge=0)
    optimiser: str = setting(
        default="adamw", help="Adam with decoupled weight decay, or its rectified form", choices=("adamw", "radam")
    )
    ema_decay: float = setting(default=0.99, help="decay of the averaged weights, which are the ones kept", ge=0, lt=1)
    average_epochs: int = setting(
        default=0,
        help="keep the mean of these weights at the ends of so many last epochs; 0: those after the last",
        ge=0,
    )
    pretrained: str = setting(
        default="",
        help="weights to start the backbone of window networks from: a file beside the project file, or hub (timm's, "
        "downloaded); empty: none",
        digest=False,
    )
    target_share: float = setting(
        default=0.7, help="share of crops drawn around a target; the others around noise", ge=0, le=1
    )
    balance: str = setting(
        default="sqrt",
        help="share of each label among the targets drawn (with replacement): root of its number of clips (sqrt), "
        "that number (natural), all alike (uniform), the effective number of clips (effective); each: no drawing, "
        "every clip, noise too, in its turn, whatever its weight",
        choices=("sqrt", "natural", "uniform", "effective", "each"),
    )
    weak: bool = setting(
        default=False,
        help="annotations say what a clip or recording holds, not where: crops lie anywhere in them, and a window "
        "has a label or has it not",
    )
    presence_s: float = setting(
        default=0.0, help="of weak labels: a window has a label of which it holds more than this", unit="s", ge=0
    )
    loss: str = setting(
        default="bce",
        help="binary cross-entropy, focal loss (alpha 0.25, gamma 2), or the mean of both",
        choices=("bce", "focal", "bce_focal"),
    )
    label_smoothing: float = setting(
        default=0.0, help="share by which targets are moved towards their mean over labels", ge=0, lt=1
    )
    place_weight: float = setting(
        default=0.0,
        help="of weak labels with an attention head: share of the loss that asks the best place in time, not the clip",
        ge=0,
        le=1,
    )
    apart_frames: float = setting(
        default=1.5, help="neighbours of one label are trained to be at least this far apart", unit="frames", ge=0
    )
    validation_crops: int = setting(default=32, help="held-out crops scored for the curves", ge=0)
    validate_every: int = setting(default=5, help="epochs from one validation to the next", ge=1)
    precision: str = setting(default="32-true", help="arithmetic", choices=("32-true", "bf16-mixed"))
    seed: int = setting(default=0, help="seed of every draw", ge=0)
    threads: int = setting(default=1, help="threads of each training; part of the result on CPUs", ge=1)
    device: str = setting(
        default="auto",
        help="where to train and score: auto (GPUs where there are any, a training each), cpu, cuda, cuda:N, mps",
        digest=False,
    )
    parallel: int = setting(
        default=3,
        help="trainings at a time on a CPU; one more than cores, so that the last ones share them",
        ge=1,
        digest=False,
    )

    def __post_init__(self) -> None:
        """Refuse a device that no machine has, before a run rather than in it."""
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            raise ValueError(f"device = {self.device!r} is none of: auto, cpu, cuda, cuda:N (a GPU by its number), mps")

    @property
    def least_presence_s(self) -> float | None:
        """``presence_s`` where labels are weak, else None: targets are shares of frames."""
        return self.presence_s if self.weak else None
