"""Embeddings of any audio file, and their tables for other tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.artefacts.files import write_json
from ossicle.artefacts.logs.noted_files import NotedFiles
from ossicle.artefacts.tables import write_table
from ossicle.audio.decoding.mono import MonoStream
from ossicle.audio.encoders.spec import Encoder, EncoderSpec
from ossicle.audio.encoders.windows import encode_recording
from ossicle.corpus.naming.table_names import table_places

ENCODER_FILE = "encoder.json"


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Embeddings of a file: float32 of shape (n, dim), with the stretch and the number in its window of each.

    ``partial`` says why the file was read in part only; empty if it was read whole. ``cancel_db`` is how many dB
    the mean of its channels lies below the loudest one (negative), in all or a part of it; None unless they cancel.
    """

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    token: NDArray[np.int32]
    values: NDArray[np.float32]
    partial: str = ""
    cancel_db: float | None = None


def embed_file(path: Path, encoder: Encoder, window_s: float, hop_s: float, channel: str) -> Embeddings:
    """Return the embeddings of the full windows of an audio file.

    Parameters
    ----------
    path
        The file.
    encoder
        The encoder.
    window_s, hop_s
        Length of a window, and distance between windows, in seconds.
    channel
        The channel to read, as in :mod:`ossicle.core.model_input.channel`.

    Raises
    ------
    AudioError
        The file cannot be read.
    """
    spec = encoder.spec
    window, hop = round(window_s * spec.rate), max(1, round(hop_s * spec.rate))
    stream = MonoStream(path, spec.rate, channel=channel)
    parts = [windows.embeddings[0] for windows in encode_recording(stream, encoder, window, hop)]
    values = np.concatenate(parts) if parts else np.zeros((0, 1, spec.dim), np.float32)
    n, tokens = values.shape[:2]
    begin = np.arange(n)[:, None] * hop / spec.rate
    if spec.one_token:
        start, end = begin, begin + window / spec.rate
    else:
        centres = begin + spec.origin_s + np.arange(tokens)[None] * spec.hop_s
        start, end = centres - spec.hop_s / 2, centres + spec.hop_s / 2
    number = np.broadcast_to(np.arange(tokens, dtype=np.int32), (n, tokens))
    report = stream.report
    partial = report.reason if report.status == "partial" else ""
    flat = values.reshape(-1, spec.dim)
    return Embeddings(start.ravel(), end.ravel(), number.ravel(), flat, partial, report.cancel_db)


class EmbeddingTables:
    """The tables of one output folder: one for each recording, and the description of the encoder.

    Parameters
    ----------
    out
        The folder.
    names
        All recordings, since those with equal stems are told apart by their suffixes.

    Raises
    ------
    UsageError
        The folder holds files of these names that were not written here, or were changed afterwards.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder, self._noted = folder, NotedFiles(folder)
        self._tables = {name: f"{place.as_posix()}.parquet" for name, place in table_places(names).items()}
        self._noted.refuse([ENCODER_FILE, *self._tables.values()])

    def write(self, name: str, file_embeddings: Embeddings) -> Path:
        """Write the embeddings of a recording and return the table: file, start_s, end_s, token, embedding."""
        path = self._folder / self._tables[name]
        columns = {
            "file": pl.Series([name] * len(file_embeddings.values), dtype=pl.String),
            "start_s": pl.Series(file_embeddings.start_s, dtype=pl.Float64),
            "end_s": pl.Series(file_embeddings.end_s, dtype=pl.Float64),
            "token": pl.Series(file_embeddings.token, dtype=pl.Int32),
            "embedding": pl.Series(file_embeddings.values, dtype=pl.Array(pl.Float32, file_embeddings.values.shape[1])),
        }
        with self._noted.writing(path) as part:
            write_table(part, pl.DataFrame(columns), ["file", "start_s", "token"])
        return path

    def write_encoder(self, spec: EncoderSpec, window_s: float, hop_s: float) -> None:
        """Write the description of the encoder and of the windows."""
        with self._noted.writing(self._folder / ENCODER_FILE) as part:
            write_json(part, {**spec.to_json(), "window_s": window_s, "hop_from_window_s": hop_s})
