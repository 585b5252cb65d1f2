"""What is fuzzed: every reader of a file that a stranger may have made, as a function of bytes.

A reader may return, or raise an error of Ossicle that names the file. Anything else is a defect: another exception, a
hang, or memory without bound. Inputs that ever failed are kept in ``seeds``; ``test_seeds.py`` reads them in every run
of the tests, and ``search.py`` looks for new ones.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ossicle.app.api.states.expected_states import read_expected
from ossicle.app.api.units.unit_files import UnitFileSpec, read_units
from ossicle.app.cli.compare.score_files import read_score_set
from ossicle.app.jobs.job import read_plan
from ossicle.app.jobs.modal.orders import read_order
from ossicle.app.project.load import load_project
from ossicle.app.remote.records import read_records
from ossicle.artefacts.array_files.arrays import arrays_from_bytes
from ossicle.artefacts.array_files.blocks import read_track
from ossicle.artefacts.features.entries import read_shard_index
from ossicle.artefacts.files import read_json
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import read_run_log
from ossicle.artefacts.tables import read_table
from ossicle.audio.containers.layout import layout_of
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.probe import SUFFIXES as AUDIO_SUFFIXES
from ossicle.audio.probe import probe
from ossicle.bundle.entries.ensembles import read_ranks
from ossicle.bundle.manifest import parse
from ossicle.bundle.registry.ledger import read_ledger
from ossicle.bundle.registry.version import Version
from ossicle.bundle.runtimes.onnx_scan import require_safe_graph
from ossicle.core.errors import ArtefactError, BundleError
from ossicle.core.scores.combination import Combination
from ossicle.core.scores.level_model import level_model_of
from ossicle.corpus.downloads.settings import FetchSettings
from ossicle.corpus.downloads.table import read_fetch_table
from ossicle.corpus.formats.dcase import read_durations
from ossicle.corpus.formats.registry import FORMATS, ReadOptions, guess
from ossicle.corpus.formats.segment_table import read_segments
from ossicle.corpus.indexing.examining.recorder_fields import recorder_fields
from ossicle.corpus.indexing.metadata_table import MetadataSettings, read_metadata
from ossicle.corpus.review.rounds import read_round
from ossicle.inference.second_stage.file import read_second_stage
from ossicle.units.quantiser_files import QuantiserFolder, read_quantiser

from .corpus_targets import corrections, events, labels, names, projects, separators
from .damaged_audio import damaged_audio
from .reading import Reader, read_or_refuse, written

_NAMES = ("a.wav", "b/a.flac", "c.wav")


def tables(content: bytes, folder: Path) -> None:
    """Give a text to every reader of tables; the first byte picks the suffix."""
    path = written(content, folder, (".txt", ".csv", ".tsv"))
    readers: list[Reader] = [
        guess,
        read_durations,
        lambda place: read_metadata(place, _NAMES, MetadataSettings()),
        lambda place: read_fetch_table(place, FetchSettings()),
        lambda place: read_expected(place, ("ac", "fridge")),
        read_segments,
    ]
    known = [one.read for one in FORMATS.values() if one.read is not None and path.suffix in one.suffixes]
    for read in [*readers, *(lambda place, read=read: read(place, ReadOptions()) for read in known)]:
        read_or_refuse(read, path)


def parquet(content: bytes, folder: Path) -> None:
    """Give bytes to the readers of Parquet: tables of a user, and artefacts."""
    path = written(b"\0" + content, folder, (".parquet",))
    for read in (guess, read_table, read_segments, lambda place: FORMATS["parquet"].read(place, ReadOptions())):
        read_or_refuse(read, path)


def audio(content: bytes, folder: Path) -> None:
    """Give bytes to the readers of headers and endings, and decode up to ten seconds of what they take for sound."""
    path = written(content, folder, tuple(sorted(AUDIO_SUFFIXES)))
    for read in (layout_of, probe, recorder_fields, _ten_seconds):
        read_or_refuse(read, path)


def manifest(content: bytes, folder: Path) -> None:
    """Give bytes to the reader of ``bundle.json``."""
    read_or_refuse(lambda place: parse(content, place), folder / "bundle.json")


def ensembles(content: bytes, folder: Path) -> None:
    """Give bytes to the readers of what ensembles and followed levels add to a bundle."""
    combination = Combination(rule="rank", weights=(1.0, 1.0))
    read_or_refuse(lambda place: read_ranks(content, place, combination, 2), folder / "ranks.safetensors")
    with suppress(ArtefactError, ValueError):
        level_model_of(arrays_from_bytes(content, "level.safetensors")[0], 3, 2)


def arrays(content: bytes, folder: Path) -> None:
    """Give bytes to the readers of safetensors and of the second stage."""
    path = folder / "second_stage.safetensors"
    read_or_refuse(lambda place: arrays_from_bytes(content, str(place)), path)
    read_or_refuse(lambda place: read_second_stage(content, place), path)


def onnx(content: bytes, folder: Path) -> None:
    """Give bytes to the scan of ONNX graphs."""
    read_or_refuse(lambda place: require_safe_graph(content, str(place)), folder / "model.onnx")


def project(content: bytes, folder: Path) -> None:
    """Give bytes to the reader of project files."""
    path = folder / "ossicle.toml"
    path.write_bytes(content)
    read_or_refuse(load_project, path)


def records(content: bytes, folder: Path) -> None:
    """Give bytes to the readers of journals, logs, job plans, ledgers, review rounds and plain JSON."""
    for name, read in (
        ("journal.jsonl", Journal),
        ("log.jsonl", read_run_log),
        ("job.json", read_plan),
        ("order.json", read_order),
        ("ledger.jsonl", read_ledger),
        ("sent.jsonl", lambda place: read_records(place.read_bytes())),
        ("round-1.json", read_round),
        ("some.json", read_json),
        ("shard.json", read_shard_index),
        ("checksums.json", lambda place: _verify(place.parent)),
    ):
        path = folder / name
        path.write_bytes(content)
        read_or_refuse(read, path)


def track(content: bytes, folder: Path) -> None:
    """Give bytes to the reader of score tracks: the first line is the record beside the array."""
    beside, _, array = content.partition(b"\n")
    (folder / "t.json").write_bytes(beside)
    (folder / "t.npy").write_bytes(array)
    read_or_refuse(read_track, folder / "t")


def scores(content: bytes, folder: Path) -> None:
    """Give bytes to the reader of a folder of score tables."""
    path = folder / "a.tsv"
    path.write_bytes(content)
    read_or_refuse(lambda place: read_score_set(place.parent), path)


def units(content: bytes, folder: Path) -> None:
    """Give bytes to the readers of unit files; the first byte picks the form."""
    path = written(content, folder, (".json", ".jsonl", ".txt"))
    for runs in (False, True):
        read_or_refuse(
            lambda place, runs=runs: list(read_units(place, UnitFileSpec(8, "0" * 64, 0.02), runs=runs)), path
        )


def quantiser(content: bytes, folder: Path) -> None:
    """Give bytes to the reader of quantisers: the first line is the description, the rest the arrays."""
    described, _, arrays = content.partition(b"\n")
    place = QuantiserFolder(folder / "quantiser")
    place.arrays_file.parent.mkdir(exist_ok=True)
    place.description_file.write_bytes(described)
    place.arrays_file.write_bytes(arrays)
    read_or_refuse(read_quantiser, place.arrays_file.parent)


TARGETS: Mapping[str, Callable[[bytes, Path], None]] = {
    one.__name__: one
    for one in (
        *(tables, parquet, audio, manifest, arrays, ensembles, onnx, project, records, track, scores, units, quantiser),
        *(labels, projects, separators, events, corrections, names, damaged_audio),
    )
}


def _verify(version: Path) -> None:
    """Verify a version of the registry; the damaged file that it names may be another than its checksums."""
    with suppress(BundleError):
        Version("x", 1, version).verify()


def _ten_seconds(path: Path) -> None:
    source = AudioSource(path)
    for _ in source.blocks(n_samples=10 * source.info.rate):
        pass
