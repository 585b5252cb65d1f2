"""All settings of a project: each table of ``ossicle.toml`` is a class that its package defines."""

from collections.abc import Mapping
from dataclasses import replace

from ossicle.app.project.encoder_conflicts import refuse_beside_encoder
from ossicle.app.project.tables.benchmark import BenchmarkSettings
from ossicle.app.project.tables.ensemble import EnsembleSettings
from ossicle.app.project.tables.modal import ModalSettings
from ossicle.app.project.tables.placement import JobsSettings
from ossicle.audio.encoders.feature_settings import FeatureSettings
from ossicle.audio.encoders.settings import ACOUSTIC, BEATS, EncoderSettings
from ossicle.audio.encoders.settings import NONE as NO_ENCODER
from ossicle.audio.pitch.settings import PitchSettings
from ossicle.audio.segmentation.settings import SegmentSettings
from ossicle.audio.store_settings import StoreSettings
from ossicle.bundle.manifest import is_plain_name
from ossicle.bundle.registry.settings import RegistrySettings
from ossicle.core.decisions.state_settings import StatesSettings
from ossicle.core.model_input.channel import AudioSettings
from ossicle.core.model_input.chunks import ChunkPlan, ChunkSettings, framing
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.settings import setting, settings
from ossicle.core.time import nearest_frames
from ossicle.core.value_checks import MOST_THREADS
from ossicle.corpus.clips.settings import DatasetSettings
from ossicle.corpus.downloads.settings import FetchSettings
from ossicle.corpus.health.gates.settings import HealthSettings
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.corpus.splits.folds import SplitSettings
from ossicle.evaluation.gates.settings import ProbeGateSettings, PromotionSettings
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.evaluation.units.resynthesis.settings import ResynthesisSettings
from ossicle.evaluation.units.settings import QualitySettings
from ossicle.export.settings import ExportSettings
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.inference.states.fit_settings import StateFitSettings
from ossicle.metrics.calibration.out_of_fold import NONE, CalibrationSettings
from ossicle.metrics.noise.noise_gate import NoiseGateSettings
from ossicle.models.heads.settings import HeadSettings
from ossicle.models.model_kinds import EMBEDDINGS, ENCODED_CLIPS, ModelKind
from ossicle.models.settings import AugmentSettings, ModelSettings
from ossicle.report.settings import ReportSettings
from ossicle.training.second_stage.settings import SecondStageSettings
from ossicle.training.settings import TrainingSettings
from ossicle.training.tracking.settings import TrackingSettings
from ossicle.training.vocoder.settings import VocoderSettings
from ossicle.units.kmeans.settings import QuantiserSettings
from ossicle.units.motif_settings import MotifSettings

STATES = "states"
"""The pipeline of labels that are on, off or unknown over time."""

WITHOUT_FIGURES = frozenset(
    {"benchmark", "ensemble", "export", "fetch", "health", "jobs", "modal", "project", "promotion", "registry"}
    | {"report", "roots", "store", "tracking"}
)
"""Tables that shape no figure and have their effect elsewhere: on the page, in an export, on where a step runs."""


@settings
class ProjectTable:
    """``[project]``: the name, and where results go."""

    name: str = setting(default="detector", help="name of the project and of its bundle")
    pipeline: str = setting(
        default="detector",
        help="name of the pipeline, the steps of this kind of project; set by the recipe",
        digest=False,
    )
    data_root: str = setting(
        default="data", help="folder for the outputs of all steps, relative to the project file", digest=False
    )
    workers: int = setting(
        default=2, help="number of threads or processes that read audio", ge=1, le=MOST_THREADS, digest=False
    )

    def __post_init__(self) -> None:
        """Reject a name that no bundle can have, before training starts."""
        if not is_plain_name(self.name):
            raise ValueError(f"name = {self.name!r} is not a plain name (letters, digits, '.', '_', '-'; no path)")


