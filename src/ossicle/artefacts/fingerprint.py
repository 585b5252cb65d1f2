"""Fingerprints: everything from which an artefact was made (invariant 6).

The digest covers the step, its version, the settings that can change its result (``core.settings.digestible``), the
content digests of its inputs and, where they matter, the versions of decoders. Paths, workers, devices and schedulers
are not included.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ossicle.artefacts.plain import plain
from ossicle.core.digest import digest

# The step is part of a folder name, so its name must be safe there.
_STEP = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The inputs of one artefact: ``inputs`` maps names to content digests, ``versions`` libraries to versions.

    Raises ValueError for a step whose name has characters other than lower-case letters, digits, ``_`` and ``-``, and
    for a NaN setting.

    >>> one = Fingerprint("score", 1, {"hop_s": 0.01}, {"bundle": "ab"})
    >>> one.digest == Fingerprint("score", 2, {"hop_s": 0.01}, {"bundle": "ab"}).digest
    False
    """

    step: str
    version: int
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reject a step that cannot name a folder, and freeze the settings as plain values."""
        if not _STEP.fullmatch(self.step):
            raise ValueError(f"step = {self.step!r} must be lower-case letters, digits, `_` and `-`")
        for name in ("settings", "inputs", "versions"):
            object.__setattr__(self, name, plain(getattr(self, name), name))

    @property
    def digest(self) -> str:
        """SHA-256 of all fields, as 64 hexadecimal digits."""
        return digest(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {
            "step": self.step,
            "version": self.version,
            "settings": self.settings,
            "inputs": self.inputs,
            "versions": self.versions,
        }
