"""Digests of values: SHA-256 of canonical JSON. ``ossicle.artefacts`` computes digests of files."""

import hashlib
import json
import unicodedata
from typing import Any


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, no spaces and no NaN, so that equal values give equal text."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain_value
    )


def _plain_value(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"a {type(value).__name__} has no canonical form")


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of ``value`` as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def normal_path(path: str) -> str:
    """Return a path below a root in its normal form: forward slashes, Unicode NFC."""
    return unicodedata.normalize("NFC", path.replace("\\", "/"))


def recording_id(root: str, path: str) -> str:
    """Return the id of a recording: 16 hexadecimal digits of a hash of the root's name and the normal path below it.

    >>> recording_id("tapes", "a/b.wav") == recording_id("tapes", "a/b.wav")
    True
    """
    return hashlib.sha256(f"{root}\0{normal_path(path)}".encode()).hexdigest()[:16]


def seed_of(*parts: int | str) -> int:
    """Return a 63-bit seed derived from (seed, epoch, index, ...).

    Every random draw has its own generator, so resuming needs no stored state.
    """
    return int.from_bytes(hashlib.sha256(canonical_json(list(parts)).encode()).digest()[:8], "big") >> 1
