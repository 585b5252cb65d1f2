"""Sizes of the networks of a unit vocoder; imports no torch."""

from ossicle.core.settings import setting, settings


@settings
class VocoderNetworkSettings:
    """``[vocoder.network]``: sizes of the generator and of the discriminators."""

    width: int = setting(default=512, help="channels of the generator", ge=4, le=2048)
    unit_blocks: int = setting(
        default=4, help="convolution blocks at the rate of the units, which see the most context", ge=0, le=32
    )
    frame_blocks: int = setting(default=8, help="convolution blocks at the rate of the frames", ge=1, le=32)
    expansion: int = setting(default=3, help="how many times wider the inner layer of a block is", ge=1, le=8)
    frames_per_unit: int = setting(
        default=4,
        help="frames of the output spectrogram in each unit; the samples of a unit must be a multiple",
        ge=1,
        le=16,
    )
    period_channels: tuple[int, ...] = setting(
        default=(32, 128, 512, 1024, 1024),
        help="channels of the layers of each period discriminator",
        ge=1,
        le=2048,
    )
    scale_channels: tuple[int, ...] = setting(
        default=(128, 128, 256, 512, 1024, 1024, 1024),
        help="channels of the layers of each scale discriminator",
        ge=1,
        le=2048,
    )
    periods: tuple[int, ...] = setting(
        default=(2, 3, 5, 7, 11), help="periods in samples, one discriminator for each", ge=1, le=64
    )
    scale_kernel: int = setting(
        default=41, help="samples that the inner layers of scale discriminators see at a time", ge=3, le=101
    )
    scales: int = setting(
        default=3, help="number of scale discriminators: of the sound, of its half rate, and so on", ge=1, le=5
    )

    def __post_init__(self) -> None:
        """Reject discriminators without layers, and no discriminators."""
        for name in ("period_channels", "scale_channels", "periods"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty")
        if self.scale_kernel % 2 == 0:
            raise ValueError(f"scale_kernel = {self.scale_kernel} must be odd")
