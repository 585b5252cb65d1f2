"""Settings of the training of a unit vocoder; imports no torch."""

from ossicle.core.settings import setting, settings
from ossicle.models.vocoder.settings import VocoderNetworkSettings

RATES = (8000, 16000)
"""Sample rates that a vocoder takes by itself: the highest of them that the recordings have."""


@settings
class VocoderSettings:
    """``[vocoder]``: whether a project trains a vocoder, which one, and how."""

    preset: str = setting(
        default="",
        help="small (minutes on a CPU) or full (hours on a GPU); empty: the project trains no vocoder",
        choices=("", "small", "full"),
    )
    rate: int = setting(
        default=0,
        help="sample rate of the sound, at least 8000; 0: 16000, or 8000 if the recordings have less",
        unit="Hz",
        ge=0,
        le=48000,
    )
    pitch: bool = setting(
        default=True, help="give the vocoder the pitch as well, so that it can be kept or changed; needs the step pitch"
    )
    speakers: bool = setting(
        default=True, help="give the vocoder the speaker as well; an unknown speaker gets the mean of the known ones"
    )
    choose: str = setting(
        default="",
        help="group whose segments choose the epoch; empty: of the sorted names, the one before those that are judged "
        "(of 40 and more groups, one in twenty)",
    )
    judge: str = setting(
        default="",
        help="group whose segments are judged; empty: the last of the sorted names (of 40 and more, one in twenty)",
    )
    epochs: int = setting(default=500, help="most epochs", ge=1)
    draws: int = setting(default=10000, help="crops in each epoch, drawn by length from all segments", ge=1)
    batch: int = setting(default=16, help="crops in each step", ge=1)
    crop_s: float = setting(default=1.0, help="length of a crop; whole units", unit="s", gt=0, le=60)
    warmup_epochs: int = setting(
        default=5, help="first epochs, which only reconstruct: no discriminator is used or trained", ge=0
    )
    learning_rate: float = setting(default=2e-4, help="learning rate of the generator", gt=0)
    discriminator_learning_rate: float = setting(default=2e-4, help="learning rate of the discriminators", gt=0)
    learning_rate_decay: float = setting(
        default=0.999, help="what both learning rates are multiplied by after each epoch", gt=0, le=1
    )
    discriminator_steps: int = setting(
        default=1, help="steps of the discriminators for each step of the generator", ge=1, le=16
    )
    gradient_penalty: float = setting(
        default=0.0,
        help="weight of the gradient penalty R1 on real crops, which holds strong discriminators back; 0: none",
        ge=0,
    )
    gradient_clip: float = setting(default=5.0, help="largest gradient norm of the generator; 0: no limit", ge=0)
    mel_weight: float = setting(default=45.0, help="weight of the log-mel distance", ge=0)
    stft_weight: float = setting(default=2.0, help="weight of the multi-resolution spectrogram loss", ge=0)
    feature_weight: float = setting(default=2.0, help="weight of the feature matching loss", ge=0)
    adversarial_weight: float = setting(default=1.0, help="weight of the adversarial loss", ge=0)
    unknown_speaker: float = setting(
        default=0.25, help="share of crops that are trained as an unknown speaker, with the mean of all", ge=0, le=1
    )
    whispered: float = setting(
        default=0.25,
        help="share of crops that are trained without their pitch, for speech in which none is found",
        ge=0,
        le=1,
    )
    ema: float = setting(
        default=0.999, help="decay of the moving average of the weights, which gives the vocoder", ge=0, lt=1
    )
    patience: int = setting(
        default=50, help="epochs without a lower log-mel distance on the choosing group before the training ends", ge=1
    )
    min_delta: float = setting(
        default=0.01,
        help="how much lower a log-mel distance counts: 0.01 dB is not audible, and its noise is smaller",
        unit="dB",
        ge=0,
    )
    choosing_segments: int = setting(
        default=200, help="most segments of the choosing group that are synthesised after each epoch", ge=1
    )
    save_every: int = setting(default=20, help="epochs between kept checkpoints with sample sounds", ge=1)
    keep: int = setting(default=5, help="most of these checkpoints that are kept, the newest", ge=1)
    samples: int = setting(default=4, help="held-out segments that each of them speaks, always the same", ge=0)
    collapse_epochs: int = setting(
        default=10, help="epochs without progress against discriminators that win, which count as a collapse", ge=2
    )
    on_collapse: str = setting(
        default="stop", help="what follows: stop with advice, or only advise", choices=("stop", "advise"), digest=False
    )
    auto_batch: bool = setting(
        default=False,
        help="on too little memory, compute the same step in halves (quarters, ...) of the batch",
        digest=False,
    )
    seed: int = setting(default=0, help="seed of all draws", ge=0)
    network: VocoderNetworkSettings = setting(default=VocoderNetworkSettings(), help="sizes of the networks")

    def __post_init__(self) -> None:
        """Reject rates that do not hold the range of speech and of its pitch."""
        if 0 < self.rate < min(RATES):
            raise ValueError(f"rate = {self.rate} Hz must be 0 or at least {min(RATES)}")
