"""The settings of tracking."""

from ossicle.core.settings import setting, settings

TENSORBOARD, WANDB = "tensorboard", "wandb"
OFFLINE, ONLINE = "offline", "online"


@settings
class TrackingSettings:
    """Where the figures of every epoch go besides ``metrics.jsonl``; ``[tracking]`` in the project file.

    Nothing here changes a result.
    """

    to: tuple[str, ...] = setting(
        default=(TENSORBOARD,),
        help='trackers: "tensorboard", "wandb" (Weights & Biases; extra `wandb`)',
        choices=(TENSORBOARD, WANDB),
        digest=False,
    )
    mode: str = setting(
        default=OFFLINE,
        help="Weights & Biases: offline (files, uploaded by `ossicle track sync`) or online (sent during training)",
        choices=(OFFLINE, ONLINE),
        digest=False,
    )
    project: str = setting(default="", help="project at Weights & Biases; empty: the name of the project", digest=False)
    group: str = setting(
        default="",
        help="group of the trainings of one run; empty: the name of the project, with that of its variant",
        digest=False,
    )
    name: str = setting(
        default="",
        help="name of each training, followed by that of its model (fold0, final); empty: the group",
        digest=False,
    )
    tags: tuple[str, ...] = setting(default=(), help="tags of each training", digest=False)

    def __post_init__(self) -> None:
        """Reject trackers and tags that are given twice, and empty tags."""
        for key, values in (("to", self.to), ("tags", self.tags)):
            if twice := sorted({value for value in values if values.count(value) > 1}):
                raise ValueError(f"{key}: {twice[0]!r} is there twice; give it once")
        if any(not tag.strip() for tag in self.tags):
            raise ValueError("tags: an empty tag; remove it")
