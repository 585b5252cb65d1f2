"""``[benchmark]``: a separate corpus, the models to evaluate on it, and a grid of windows, thresholds and decisions."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from ossicle.core.errors import ProjectError
from ossicle.core.settings import setting, settings
from ossicle.core.text.suggestion import did_you_mean
from ossicle.core.value_checks import MOST_THREADS
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.naming.clip_name_template import UNITS_S
from ossicle.corpus.naming.name_templates import TemplateTexts
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.metrics.matching.rules import CollarMatch, Criterion, IouMatch

PRESETS: dict[str, dict[str, Any]] = {
    "alpaca": {
        "windows": [[0.4, 0.05]],
        "thresholds": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        "ious": [0.4],
    },
}
"""The settings that each ``[benchmark] preset`` stands for."""
_MOST_SETTINGS = 20_000


@settings
class BenchmarkSettings:
    """What to evaluate, on which corpus, and under which decisions."""

    audio: str = setting(
        default="", help="folder of the recordings of the benchmark; empty: no benchmark", digest=False
    )
    annotations: str = setting(default="", help="folder of annotation files, or one file", digest=False)
    root: str = setting(
        default="", help="name of the audio folder; empty: that of [corpus], so that equal paths are the same recording"
    )
    name_template: TemplateTexts = setting(
        default="", help="pattern (or list of patterns) that reads fields from file names; empty: that of [corpus]"
    )
    include: tuple[str, ...] = setting(
        default=(), help="glob patterns of the recordings to use, as in [corpus]; empty: all"
    )
    exclude: tuple[str, ...] = setting(default=(), help="glob patterns of files to ignore, as in [corpus]")
    clip_names: tuple[str, ...] = setting(
        default=(), help="patterns of the names of clips cut out of tapes, as in [corpus]"
    )
    offset_unit: str = setting(
        default="", help="unit of start and end in the names of clips, as in [corpus]", choices=("", *UNITS_S)
    )
    segment_names: tuple[str, ...] = setting(
        default=(), help="patterns of the names of cut-out segments, as in [corpus]"
    )
    labels: tuple[str, ...] = setting(
        default=(),
        help="labels to evaluate, the same for every model; empty: those of [corpus], else all annotated labels",
    )
    models: tuple[str, ...] = setting(
        default=(),
        help="bundle folders, relative to the project file, promoted bundles as `registry:NAME@current`, and names of "
        "variants; empty: the project's own bundle",
        digest=False,
    )
    windows: tuple[tuple[float, ...], ...] = setting(
        default=(),
        help="window length and step in seconds to run window models with, as [[0.4, 0.05]]; empty: those of "
        "the bundle",
    )
    exact_step: bool = setting(default=False, help="use exactly these steps instead of whole STFT hops")
    thresholds: tuple[float, ...] = setting(
        default=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), help="thresholds that start an event, rising", ge=0, le=1
    )
    off_ratio: tuple[float, ...] = setting(default=(1.0,), help="off threshold as a share of on", gt=0, le=1)
    median_s: tuple[float, ...] = setting(
        default=(0.0,),
        help="lengths of the median filter over scores, rounded to an odd number of frames; 0: no filter",
        unit="s",
    )
    ema_s: tuple[float, ...] = setting(
        default=(), help="spans of the exponential moving average over scores", unit="s", gt=0
    )
    min_length_s: tuple[float, ...] = setting(default=(0.0,), help="lowest lengths of an event", unit="s", ge=0)
    min_gap_s: tuple[float, ...] = setting(default=(0.0,), help="longest gaps that are closed", unit="s", ge=0)
    ious: tuple[float, ...] = setting(
        default=(0.5,), help="lowest intersections over union of a match; the page shows the first", gt=0, le=1
    )
    collars_s: tuple[float, ...] = setting(default=(0.2,), help="collars of further criteria", unit="s", gt=0)
    tape: str = setting(
        default="recording", help="field that names the tape; figures are listed, resampled and cross-fitted by tape"
    )
    allow_overlap: bool = setting(
        default=False, help="evaluate also on recordings of the training corpus, and mark all results"
    )
    tables: tuple[float, ...] = setting(
        default=(), help="thresholds whose events are written as tables; empty: all", digest=False
    )
    bootstrap: int = setting(default=1000, help="number of resamples for the intervals", ge=0)
    seed: int = setting(default=0, help="seed of the resampling", ge=0)
    runtime: str = setting(
        default="auto",
        help="library that computes scores; auto: torch if it is installed, else onnxruntime",
        choices=("auto", "torch", "onnx"),
    )
    device: str = setting(default="cpu", help="device of torch: auto, cpu, cuda, cuda:N or mps", digest=False)
    threads: int = setting(
        default=1, help="number of threads; scores depend on it in their last digits", ge=1, le=MOST_THREADS
    )
    batch: int = setting(default=8, help="number of chunks to score at a time", ge=1, le=1024, digest=False)

    def __post_init__(self) -> None:
        """Reject windows without steps, empty axes, thresholds out of order, and a grid that is too large."""
        for window in self.windows:
            if len(window) != 2 or not all(value > 0 for value in window) or window[1] > window[0]:
                raise ValueError(
                    f"windows contains {list(window)}: write [window, step] in seconds, the step at most the window"
                )
        if len(set(self.windows)) < len(self.windows):
            raise ValueError("windows contains a window and step twice: write each once")
        for name in ("thresholds", "off_ratio", "min_length_s", "min_gap_s", "ious"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty: give at least one value")
        if any(low >= high for low, high in zip(self.thresholds, self.thresholds[1:], strict=False)):
            raise ValueError("thresholds must rise from value to value")
        if strangers := [table for table in self.tables if table not in self.thresholds]:
            raise ValueError(f"tables contains {strangers[0]:g}, which is not one of the thresholds")
        if any(value < 0 for value in self.median_s):
            raise ValueError("median_s must be at least 0 s")
        if not (self.median_s or self.ema_s):
            raise ValueError("median_s and ema_s are both empty: median_s = [0.0] means no smoothing")
        names = ("thresholds", "off_ratio", "min_length_s", "min_gap_s")
        number = len(self.median_s) + len(self.ema_s)
        for name in names:
            number *= len(getattr(self, name))
        if number > _MOST_SETTINGS:
            raise ValueError(f"thresholds and decisions make {number} combinations, more than {_MOST_SETTINGS}")

    def corpus(self, training: CorpusSettings) -> CorpusSettings:
        """Return the settings of the benchmark corpus; settings missing in ``[benchmark]`` come from ``[corpus]``."""
        return dataclasses.replace(
            training,
            audio=self.audio,
            annotations=self.annotations,
            root=self.root or training.root,
            name_template=self.name_template or training.name_template,
            include=self.include,
            exclude=self.exclude,
            clip_names=self.clip_names,
            offset_unit=self.offset_unit,
            segment_names=self.segment_names,
            metadata=MetadataSettings(),
            labels=self.labels or training.labels,
        )

    def grid(self, hop_s: float) -> DecisionGrid:
        """Return the decisions as a grid for scores every ``hop_s`` seconds."""
        return DecisionGrid(
            on=self.thresholds,
            off_ratio=self.off_ratio,
            median_frames=tuple(dict.fromkeys(odd_frames(value, hop_s) for value in self.median_s)),
            ema_frames=tuple(dict.fromkeys(max(2, round(value / hop_s)) for value in self.ema_s)),
            min_length_s=self.min_length_s,
            min_gap_s=self.min_gap_s,
        )

    @property
    def criteria(self) -> tuple[tuple[str, Criterion], ...]:
        """Return name and criterion of every way of matching; the page shows the first."""
        return (
            *((f"iou {value:g}", IouMatch(threshold=value)) for value in self.ious),
            *((f"collar {value:g} s", CollarMatch(collar_s=value)) for value in self.collars_s),
        )


def odd_frames(seconds: float, hop_s: float) -> int:
    """Return the odd number of frames nearest to ``seconds``.

    >>> odd_frames(0.0, 0.01), odd_frames(0.05, 0.01), odd_frames(0.06, 0.01)
    (1, 5, 7)
    """
    return 2 * max(0, int((seconds / hop_s) // 2)) + 1


def with_benchmark_preset(values: dict[str, Any], origin: str) -> dict[str, Any]:
    """Replace ``[benchmark] preset`` by the settings it stands for; keys of the same layer override those settings."""
    table = values.get("benchmark")
    if not isinstance(table, dict) or "preset" not in table:
        return values
    name = table["preset"]
    if name not in PRESETS:
        raise ProjectError(f"{origin}: [benchmark] preset = {name!r}; {did_you_mean(str(name), PRESETS)}")
    return {**values, "benchmark": {**PRESETS[name], **{key: value for key, value in table.items() if key != "preset"}}}


def asked_windows(settings: BenchmarkSettings, window_model: bool) -> Iterator[tuple[float, float] | None]:
    """Yield the windows and steps at which a model reads, in seconds; None stands for the plan of its bundle."""
    if not (window_model and settings.windows):
        yield None
        return
    for window in settings.windows:
        window_s, step_s = window
        yield window_s, step_s
