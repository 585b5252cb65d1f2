"""Settings of F0 tracking (``[pitch]``)."""

from ossicle.core.settings import setting, settings

OWN_TRACKER, SWIFT_F0 = "yin", "swift_f0"


@settings
class PitchSettings:
    """How the pitch of speech is tracked, where a vocoder gets pitch."""

    tracker: str = setting(
        default=OWN_TRACKER,
        help="`yin`: Ossicle's own tracker; `swift_f0`: a small network, slower, which needs the extra `pitch`",
        choices=(OWN_TRACKER, SWIFT_F0),
    )
    low_hz: float = setting(default=50.0, help="lowest F0 of any speaker", unit="Hz", ge=20, le=1000)
    high_hz: float = setting(default=500.0, help="highest F0 of any speaker", unit="Hz", ge=50, le=2000)

    def __post_init__(self) -> None:
        """Reject a range that holds less than a musical fifth."""
        if self.high_hz < 1.5 * self.low_hz:
            raise ValueError(f"high_hz = {self.high_hz:g} Hz must be at least 1.5 times low_hz = {self.low_hz:g} Hz")
