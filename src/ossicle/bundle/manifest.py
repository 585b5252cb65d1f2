"""``bundle.json`` as a value: parsed strictly and checked as a whole.

Keys: ``bundle_version`` (integer), ``name``, ``labels``, ``plan`` (``ChunkPlan``), ``front`` (``FrontEndSettings``),
``decisions`` (label to ``Decision``), ``provenance``, ``metrics``, ``split``, ``model`` (free objects;
``ossicle.bundle.card`` lists the keys used in the card) and ``files`` (name to ``sha256`` and ``bytes``). The following
keys are written only if they differ from the defaults, since the first versions lack them: ``pool`` (one of
``core.scores.pooling.POOLS``; ``mean`` makes decisions for whole recordings), ``calibration``
(``bundle.entries.score_maps``; maps for the scores of events), ``postprocess`` (``bundle.entries.postprocessing``),
``ensemble`` (``bundle.entries.ensembles``; then members have the graphs, ``plan`` is the joint plan and ``front`` that
of the member with the highest rate), ``encoder`` (``bundle.entries.encoder``; then ``front`` is not used),
``encoder_windows`` (``EncoderWindows``), ``states`` (``bundle.entries.state_decisions``; then ``decisions`` are not
used) and ``level`` (``LevelSettings``; then scores follow the level by the class models of ``level.safetensors``).
"""

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import file_digest
from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.entries.encoder import HEAD, encoder_plan_fault, read_encoder
from ossicle.bundle.entries.ensembles import EnsembleEntry, read_entry
from ossicle.bundle.entries.level import read_level
from ossicle.bundle.entries.postprocessing import postprocess_to_json, read_postprocess
from ossicle.bundle.entries.score_maps import maps_to_json, read_maps
from ossicle.bundle.entries.state_decisions import read_states, states_to_json
from ossicle.bundle.reading import Reader, parse_object, text_fault
from ossicle.core.decisions.decision import Decision
from ossicle.core.decisions.states import StateDecision
from ossicle.core.errors import BundleError
from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.encoder_windows import EncoderWindows
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.scores.pooling import MAX, POOLS
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.scores.score_map import ScoreMap

BUNDLE_VERSION = 1
MANIFEST = "bundle.json"
MODEL = "model.onnx"
WAVEFORM = "waveform.onnx"
WEIGHTS = "weights.safetensors"
SECOND_STAGE = "second_stage.safetensors"
CARD = "CARD.md"

# A bundle beyond these limits is a mistake or an attack; each is far above any model of this kind.
MAX_MANIFEST_BYTES = 8 << 20
MAX_FILE_BYTES = 2 << 30
_MAX_FILES = 32
_MAX_LABELS = 20_000
_MAX_LABEL_CHARACTERS = 200
_MAX_RATE = 1_000_000
_MAX_CHUNK_SAMPLES = 1 << 25
_MAX_CHUNK_VALUES = 1 << 26

# Front-end keys that the first manifests lack. They are written only if they differ from the defaults, so that older
# versions can read the bundles they can run, and reject the others by naming the key.
_LATER_FRONT_KEYS = frozenset({"scale", "preemphasis", "window_scale"})

# The same of the plan.
_LATER_PLAN_KEYS = frozenset({"channel"})

# The same of a decision.
_LATER_DECISION_KEYS = frozenset({"pick"})

_LATER_KEYS = frozenset(
    {"pool", "calibration", "postprocess", "ensemble", "encoder", "encoder_windows", "states", "level"}
)

