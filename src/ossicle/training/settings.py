"""The settings of a training."""

import re
from dataclasses import fields

from ossicle.core.settings import setting, settings
from ossicle.core.value_checks import MOST_THREADS
from ossicle.training.batches.target_rules import TargetRules

INNER_SHARE = 0.15
"""The share of the training clips that is held out within a training that needs some and states no share."""


@settings
class TrainingSettings:
    """Length, optimiser and randomness of a training; ``[training]`` in the project file."""

    epochs: int = setting(default=40, help="number of epochs", ge=1)
    noise_epochs: int = setting(
        default=0,
        help="epochs of fine-tuning after the training, at a tenth of the learning rate and with twice the crops of "
        "noise; to mend a detector that the noise gate refused",
        ge=0,
    )
    steps_per_epoch: int = setting(
        default=12, help="optimiser steps per epoch; 0: as many as one pass through the clips needs", ge=0
    )
    batch_size: int = setting(default=16, help="number of crops in each batch", ge=1, le=65536)
    accumulate: int = setting(
        default=1,
        help="number of batches whose gradients make one optimiser step, for large batches in little memory",
        ge=1,
        digest_default=False,
    )
    subset: float = setting(
        default=1.0,
        help="share of the training clips of each label, and of noise, to train on, at least one of each",
        gt=0,
        le=1,
        digest_default=False,
    )
    subset_seed: int = setting(default=0, help="seed that chooses these clips", ge=0, digest_default=False)
    learning_rate: float = setting(default=2e-3, help="highest learning rate of the optimiser", gt=0)
    schedule: str = setting(
        default="cosine",
        help="learning rate after the warm-up: half a cosine (cosine), or lowered when the loss on inner held-out "
        "groups no longer falls (plateau)",
        choices=("cosine", "plateau"),
        digest_default=False,
    )
    final_learning_rate: float = setting(
        default=0.0,
        help="learning rate at the end of the cosine, and lowest one of plateau",
        ge=0,
        digest_default=False,
    )
    plateau_patience: int = setting(
        default=5, help="epochs without a lower inner loss before plateau lowers the rate", ge=1, digest_default=False
    )
    plateau_factor: float = setting(
        default=0.5, help="what plateau multiplies the learning rate by", gt=0, lt=1, digest_default=False
    )
    weight_decay: float = setting(default=1e-3, help="weight decay; decoupled, but for adam", ge=0)
    warmup: float = setting(default=0.1, help="share of the steps in which the learning rate rises", ge=0, lt=1)
    warmup_epochs: int = setting(
        default=0,
        help="number of epochs in which the learning rate rises, at most all; in place of `warmup`; 0: use `warmup`",
        ge=0,
        digest_default=False,
    )
    gradient_clip: float = setting(default=5.0, help="largest gradient norm; 0: no clipping", ge=0)
    optimiser: str = setting(
        default="adamw",
        help="optimiser: AdamW, RAdam with decoupled weight decay, or Adam with L2 weight decay",
        choices=("adamw", "radam", "adam"),
    )
    ema_decay: float = setting(
        default=0.99, help="decay of the moving average of the weights, which gives the final model", ge=0, lt=1
    )
    average_epochs: int = setting(
        default=0,
        help="use the mean of the averaged weights over this many last epochs; 0: those after the last epoch",
        ge=0,
    )
    keep: str = setting(
        default="last",
        help="the weights to keep: after the last epoch, or after that with the lowest loss on inner held-out groups "
        "(best)",
        choices=("last", "best"),
        digest_default=False,
    )
    patience: int = setting(
        default=0,
        help="epochs without a lower loss on inner held-out groups after which the training stops; 0: never",
        ge=0,
        digest_default=False,
    )
    inner_share: float = setting(
        default=0.0,
        help="share of the training clips, in whole groups, that each training holds out for plateau, best and "
        f"patience; 0: {INNER_SHARE:g} if one of them is used, else none",
        ge=0,
        le=0.5,
        digest_default=False,
    )
    pretrained: str = setting(
        default="",
        help="weights to start the backbone of window networks from: a file, relative to the project file, or "
        "hub (download from timm); empty: random weights",
        digest=False,
    )
    init_from: str = setting(
        default="",
        help="trainings to start from, model by model: the name of another variant of this project, which is trained "
        "first if it is not, or the folder of an artefact `training`, relative to the project file, or a bundle "
        "(`registry:NAME@current`) whose trainings are in the data root; empty: random weights",
        digest=False,
    )
    target_share: float = setting(
        default=0.7, help="share of crops drawn around a target; the others are drawn around noise", ge=0, le=1
    )
    balance: str = setting(
        default="sqrt",
        help="share of each label among the targets drawn (with replacement): root of its number of clips "
        "(sqrt), that number (natural), equal (uniform), the effective number of clips (effective); "
        "each: no drawing; every clip, noise included, once per pass, whatever its weight",
        choices=("sqrt", "natural", "uniform", "effective", "each"),
    )
    undo_balance: float = setting(
        default=0.0,
        help="with model.window.scores = softmax: how far the final scores go back from the shares in which `balance` "
        "drew the labels (0) to those of the training clips (1); the training is the same",
        ge=0,
        le=1,
        digest_default=False,
    )
    weak: bool = setting(
        default=False,
        help="labels say what a clip or recording contains, not where: crops lie anywhere in it, and a window "
        "either has a label or not",
    )
    presence_s: float = setting(
        default=0.0, help="with weak labels: a window has a label if it contains more than this of it", unit="s", ge=0
    )
    loss: str = setting(
        default="bce",
        help="binary cross-entropy, focal loss (alpha 0.25, gamma 2), or the mean of both; with model.window.scores = "
        "softmax they are cross-entropy and its focal loss (gamma 2)",
        choices=("bce", "focal", "bce_focal"),
    )
    class_weights: str = setting(
        default="none",
        help="weight of each label in the loss, for rare ones: balanced (one over its number of training clips), sqrt "
        '(one over the root of that number), or none; their mean over clips is 1. With balance = "uniform" '
        "rare labels already come more often",
        choices=("none", "balanced", "sqrt"),
        digest_default=False,
    )
    label_smoothing: float = setting(
        default=0.0, help="how far targets are moved towards their mean over labels", ge=0, lt=1
    )
    place_weight: float = setting(
        default=0.0,
        help="with weak labels and an attention head: share of the loss on the best position in time instead "
        "of the clip",
        ge=0,
        le=1,
    )
    onset_s: float = setting(
        default=0.0,
        help="train on the starts of annotations: each target is this long with the start in its middle; 0: from start "
        'to end (for evaluation.criterion = "onsets": 0.03)',
        unit="s",
        ge=0,
        digest_default=False,
    )
    apart_frames: float = setting(
        default=1.5,
        help="lowest distance between neighbouring events of one label in the training targets",
        unit="frames",
        ge=0,
    )
    validation_crops: int = setting(default=32, help="number of held-out crops scored for the curves", ge=0)
    validate_every: int = setting(default=5, help="number of epochs between validations", ge=1)
    precision: str = setting(
        default="32-true",
        help="number format: 32-true (float32) or bf16-mixed (bfloat16 where possible)",
        choices=("32-true", "bf16-mixed"),
    )
    seed: int = setting(default=0, help="seed of all random values", ge=0)
    threads: int = setting(
        default=1, help="threads of each training; on CPUs the result depends on it", ge=1, le=MOST_THREADS
    )
    device: str = setting(
        default="auto",
        help="device to train and score on: auto (all GPUs, one training on each; else the CPU), cpu, cuda, "
        "cuda:N, mps",
        digest=False,
    )
    workers: int = setting(
        default=0,
        help="processes that read crops ahead of each training; 0: it reads them itself. Worth their memory where "
        "`ossicle track show` says that a training waits for data, most of all on a GPU",
        ge=0,
        le=MOST_THREADS,
        digest=False,
    )
    prefetch_factor: int = setting(
        default=2, help="number of batches that each of these processes reads ahead", ge=1, digest=False
    )
    parallel: int = setting(
        default=3,
        help="number of parallel trainings on a CPU; one more than cores uses them best at the end",
        ge=1,
        digest=False,
    )

    def __post_init__(self) -> None:
        """Reject a device that no machine has, and schedules that contradict themselves, before the run starts."""
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            raise ValueError(
                f"device = {self.device!r} is not one of: auto, cpu, cuda, cuda:N (a GPU by its number), mps"
            )
        if self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate = {self.final_learning_rate:g} is above learning_rate = "
                f"{self.learning_rate:g}, the highest one; set it lower, or 0"
            )
        for key, value in (("keep", self.keep == "best"), ("patience", self.patience > 0)):
            if value and self.average_epochs:
                raise ValueError(
                    f"average_epochs = {self.average_epochs} keeps a mean over the last epochs, and {key} = "
                    f"{getattr(self, key)!r} chooses another end: set one of the two to its default"
                )

    @property
    def inner_held_out(self) -> float:
        """Share of the training clips that each training holds out to choose its own course; 0 for none."""
        if self.inner_share or not (self.schedule == "plateau" or self.keep == "best" or self.patience):
            return self.inner_share
        return INNER_SHARE

    @property
    def of_networks(self) -> str:
        """The first setting of how networks are trained that is not its default and means nothing for heads."""
        names = ("init_from", "schedule", "keep", "patience", "inner_share", "accumulate", "subset", "undo_balance")
        return next(
            (
                field.name
                for field in fields(self)
                if field.name in names and getattr(self, field.name) != field.default
            ),
            "",
        )

    @property
    def step_crops(self) -> int:
        """Number of crops in each optimiser step."""
        return self.batch_size * self.accumulate

    @property
    def target_rules(self) -> TargetRules:
        """How annotations become targets; without weak labels, targets are shares of frames."""
        return TargetRules(self.apart_frames, self.presence_s if self.weak else None, self.onset_s)