@settings
class ProjectSettings:
    """All settings of a project file."""

    corpus: CorpusSettings = setting(help="recordings and annotations")
    roots: Mapping[str, tuple[str, ...]] = setting(
        default={},
        help="folders of recordings by the name of their root, the source of an event in a manifest: they are searched "
        "in this order, after those of the environment variable OSSICLE_ROOT_NAME and before `corpus.audio`",
        digest=False,
    )
    project: ProjectTable = setting(default=ProjectTable(), help="name and places")
    fetch: FetchSettings = setting(default=FetchSettings(), help="recordings to download first (`ossicle fetch`)")
    health: HealthSettings = setting(default=HealthSettings(), help="limits of the gates of `ossicle dataset health`")
    split: SplitSettings = setting(default=SplitSettings(), help="groups and folds")
    dataset: DatasetSettings = setting(default=DatasetSettings(), help="targets and noise")
    audio: AudioSettings = setting(default=AudioSettings(), help="which channel of a recording is heard")
    store: StoreSettings = setting(default=StoreSettings(), help="recordings decoded once, and how to read the others")
    frontend: FrontEndSettings = setting(default=FrontEndSettings(), help="waveform to spectrogram")
    chunks: ChunkSettings = setting(default=ChunkSettings(), help="how recordings are divided into chunks")
    segments: SegmentSettings = setting(default=SegmentSettings(), help="stretches of sound between silences (units)")
    encoder: EncoderSettings = setting(
        default=EncoderSettings(),
        help="waveform to embeddings (`ossicle features`); projects that judge whole recordings train a head on them",
    )
    features: FeatureSettings = setting(default=FeatureSettings(), help="windows that are encoded once and kept")
    quantiser: QuantiserSettings = setting(default=QuantiserSettings(), help="frames to acoustic units, by k-means")
    motifs: MotifSettings = setting(default=MotifSettings(), help="sequences of units to motifs (units)")
    model: ModelSettings = setting(default=ModelSettings(), help="network")
    head: HeadSettings = setting(default=HeadSettings(), help="the small network on top of an encoder")
    augment: AugmentSettings = setting(default=AugmentSettings(), help="augmentation")
    training: TrainingSettings = setting(default=TrainingSettings(), help="training")
    tracking: TrackingSettings = setting(default=TrackingSettings(), help="where the figures of every epoch go")
    pseudo: PseudoSettings = setting(
        default=PseudoSettings(), help="unlabelled recordings, labelled by the models (`ossicle pseudo`)"
    )
    postprocess: Postprocess = setting(default=Postprocess(), help="processing of scores before the decision")
    decision: DecisionGrid = setting(default=DecisionGrid(), help="thresholds and other decision settings to try")
    states: StatesSettings = setting(default=StatesSettings(), help="labels that are on, off or unknown over time")
    state_decision: StateFitSettings = setting(
        default=StateFitSettings(), help="rules for states to try, and what they must reach"
    )
    calibration: CalibrationSettings = setting(default=CalibrationSettings(), help="scores to probabilities")
    second_stage: SecondStageSettings = setting(
        default=SecondStageSettings(), help="re-scoring of events from their acoustic features"
    )
    pitch: PitchSettings = setting(default=PitchSettings(), help="the melody of speech, for a vocoder (units)")
    vocoder: VocoderSettings = setting(
        default=VocoderSettings(), help="units back to sound; without `preset` no vocoder is trained (units)"
    )
    quality: QualitySettings = setting(default=QualitySettings(), help="how units are judged against words (units)")
    resynthesis: ResynthesisSettings = setting(
        default=ResynthesisSettings(), help="how a vocoder is judged on held-out recordings (units)"
    )
    evaluation: EvaluationSettings = setting(default=EvaluationSettings(), help="criteria and intervals of the figures")
    noise_gate: NoiseGateSettings = setting(default=NoiseGateSettings(), help="limits of the noise gate")
    export: ExportSettings = setting(default=ExportSettings(), help="limits and data of `ossicle export`")
    report: ReportSettings = setting(default=ReportSettings(), help="the report page")
    ensemble: EnsembleSettings = setting(default=EnsembleSettings(), help="several variants combined into one detector")
    jobs: JobsSettings = setting(default=JobsSettings(), help="where each step runs, and with which resources")
    modal: ModalSettings = setting(default=ModalSettings(), help="volume and containers of jobs on Modal")
    promotion: PromotionSettings = setting(default=PromotionSettings(), help="what `ossicle promote` requires of a run")
    probe_gate: ProbeGateSettings = setting(
        default=ProbeGateSettings(), help="what a warm-up must reach before the training that starts from it"
    )
    registry: RegistrySettings = setting(default=RegistrySettings(), help="where promoted bundles are kept")
    benchmark: BenchmarkSettings = setting(default=BenchmarkSettings(), help="evaluation on a separate corpus")

    def __post_init__(self) -> None:
        """Reject networks that cannot read the chunks, and windows without enough frames of the front end."""
        self.motifs.refuse_beside(self.quantiser.k)
        if self.second_stage.kind != NONE and not self.postprocess.does_nothing:
            raise ValueError(
                "second_stage.kind: a second stage needs the unchanged scores of the model, but [postprocess] "
                "changes them; remove one of the two"
            )
        judged = self.evaluation.kind
        if self.second_stage.kind != NONE and (judged.momentary or not judged.timed):
            raise ValueError(
                "second_stage.kind: a second stage evaluates events by their times, but evaluation.criterion = "
                f'"{self.evaluation.criterion}" evaluates {self.evaluation.kind.what}; remove one of the two'
            )
        if self.second_stage.kind != NONE and self.calibration.kind != NONE:
            raise ValueError(
                f"calibration.kind = {self.calibration.kind!r}: the scores of a second stage are already "
                "probabilities; remove one of the two"
            )
        self._refuse_choices_on_test()
        self._refuse_stage_two()
        self._refuse_followed_level()
        kind = self.kind
        if kind.reads == EMBEDDINGS:
            refuse_beside_encoder(
                encoder=self.encoder.name,
                features=self.features,
                chunks=self.chunks,
                model=self.model,
                training=self.training,
                pseudo=self.pseudo,
                split=self.split,
            )
            return
        if self.training.pretrained and not kind.pretrainable:
            raise ValueError(
                f"training.pretrained = {self.training.pretrained!r}: only timm networks have pretrained weights; "
                'set model.name = "window", or remove it'
            )
        windows = self.chunks.window_s > 0
        if windows and not kind.windows:
            raise ValueError(kind.against_windows.format(name=self.model.name, window_s=self.chunks.window_s))
        if not windows and kind.windows:
            raise ValueError(f"model.name = {self.model.name!r} scores windows: set chunks.window_s and chunks.step_s")
        try:
            plan = self.plan
        except ValueError as error:
            raise ValueError(f"chunks.{error}") from None
        if self.augment.stretches_time and not framing(plan, self.frontend).shared:
            raise ValueError(
                "augment.time_low, time_high: windows of an exact step have no time axis to stretch; set both to 1, "
                "or remove chunks.exact_step"
            )
        self._refuse_augmentation(plan)
        if self.features.cache:
            self._refuse_beside_cache(plan)

    def _refuse_choices_on_test(self) -> None:
        """Reject what is kept or not by figures of all held-out folds, where test must choose nothing."""
        folds = (0, 1)
        if self.split.kind.evaluated_folds(folds) == list(folds) or self.split.kind.divides_clips:
            return
        for key, kind in (("second_stage", self.second_stage.kind), ("calibration", self.calibration.kind)):
            if kind != NONE:
                raise ValueError(
                    f"{key}.kind = {kind!r} is kept only where it improves figures of all held-out recordings, but "
                    f'split.strategy = "{self.split.strategy}" keeps test for the last figures: remove one of the two, '
                    'or set split.strategy = "grouped"'
                )

    def _refuse_stage_two(self) -> None:
        """Reject blocks to train where the encoder has none, or the model is not trained on its features."""
        if self.head.unfreeze_blocks == 0:
            return
        stated = f"head.unfreeze_blocks = {self.head.unfreeze_blocks}"
        if self.encoder.name != BEATS:
            raise ValueError(
                f'{stated}: only the encoder "{BEATS}" has blocks to train, and encoder.name = "{self.encoder.name}"; '
                "set it to 0, or choose that encoder"
            )
        if self.encoder.layer != -1:
            raise ValueError(
                f"{stated} trains the last blocks, and encoder.layer = {self.encoder.layer} leaves them out; set "
                "one of the two back (0, -1)"
            )
        if self.kind.reads == EMBEDDINGS:
            raise ValueError(
                f"{stated}: stage 2 is for states (recipe appliances), not for heads on whole recordings; set it to 0"
            )

    def _refuse_followed_level(self) -> None:
        """Reject scores that should follow the level where nothing would."""
        if not self.head.level.follow:
            return
        if self.project.pipeline != STATES:
            raise ValueError(
                "head.level.follow = true: only scores of states follow the level (recipe appliances), and "
                f'project.pipeline = "{self.project.pipeline}"; set it to false'
            )
        if self.encoder.name != ACOUSTIC:
            raise ValueError(
                f'head.level.follow = true: only the values of the encoder "{ACOUSTIC}" can follow the level, and '
                f'encoder.name = "{self.encoder.name}"; set it to false, or choose that encoder'
            )

    def _refuse_augmentation(self, plan: ChunkPlan) -> None:
        """Reject augmentation that would make training sound unlike the sound read later, or change nothing."""
        augment, early = self.augment, self.augment.early
        if augment.normalise != "none" and not self.model.own.level_free:
            raise ValueError(
                f'augment.normalise = "{augment.normalise}" scales training crops to full scale, but recordings are '
                'not scaled later: this needs a network that ignores levels (model.name = "window" with '
                'model.window.normalise = "minmax" or "peak"); set augment.normalise = "none"'
            )
        if early.shift_probability > 0 and plan.overlaps and early.shift_s < plan.hop_s:
            raise ValueError(
                f"augment.early.shift_s = {early.shift_s:g} s is shorter than a frame ({plan.hop_s:g} s), and "
                "overlapping frames can only be moved by whole frames: set a larger value, or "
                "augment.early.shift_probability = 0"
            )
        if early.shift_probability > 0 and plan.overlaps and plan.chunk_frames == 1:
            raise ValueError(
                "augment.early.shift_probability: a chunk of one frame with context cannot be shifted; set a longer "
                "chunks.core_s, or augment.early.shift_probability = 0"
            )

    def _refuse_beside_cache(self, plan: ChunkPlan) -> None:
        """Reject what kept spectrograms make impossible, instead of ignoring it."""
        if not framing(plan, self.frontend).shared:
            raise ValueError(
                "features.cache = true: windows of an exact step share no spectrogram; remove it or chunks.exact_step"
            )
        if self.pseudo.audio:
            raise ValueError(
                f"features.cache = true: pseudo.audio = {self.pseudo.audio!r} brings waveforms of other recordings; "
                "remove one of the two"
            )
        if waveform_settings := self.augment.of_waveforms:
            raise ValueError(
                "features.cache = true: kept spectrograms cannot be augmented as waveforms; set "
                + ", ".join(f"augment.{key}" for key in waveform_settings)
                + ", or features.cache = false"
            )

    @property
    def kind(self) -> ModelKind:
        """The declared kind of model: with an encoder, projects that judge recordings as a whole train a head."""
        named = self.encoder.name != NO_ENCODER and not self.evaluation.kind.timed
        return ENCODED_CLIPS if named else self.model.kind

    @property
    def clip_hops(self) -> int:
        """Hops of the features in a clip that a head reads: as long as a window of chunks and one of the features."""
        return self.features.clip_hops(max(self.chunks.window_s, self.features.window_s))

    @property
    def clip_s(self) -> float:
        """Length in seconds of the clips whose embeddings a head reads."""
        return self.clip_hops * self.features.hop_s

    @property
    def windows_in_words(self) -> str:
        """What the model reads at a time; empty for a frame-wise network."""
        if self.kind.reads != EMBEDDINGS:
            return self.chunks.in_words(self.frontend)
        features = self.features
        inside = features.hops_within(self.clip_s - features.window_s) + 1
        windows = f"{inside} windows of {features.window_s:g} s" if inside > 1 else f"one of {features.window_s:g} s"
        return f"clips of {self.clip_s:g} s, {windows} each, read by the encoder {self.encoder.name!r}"

    @property
    def plan(self) -> ChunkPlan:
        """The chunk plan of the model; an encoder reads the same seconds at its own rate."""
        if self.kind.reads == EMBEDDINGS:
            n_samples = 2 * nearest_frames(self.clip_s, 2 / self.frontend.rate)
            return ChunkPlan(
                rate=self.frontend.rate,
                hop_samples=n_samples,
                window_samples=n_samples,
                core_frames=1,
                context_frames=0,
                channel=self.audio.name,
            )
        plan = self.chunks.plan(self.frontend, self.model.kind.joined_frames)
        return replace(plan, channel=self.audio.name)