# What changes the scores of events; states have rules of their own.
_ONLY_OF_EVENTS = ("pool", "calibration", "postprocess", "ensemble")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """Digest (SHA-256, 64 hexadecimal digits) and size of a file of the bundle."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle(BundleDescription):
    """A model with everything needed to run it; its files are in ``folder``."""

    folder: Path
    version: int
    files: Mapping[str, FileEntry]
    ensemble: EnsembleEntry | None = None

    def read_bytes(self, name: str) -> bytes:
        """Return the content of a listed file after comparing it with its digest; raises BundleError."""
        entry, path = self._entry(name), regular_file(self.folder / name)
        try:
            data = read_regular(path, entry.bytes)
        except OSError as error:
            raise BundleError(f"{path}: cannot be read ({error.strerror}): copy the bundle again") from None
        if len(data) != entry.bytes:
            raise BundleError(
                f"{path} does not have the {entry.bytes} bytes that {MANIFEST} says: copy the bundle again"
            )
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise BundleError(f"{path} differs from its digest in {MANIFEST}: copy the bundle again")
        return data

    def checked_path(self, name: str) -> Path:
        """Return the path of a listed file, compared with size and digest, for libraries that read files themselves.

        Raises BundleError for a file that is not listed, is a link, or differs.
        """
        entry, path = self._entry(name), regular_file(self.folder / name)
        size = path.stat().st_size
        if size != entry.bytes:
            raise BundleError(f"{path} has {size} bytes, {MANIFEST} says {entry.bytes}: copy the bundle again")
        if file_digest(path) != entry.sha256:
            raise BundleError(f"{path} differs from its digest in {MANIFEST}: copy the bundle again")
        return path

    def _entry(self, name: str) -> FileEntry:
        if name not in self.files:
            raise BundleError(f"bundle {self.folder} has no {name} (it has: {', '.join(sorted(self.files))})")
        return self.files[name]


def regular_file(path: Path) -> Path:
    """Return ``path`` if it is a regular file; raises BundleError for a link, which could lead out of the bundle."""
    if path.is_symlink():
        raise BundleError(f"{path} is a symbolic link: a bundle must contain its own files")
    if not path.is_file():
        raise BundleError(f"{path} is missing or not a regular file: copy the bundle again")
    return path


def parse(data: bytes, folder: Path) -> Bundle:
    """Parse and check the manifest in ``data``; raises BundleError naming file and key."""
    reader = parse_object(data, folder / MANIFEST)
    if "bundle_version" not in reader.value:
        raise reader.refuse("bundle_version", "is missing: this is not a bundle")
    version = reader.integer("bundle_version", 1, 1 << 31)
    if version > BUNDLE_VERSION:
        raise reader.refuse(
            "bundle_version", f"= {version} is newer than {BUNDLE_VERSION}, the newest known here: update Ossicle"
        )
    spelled = {spec.name for spec in dataclasses.fields(Bundle)} - {"folder", "version"}
    reader.only((spelled - (_LATER_KEYS - reader.value.keys())) | {"bundle_version"})
    labels = reader.texts("labels", _MAX_LABELS, _MAX_LABEL_CHARACTERS)
    decisions = reader.table("decisions")
    decisions.only(set(labels))
    bundle = Bundle(
        folder=folder,
        version=version,
        name=_safe_name(reader.text("name", 100), reader, "name"),
        labels=labels,
        plan=reader.settings("plan", ChunkPlan, _LATER_PLAN_KEYS),
        front=reader.settings("front", FrontEndSettings, _LATER_FRONT_KEYS),
        decisions={label: decisions.settings(label, Decision, _LATER_DECISION_KEYS) for label in labels},
        provenance=reader.free("provenance"),
        metrics=reader.free("metrics"),
        split=reader.free("split"),
        model=reader.free("model"),
        files=_files(reader.table("files"), _graphs_wanted(reader)),
        pool=_pool(reader),
        calibration=_calibration(reader, labels),
        postprocess=read_postprocess(reader.table("postprocess")) if "postprocess" in reader.value else Postprocess(),
        ensemble=_ensemble(reader),
        encoder=read_encoder(reader.table("encoder")) if "encoder" in reader.value else None,
        encoder_windows=_encoder_windows(reader),
        states=_states(reader, labels),
        level=read_level(reader),
    )
    _check_geometry(bundle, reader)
    return bundle


def manifest_of(bundle: Bundle) -> dict[str, Any]:
    """Return the content of ``bundle.json`` as plain values, the inverse of :func:`parse`."""
    return {
        "bundle_version": bundle.version,
        "name": bundle.name,
        "labels": list(bundle.labels),
        "plan": _without_defaults(bundle.plan, _LATER_PLAN_KEYS),
        "front": _without_defaults(bundle.front, _LATER_FRONT_KEYS),
        "decisions": {label: decision.to_plain() for label, decision in bundle.decisions.items()},
        "provenance": dict(bundle.provenance),
        "metrics": dict(bundle.metrics),
        "split": dict(bundle.split),
        "model": dict(bundle.model),
        "files": {name: dataclasses.asdict(entry) for name, entry in bundle.files.items()},
        **({} if bundle.pool == MAX else {"pool": bundle.pool}),
        **({"calibration": maps_to_json(bundle.calibration)} if bundle.calibration else {}),
        **({} if bundle.postprocess.does_nothing else {"postprocess": postprocess_to_json(bundle.postprocess)}),
        **({} if bundle.ensemble is None else {"ensemble": bundle.ensemble.to_json()}),
        **({} if bundle.encoder is None else {"encoder": bundle.encoder.to_json()}),
        **({} if bundle.encoder_windows is None else {"encoder_windows": dataclasses.asdict(bundle.encoder_windows)}),
        **({} if bundle.states is None else {"states": states_to_json(bundle.states)}),
        **({} if bundle.level is None else {"level": dataclasses.asdict(bundle.level)}),
    }


def _without_defaults(settings: ChunkPlan | FrontEndSettings, later: frozenset[str]) -> dict[str, Any]:
    """Return settings as plain values, without the ``later`` keys that have their default."""
    defaults = {spec.name: spec.default for spec in dataclasses.fields(settings)}
    values = dataclasses.asdict(settings)
    return {name: value for name, value in values.items() if name not in later or value != defaults[name]}


def label_fault(label: str) -> str:
    """Say why a label of annotations cannot be one of a bundle.

    Parameters
    ----------
    label
        The label.

    Returns
    -------
    str
        What is wrong with it and what to do; "" if a bundle can contain it.
    """
    if not (fault := text_fault(label, _MAX_LABEL_CHARACTERS)):
        return ""
    return f"the label {label!r} {fault}: a bundle cannot contain it; correct it in the annotation tables"


def is_plain_name(name: str) -> bool:
    """Return whether a bundle or one of its files may have this name: a single path part on every system.

    >>> is_plain_name("tapes-v1.2"), is_plain_name("../up"), is_plain_name("C:x"), is_plain_name("my tapes")
    (True, False, False, False)
    """
    return bool(_NAME.fullmatch(name)) and ".." not in name


def _pool(reader: Reader) -> str:
    pool = reader.text("pool", 20) if "pool" in reader.value else MAX
    if pool not in POOLS:
        raise reader.refuse("pool", f"= {pool!r} is not one of: {', '.join(POOLS)}")
    return pool


def _calibration(reader: Reader, labels: tuple[str, ...]) -> dict[str, ScoreMap]:
    if "calibration" not in reader.value:
        return {}
    maps = read_maps(reader.table("calibration"))
    strangers = [label for label in maps if label not in labels]
    if strangers:
        raise reader.refuse("calibration", f"maps the label {strangers[0]!r}, which the bundle does not have")
    return maps


def _ensemble(reader: Reader) -> EnsembleEntry | None:
    if "ensemble" not in reader.value:
        return None
    ensemble_reader = reader.table("ensemble")
    entry = read_entry(ensemble_reader)
    for member in entry.members:
        _safe_name(member.name, ensemble_reader, "members")
        if not _SHA256.fullmatch(member.sha256):
            raise ensemble_reader.refuse("members", f"has a sha256 of {member.name} that is not 64 hexadecimal digits")
    return entry


def _encoder_windows(reader: Reader) -> EncoderWindows | None:
    if "encoder_windows" not in reader.value:
        return None
    if "encoder" not in reader.value:
        raise reader.refuse("encoder_windows", "is for an encoder: a bundle without encoder cannot have it")
    return reader.settings("encoder_windows", EncoderWindows)


def _states(reader: Reader, labels: tuple[str, ...]) -> StateDecision | None:
    if "states" not in reader.value:
        return None
    for key in _ONLY_OF_EVENTS:
        if key in reader.value:
            raise reader.refuse(key, "is for events: a bundle with states cannot have it")
    return read_states(reader.table("states"), labels)


def _graphs_wanted(reader: Reader) -> tuple[str, ...]:
    """Return the graphs of which a bundle must have one; none for an ensemble, whose members have them."""
    if "ensemble" in reader.value and "encoder" in reader.value:
        raise reader.refuse("encoder", "belongs to the members of an ensemble, not to the ensemble")
    if "ensemble" in reader.value:
        return ()
    return (HEAD,) if "encoder" in reader.value else (MODEL, WAVEFORM)


def _safe_name(name: str, reader: Reader, key: str) -> str:
    if not is_plain_name(name):
        raise reader.refuse(key, f"{name!r} is not a plain name (letters, digits, '.', '_', '-'; no path)")
    return name


def _files(reader: Reader, graphs: tuple[str, ...]) -> dict[str, FileEntry]:
    if len(reader.value) > _MAX_FILES:
        raise BundleError(f"{reader.source}: files lists more than {_MAX_FILES}")
    entries = {}
    for name in reader.value:
        _safe_name(name, reader, "name")
        if name.lower() == MANIFEST:
            raise reader.refuse(name, "cannot list itself")
        entry = reader.table(name)
        entry.only({"sha256", "bytes"})
        sha256 = entry.text("sha256", 64)
        if not _SHA256.fullmatch(sha256):
            raise entry.refuse("sha256", "is not 64 hexadecimal digits")
        entries[name] = FileEntry(sha256, entry.integer("bytes", 0, MAX_FILE_BYTES))
    if len({name.lower() for name in entries}) < len(entries):
        raise BundleError(f"{reader.source}: files contains names that differ only in case")
    if graphs and not set(graphs) & entries.keys():
        missing = f"neither {graphs[0]} nor {graphs[1]}" if len(graphs) > 1 else f"no {graphs[0]}"
        raise BundleError(f"{reader.source}: files lists {missing}: there is nothing to run")
    return entries


def _check_geometry(bundle: Bundle, reader: Reader) -> None:
    plan, front = bundle.plan, bundle.front
    try:
        # The chunks of an ensemble are cut for its members, each with its own front end; an encoder has its own.
        frames = plan.chunk_frames if bundle.ensemble or bundle.encoder else framing(plan, front).n_frames
    except ValueError as error:
        raise reader.refuse("plan", f"does not fit front: {error}") from error
    if bundle.encoder is not None and (fault := encoder_plan_fault(bundle.encoder, plan, bundle.encoder_windows)):
        raise reader.refuse("plan", f"does not fit encoder: {fault}")
    for key, actual, most in (
        ("plan.rate", plan.rate, _MAX_RATE),
        ("plan (its chunk in samples)", plan.chunk_samples, _MAX_CHUNK_SAMPLES),
        ("plan (values of a chunk's spectrogram)", frames * front.n_mels, _MAX_CHUNK_VALUES),
        ("plan (values of a chunk's scores)", plan.chunk_frames * len(bundle.labels), _MAX_CHUNK_VALUES),
    ):
        if actual > most:
            raise reader.refuse(key, f"= {actual} is more than {most}, the accepted maximum")
