"""The content of ``bundle.json`` as attributes of a bundle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ossicle.app.project.bundle_places import bundle_folder
from ossicle.bundle import format as bundle_format
from ossicle.bundle.manifest import CARD, SECOND_STAGE, Bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.scores.pooling import MAX
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.scores.score_map import ScoreMap
from ossicle.core.value_checks import given_path
from ossicle.inference.batch import PathLike


class BundleFacts:
    """Facts about a bundle; ``manifest`` is all of ``bundle.json`` as a checked value.

    Parameters
    ----------
    manifest
        What ``ossicle.read_bundle`` returns.
    """

    def __init__(self, manifest: Bundle) -> None:
        self.manifest = manifest

    @property
    def folder(self) -> Path:
        """The folder of the bundle."""
        return self.manifest.folder

    @property
    def name(self) -> str:
        """The name of the bundle, such as ``tapes-v1``."""
        return self.manifest.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the bundle detects."""
        return self.manifest.labels

    @property
    def plan(self) -> ChunkPlan:
        """The grid on which it reads a recording: hop, chunk length and context, in samples and frames."""
        return self.manifest.plan

    @property
    def rate(self) -> int:
        """The sample rate that the model reads, in Hz; recordings of other rates are resampled."""
        return self.manifest.plan.rate

    @property
    def top_hz(self) -> float:
        """The highest frequency that the model reads, in Hz; a recording at a lower rate than twice that lacks some."""
        return self.rate / 2 if self.manifest.encoder is not None else self.manifest.front.fmax_hz

    @property
    def hop_s(self) -> float:
        """Seconds from one score to the next."""
        return self.manifest.plan.hop_s

    @property
    def latency_s(self) -> float:
        """Seconds from the start of a chunk until a stream can score it."""
        return self.manifest.plan.latency_s

    @property
    def decisions(self) -> Mapping[str, Decision]:
        """How the scores of each label become events."""
        return self.manifest.decisions

    @property
    def front(self) -> FrontEndSettings:
        """The settings that turn a waveform into a spectrogram.

        For an ensemble these are the settings of the member with the highest sample rate.
        """
        return self.manifest.front

    @property
    def postprocess(self) -> Postprocess:
        """What is applied to scores before the decision: a kernel over adjacent frames, a prior of the recording."""
        return self.manifest.postprocess

    @property
    def calibration(self) -> Mapping[str, ScoreMap]:
        """The map from score to probability of each label; empty if scores are not calibrated."""
        return self.manifest.calibration

    @property
    def whole_recordings(self) -> bool:
        """Whether it decides on whole recordings: at most one event for each label, from start to end."""
        return self.manifest.pool != MAX

    @property
    def gives_states(self) -> bool:
        """Whether it knows states (on, off, unknown), by ``LoadedBundle.states``, and not events."""
        return self.manifest.states is not None

    @property
    def calibrated(self) -> bool:
        """Whether the scores of events are calibrated probabilities."""
        return bool(self.manifest.calibration)

    @property
    def has_second_stage(self) -> bool:
        """Whether a second model re-scores each event from its acoustic features."""
        return SECOND_STAGE in self.manifest.files

    @property
    def members(self) -> tuple[str, ...]:
        """The names of an ensemble's members; empty for a single model."""
        return () if self.manifest.ensemble is None else tuple(member.name for member in self.manifest.ensemble.members)

    @property
    def streams(self) -> bool:
        """Whether :meth:`stream` works: it does not with a prior, which needs the whole recording."""
        return not self.manifest.postprocess.needs_whole

    @property
    def figures(self) -> tuple[Mapping[str, Any], ...]:
        """Figures of the bundle: each with ``name``, ``value``, its ``basis``, and optional ``low``, ``high`` and
        ``label``.

        The basis says which data it was evaluated on, such as ``cross-fitted`` or ``in-sample``.
        """
        entries = self.manifest.metrics.get("figures")
        return tuple(entry for entry in entries if isinstance(entry, Mapping)) if isinstance(entries, list) else ()

    @property
    def noise_gate(self) -> str:
        """``passed``, ``refused`` (it fires on sound without events), or empty if the noise gate was not run."""
        verdict = self.manifest.metrics.get("gate")
        return verdict if verdict in ("passed", "refused") else ""

    @property
    def split(self) -> Mapping[str, Any]:
        """How the recordings were split for training and evaluation."""
        return self.manifest.split

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The origin of the bundle: run, versions, data; and what ``ossicle export`` added."""
        return self.manifest.provenance

    @property
    def licence(self) -> str:
        """The licence of the model if its provenance names one; else empty."""
        text = self.provenance.get("licence", self.provenance.get("license", ""))
        return text if isinstance(text, str) else ""

    @property
    def card(self) -> str:
        """The model card, Markdown: what the bundle is, its figures, and how it decides; empty if there is none."""
        return self.manifest.read_bytes(CARD).decode() if CARD in self.manifest.files else ""


def read_bundle(folder: PathLike) -> Bundle:
    """Read ``bundle.json`` of a bundle and compare every listed file with its size and digest.

    Parameters
    ----------
    folder
        The folder of the bundle, or ``registry:NAME@current`` of a promoted one.

    Returns
    -------
    Bundle
        What ``bundle.json`` says, as a checked value. ``ossicle.load_bundle`` also makes it ready to run.

    Raises
    ------
    BundleError
        The bundle is damaged, unsafe or of an unsupported version.
    UsageError
        There is no such registry, name or version.
    ValueError
        ``folder`` is not a path, or empty.

    Examples
    --------
    >>> bundle = read_bundle("tests/data/bundles/0.1.0/bundle")
    >>> bundle.labels, bundle.plan.rate
    (('call', 'Zaunkönig'), 8000)
    """
    return bundle_format.read_bundle(bundle_folder(given_path("folder", folder)))
