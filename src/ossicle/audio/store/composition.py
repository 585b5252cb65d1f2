"""How much of the training data comes from the store, and how much from files."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ossicle.audio.store.entries import RawEntry, StoreEntry, read_index, read_raw


@dataclass(frozen=True, slots=True)
class Composition:
    """Recordings and seconds in the store and in files; and the decoder for the files."""

    stored: int
    raw: int
    stored_s: float
    raw_s: float
    decoder: str

    @property
    def share(self) -> float:
        """Share of the recordings that comes from the store; 1 if there are none."""
        return self.stored / (self.stored + self.raw) if self.stored + self.raw else 1.0

    @property
    def line(self) -> str:
        """Return a description in one line."""
        hours = (self.stored_s + self.raw_s) / 3600
        share = 100 * self.stored_s / (self.stored_s + self.raw_s) if hours else 100.0
        return (
            f"recordings: {self.stored} from the store, {self.raw} raw ({share:.0f} % of {hours:.2f} h from the store)"
        )

    @property
    def warning(self) -> str:
        """Return a warning if less than half of the recordings come from the store; otherwise ""."""
        if self.share >= 0.5:
            return ""
        return (
            f"warning: under half of the recordings ({100 * self.share:.0f} %) come from the store, but reading the "
            "others from their files takes tens of times longer; store more of them ([store] raw, only_biggest, "
            "longer_s, leave_gb) and build it again (ossicle store build --force)"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "stored_s": round(self.stored_s, 3), "raw_s": round(self.raw_s, 3)}


def composition(folder: Path) -> Composition:
    """Return the composition of a store folder; raises ArtefactError if it is not a store."""
    rate, entries = read_index(folder)
    reading, raw = read_raw(folder)
    return composed(rate, [entry for entry in entries if entry.status != "left_out"], raw, reading.decoder)


def composed(rate: int, entries: Sequence[StoreEntry], raw: Sequence[RawEntry], decoder: str) -> Composition:
    """Return the composition of recordings in a store and in files."""
    stored_s, raw_s = (sum(entry.n_samples for entry in part) / rate for part in (entries, raw))
    return Composition(len(entries), len(raw), stored_s, raw_s, decoder)
