"""The settings of pseudo-labels: what is labelled by models, what is kept of it, and how it enters training."""

from ossicle.core.settings import setting, settings
from ossicle.corpus.naming.globs import Globs

ROOT = "unlabelled"
"""Name of the root of unlabelled recordings: with the path below it, it identifies one."""

NONE, LATEST, ALL = "none", "latest", "all"


@settings
class PseudoSettings:
    """``[pseudo]``: unlabelled recordings, labelled by the models of an earlier training (``ossicle pseudo``)."""

    audio: str = setting(default="", help="folder of unlabelled recordings; empty: no pseudo-labels", digest=False)
    include: tuple[str, ...] = setting(
        default=(), help="globs on the path below `audio`: these are used, `siteA/**`; empty: all"
    )
    exclude: tuple[str, ...] = setting(default=(), help="globs on the path below `audio`: not used in any way")
    name_template: str = setting(
        default="", help="fields in their file names; empty: those of corpus.name_template, where the names fit it"
    )
    group: str = setting(
        default="",
        help="field whose values no model hears that holds them out; empty: that of split.group; `recording` where the "
        "unlabelled recordings share no site, tape or animal with the labelled ones",
    )
    threshold: float = setting(
        default=0.5, help="a window is kept where its highest label reaches this", digest=False, gt=0, le=1
    )
    floor: float = setting(
        default=0.1, help="of a window that is kept, scores below this become 0", digest=False, ge=0, le=1
    )
    most_per_file: int = setting(default=12, help="windows kept of a recording, the surest first", digest=False, ge=1)
    parts: int = setting(
        default=1,
        help="parts of the unlabelled recordings, taken by round in turn; 2: no recording is labelled by models that "
        "were taught it in the round before",
        digest=False,
        ge=1,
        le=10,
    )
    probability: float = setting(
        default=0.4, help="probability that a crop of a training is replaced by a pseudo-labelled window", ge=0, le=1
    )
    same_class: bool = setting(
        default=True,
        help="by one with the label of the clip that was drawn (a label without any keeps its clips, noise stays); "
        "false: by any",
    )
    rounds: str = setting(
        default=LATEST,
        help="rounds that teach: the latest; all, of each recording its latest; none",
        choices=(LATEST, ALL, NONE),
        digest=False,
    )
    up_to: int = setting(default=0, help="no round after this number teaches; 0: all there are", digest=False, ge=0)

    def __post_init__(self) -> None:
        """Refuse globs of nothing, and a floor that would take what the threshold has kept."""
        for key in ("include", "exclude"):
            try:
                Globs(getattr(self, key))
            except ValueError as problem:
                raise ValueError(f"{key}: {problem}") from None
        if self.floor > self.threshold:
            raise ValueError(f"floor = {self.floor:g} must be at most threshold = {self.threshold:g}")
        if self.audio and not self.audio.strip():
            raise ValueError(f"audio = {self.audio!r} names no folder")
