"""``[modal]``: the volume and the containers of jobs on Modal. Nothing here can change a result."""

import re

from ossicle.core.settings import setting, settings

ACCOUNT = ("volume", "prefix", "audio_prefix")
"""Settings that name data of the user's account; they are not read from a project file, which may be a stranger's."""
DEFAULT_VOLUME = "ossicle"
_VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_GPU = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


@settings
class ModalSettings:
    """Where jobs on Modal keep their files, and the most that they may use."""

    volume: str = setting(
        default="",
        help='name of the volume, made if there is none; empty: "ossicle"; only in ossicle.local.toml or --set',
        digest=False,
    )
    prefix: str = setting(
        default="",
        help="folder of the project in the volume; empty: the project's name; only in ossicle.local.toml or --set",
        digest=False,
    )
    audio_prefix: str = setting(
        default="",
        help="folder in the volume that holds the recordings of `corpus.audio` already: they are not copied; empty: "
        "they are; only in ossicle.local.toml or --set",
        digest=False,
    )
    gpu: str = setting(
        default="L4", help="GPU type of steps that ask for GPUs and name no `gpu_type` in [jobs]", digest=False
    )
    timeout_h: float = setting(
        default=12.0,
        help="longest time of a container if [jobs] sets no `time`; the task saves its state before and goes on in the "
        "next container",
        unit="h",
        ge=0.1,
        le=24.0,
        digest=False,
    )
    max_concurrent: int = setting(
        default=10,
        help="highest number of containers of a run at a time; more than 10 only in ossicle.local.toml or --set",
        ge=1,
        le=1000,
        digest=False,
    )

    def __post_init__(self) -> None:
        """Reject names that no volume, folder or GPU can have."""
        if self.volume and not _VOLUME.fullmatch(self.volume):
            raise ValueError(f"volume = {self.volume!r} is not the name of a volume (letters, digits, '.', '_', '-')")
        for name in ("prefix", "audio_prefix"):
            value = getattr(self, name)
            if value and not _PREFIX.fullmatch(value):
                raise ValueError(
                    f"{name} = {value!r} is not a folder of the volume: names of letters, digits, '.', '_' and '-', "
                    "joined by '/'"
                )
        if not _GPU.fullmatch(self.gpu):
            raise ValueError(f"gpu = {self.gpu!r} is not a GPU type; write for example L4, A100-80GB or H100")
