"""Which channel of a recording a model hears, as a setting and as part of the chunk plan."""

from ossicle.core.settings import setting, settings

MEAN, FIRST, LOUDEST = "mean", "first", "loudest"
_MOST_CHANNELS = 1024


def channel_name(value: object) -> str:
    """Return a choice of channel as text.

    Parameters
    ----------
    value
        ``mean``, ``first``, ``loudest``, or the number of a channel, counted from 1.

    Raises
    ------
    ValueError
        It is none of these.

    Examples
    --------
    >>> channel_name("mean"), channel_name(2), channel_name("2")
    ('mean', '2', '2')
    """
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
    if text not in (MEAN, FIRST, LOUDEST) and not 1 <= number <= _MOST_CHANNELS:
        raise ValueError(
            f'channel = {value!r} is not "{MEAN}", "{FIRST}", "{LOUDEST}" or the number of a channel, counted from 1'
        )
    return str(number) if number else text


@settings
class AudioSettings:
    """``[audio]``: how a recording with several channels becomes the one that the model hears."""

    channel: str | int = setting(
        default=MEAN,
        digest_default=False,
        help="mean averages the channels, first takes the first one, loudest the one with the most power in each "
        "recording, which is then decoded twice; or the number of a channel, counted from 1; a recording with "
        "one channel is read whatever is chosen",
    )

    def __post_init__(self) -> None:
        """Reject what is no choice of channel."""
        channel_name(self.channel)

    @property
    def name(self) -> str:
        """The choice as text."""
        return channel_name(self.channel)
