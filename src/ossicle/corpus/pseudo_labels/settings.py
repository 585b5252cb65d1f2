"""Settings of pseudo-labels: which recordings are labelled by models, which labels are kept, and their use in
training.
"""

from ossicle.core.settings import setting, settings
from ossicle.corpus.naming.globs import Globs
from ossicle.corpus.naming.name_templates import TemplateTexts

ROOT = "unlabelled"
"""Name of the root of unlabelled recordings; with the path below it, it identifies a recording."""

NONE, LATEST, ALL = "none", "latest", "all"


@settings
class PseudoSettings:
    """``[pseudo]``: unlabelled recordings, labelled by the models of an earlier training (``ossicle pseudo``)."""

    audio: str = setting(default="", help="folder of unlabelled recordings; empty: no pseudo-labels", digest=False)
    include: tuple[str, ...] = setting(
        default=(), help="glob patterns of the recordings to use, relative to `audio`, as `siteA/**`; empty: all"
    )
    exclude: tuple[str, ...] = setting(default=(), help="glob patterns of files to ignore, relative to `audio`")
    name_template: TemplateTexts = setting(
        default="",
        help="pattern (or list of patterns) that reads fields from their file names; empty: corpus.name_template",
    )
    group: str = setting(
        default="",
        help="field whose values are held out: a model is not trained on unlabelled recordings of a group "
        "that it holds out; empty: split.group; use `recording` if the unlabelled recordings share no "
        "site, tape or animal with the labelled ones",
    )
    threshold: float = setting(
        default=0.5, help="keep a window if its highest score reaches this", digest=False, gt=0, le=1
    )
    floor: float = setting(default=0.1, help="in kept windows, set scores below this to 0", digest=False, ge=0, le=1)
    most_per_file: int = setting(
        default=12, help="highest number of windows of one recording, those with the highest scores", digest=False, ge=1
    )
    parts: int = setting(
        default=1,
        help="divide the unlabelled recordings into this many parts and use them in turn, one in each round; "
        "2: no recording is labelled by models trained on it in the previous round",
        digest=False,
        ge=1,
        le=10,
    )
    probability: float = setting(
        default=0.4, help="probability that a training crop is replaced by a pseudo-labelled window", ge=0, le=1
    )
    same_class: bool = setting(
        default=True,
        help="replace a clip only by a window with the same label (clips of labels without windows, and "
        "noise, are kept); false: by any window",
    )
    rounds: str = setting(
        default=LATEST,
        help="rounds to train with: the latest; all (for each recording its latest round); none",
        choices=(LATEST, ALL, NONE),
        digest=False,
    )
    up_to: int = setting(default=0, help="use no round after this number; 0: use all", digest=False, ge=0)

    def __post_init__(self) -> None:
        """Reject globs that match nothing, and a floor above the threshold."""
        for key in ("include", "exclude"):
            try:
                Globs(getattr(self, key))
            except ValueError as problem:
                raise ValueError(f"{key}: {problem}") from None
        if self.floor > self.threshold:
            raise ValueError(f"floor = {self.floor:g} must be at most threshold = {self.threshold:g}")
        if self.audio and not self.audio.strip():
            raise ValueError(f"audio = {self.audio!r} is not a folder")
