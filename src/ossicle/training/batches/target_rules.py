"""How annotations become the targets of frames."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TargetRules:
    """How annotations become the targets of frames; the defaults take them as they are.

    Attributes
    ----------
    apart_frames
        Frames that neighbours of one label are kept apart.
    presence_s
        A target is 1 where its label fills more than these seconds of a frame; None: targets are shares of frames.
    onset_s
        Length of targets around the starts of annotations; 0: from their starts to their ends.
    """

    apart_frames: float = 0.0
    presence_s: float | None = None
    onset_s: float = 0.0
