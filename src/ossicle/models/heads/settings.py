"""The settings of a head and of its training, apart from the code that needs torch."""

from ossicle.core.scores.level_settings import LevelSettings
from ossicle.core.settings import setting, settings


@settings
class StageTwoSettings:
    """``[head.stage_two]``: how the last blocks of an encoder are trained after the head, and when they are kept."""

    epochs: int = setting(default=4, help="passes through the windows", ge=1)
    batch_size: int = setting(default=16, help="number of windows in each step", ge=1)
    encoder_rate: float = setting(default=1e-5, help="learning rate of the blocks", gt=0)
    head_rate: float = setting(default=3e-4, help="learning rate of the head", gt=0)
    weight_decay: float = setting(default=1e-2, help="decoupled weight decay", ge=0)
    margin: float = setting(
        default=0.01, help="least gain in balanced accuracy on inner held-out groups for which it is kept", ge=0, le=1
    )


@settings
class HeadSettings:
    """``[head]``: the small network that reads the embeddings of a window, and how it is trained."""

    pooling: str = setting(
        default="attention",
        help="how the tokens of a window become one vector: mean, or attention (a trained weight for every token)",
        choices=("mean", "attention"),
    )
    values: str = setting(
        default="plain",
        help="plain: the pooled values as they are; root: their square roots, with the sign kept, for encoders with "
        "many values near 0 and a few large ones, such as birdnet",
        choices=("plain", "root"),
    )
    hidden: int = setting(
        default=256, help="hidden units; 0: none, the pooled embedding is read by one linear layer", ge=0, le=8192
    )
    dropout: float = setting(default=0.2, help="dropout before each linear layer", ge=0, lt=1)
    epochs: int = setting(default=40, help="highest number of passes through the windows", ge=1, le=10_000)
    patience: int = setting(
        default=8,
        help="number of epochs without a lower loss on the inner held-out groups after which the search for the best "
        "number of epochs ends",
        ge=1,
    )
    batch_size: int = setting(default=64, help="number of windows in each step", ge=1)
    learning_rate: float = setting(default=1e-3, help="highest learning rate of the optimiser", gt=0)
    weight_decay: float = setting(default=1e-2, help="decoupled weight decay", ge=0)
    unfreeze_blocks: int = setting(
        default=0,
        help="stage 2: number of last blocks of beats that are trained with the head, from stage 1, and kept only "
        "where inner held-out groups gain; 0: none",
        ge=0,
        le=64,
        digest_default=False,
    )
    stage_two: StageTwoSettings = setting(
        default=StageTwoSettings(), help="training of these blocks", digest_default=False
    )
    level: LevelSettings = setting(
        default=LevelSettings(), help="how scores follow the level of a recording", digest_default=False
    )
