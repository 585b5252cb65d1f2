"""The artefact of the step ``pitch``: every segment at the rate of the vocoder, and the F0 of every unit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.array_files.npy_header import HEADER_BYTES, npy_header
from ossicle.artefacts.features.shard import open_array, shard_folder
from ossicle.artefacts.files import naming, whole_file
from ossicle.artefacts.filesystem.changes import make_folder, open_new
from ossicle.artefacts.typed.units.in_shards import TableInShards
from ossicle.artefacts.typed.units.sequences import rows_of

DTYPE = np.dtype("<f2")
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class SpeechFolder(TableInShards):
    """Samples of segments as float16 in one array for each shard, and a table of where each is and of its F0."""

    step: ClassVar[str] = "pitch"
    name: ClassVar[str] = "pitch"

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "segment_id": pl.String,
        "recording_id": pl.String,
        "shard": pl.String,
        "first_sample": pl.Int64,
        "n_samples": pl.Int64,
        "f0_hz": pl.List(pl.Float32),
        "left_out": pl.String,
    }
    """One row a segment: its shard, first sample and number of samples there, the F0 of each unit in Hz (0: unvoiced;
    no values if the vocoder has no pitch), and why it could not be read (empty: it could). Unit k has samples k * hop
    to (k + 1) * hop of its segment, which is where its frame is centred."""

    @property
    def arrays(self) -> Path:
        """The folder of the arrays."""
        return self.path / "speech"

    def array_file(self, shard: str) -> Path:
        """Return the file with the samples of a shard."""
        return shard_folder(self.arrays, shard) / f"{shard}.npy"

    @property
    def rate(self) -> int:
        """Samples a second."""
        return int(self.summary["rate"])

    def write_samples(self, shard: str, blocks: Iterable[NDArray[np.float32]]) -> int:
        """Write the samples of a shard, block by block, and return how many there are."""
        path, n = self.array_file(shard), 0
        make_folder(path.parent)
        with whole_file(path) as part, open_new(part) as handle, naming(path):
            handle.write(bytes(HEADER_BYTES))
            for block in blocks:
                handle.write(np.clip(block, -_LARGEST, _LARGEST).astype(DTYPE).data)
                n += len(block)
            handle.seek(0)
            handle.write(npy_header(DTYPE.str, (n,)))
        return n

    def samples_of_shard(self, shard: str, n_samples: int) -> NDArray[np.float16]:
        """Return the samples of a shard, mapped; raises ArtefactError if it does not have so many."""
        samples: NDArray[np.float16] = open_array(self.array_file(shard), DTYPE, (n_samples,))
        return samples

    def samples(self) -> Iterator[tuple[str, NDArray[np.float16]]]:
        """Yield each segment that could be read with its samples, mapped: pages are read when they are used."""
        rows = self.table.select("segment_id", "shard", "first_sample", "n_samples", "left_out")
        totals = dict(rows.group_by("shard").agg(pl.col("n_samples").sum()).iter_rows())
        arrays = {shard: self.samples_of_shard(shard, total) for shard, total in totals.items()}
        for segment_id, shard, first, n, left_out in rows.iter_rows():
            if not left_out:
                yield segment_id, arrays[shard][first : first + n]

    def f0_hz(self) -> dict[str, NDArray[np.float32]]:
        """Return the F0 of the units of each segment by its id; no values if the vocoder has no pitch."""
        return dict(zip(self.table["segment_id"].to_list(), rows_of(self.table["f0_hz"]), strict=True))

    @property
    def left_out(self) -> dict[str, str]:
        """The segments that could not be read, with the reason."""
        rows = self.table.filter(pl.col("left_out") != "").select("segment_id", "left_out")
        return dict(rows.iter_rows())

    def join_parts(self, shards: Sequence[str], summary: Mapping[str, Any]) -> None:
        """Write the table of all shards; the samples are there already.

        Its summary has rate, hop and origin, whether there is ``pitch``, and how many ``segments``, ``seconds``,
        ``units`` and ``voiced`` ones.
        """

        def whole(table: pl.DataFrame) -> dict[str, Any]:
            seconds = float(table["n_samples"].sum()) / int(summary["rate"])
            return {**summary, "segments": len(table), "seconds": seconds, **_voiced(table)}

        self._join(shards, whole)


def _voiced(table: pl.DataFrame) -> dict[str, int]:
    return table.select(
        units=pl.col("f0_hz").list.len().cast(pl.Int64).sum(),
        voiced=pl.col("f0_hz").list.eval(pl.element() > 0).list.sum().cast(pl.Int64).sum(),
    ).row(0, named=True)
