"""How much of what a training reads comes from the store, and how much from files."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ossicle.audio.store.entries import RawEntry, StoreEntry, read_index, read_raw


@dataclass(frozen=True, slots=True)
class Composition:
    """Recordings and seconds that come from the store, and that are read raw; the decoder that reads those."""

    stored: int
    raw: int
    stored_s: float
    raw_s: float
    decoder: str

    @property
    def share(self) -> float:
        """The share of the recordings that comes from the store; 1 of none."""
        return self.stored / (self.stored + self.raw) if self.stored + self.raw else 1.0

    @property
    def line(self) -> str:
        """It in a line."""
        hours = (self.stored_s + self.raw_s) / 3600
        share = 100 * self.stored_s / (self.stored_s + self.raw_s) if hours else 100.0
        return (
            f"recordings: {self.stored} from the store, {self.raw} raw ({share:.0f} % of {hours:.2f} h from the store)"
        )

    @property
    def warning(self) -> str:
        """What to think of where under half of the recordings come from the store; else empty."""
        if self.share >= 0.5:
            return ""
        return (
            f"warning: under half of the recordings ({100 * self.share:.0f} %) come from the store, and reading the "
            "others from their files takes tens of times longer; let more in ([store] raw, only_biggest, longer_s, "
            "leave_gb) and build it again (ossicle store build --force)"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "stored_s": round(self.stored_s, 3), "raw_s": round(self.raw_s, 3)}


def composition(folder: Path) -> Composition:
    """The composition of a store folder; raises ArtefactError where it is none."""
    rate, entries = read_index(folder)
    how, raw = read_raw(folder)
    return composed(rate, [one for one in entries if one.status != "left_out"], raw, how.decoder)


def composed(rate: int, entries: Sequence[StoreEntry], raw: Sequence[RawEntry], decoder: str) -> Composition:
    """The composition of what is in a store and what is not."""
    stored_s, raw_s = (sum(one.n_samples for one in part) / rate for part in (entries, raw))
    return Composition(len(entries), len(raw), stored_s, raw_s, decoder)
