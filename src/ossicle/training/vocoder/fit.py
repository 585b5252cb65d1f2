"""The training of a unit vocoder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.files import sweep
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.typed.units.vocoder import VocoderFolder
from ossicle.core.digest import digest
from ossicle.core.errors import OssicleError
from ossicle.core.settings import digestible
from ossicle.models.devices import device as device_named
from ossicle.models.devices import is_out_of_memory
from ossicle.models.vocoder.durations import DurationModel, PitchModel
from ossicle.models.vocoder.generator import UNKNOWN
from ossicle.models.vocoder.network import VocoderSpec
from ossicle.training.vocoder.objective import OutOfMemory
from ossicle.training.vocoder.run import VocoderRun
from ossicle.training.vocoder.segments import VocoderCorpus
from ossicle.training.vocoder.settings import VocoderSettings
from ossicle.training.vocoder.state import SAVE_EVERY_S

Advance = Callable[[int, int], None]
"""Called with the finished steps and the most there can be."""
Log = Callable[[str], None]
"""Called with lines for people."""
_MADE_FROM = "made_from"


@dataclass(frozen=True, slots=True)
class VocoderFit:
    """What became of a training.

    Attributes
    ----------
    best_epoch, epochs
        The epoch whose weights are kept, and the epochs that were computed; numbers from 1. Epoch 0 is the start.
    log_mel, start_log_mel
        Log-mel distance of the choosing group in dB at the best epoch, and before training.
    stopped
        Why it ended: ``epochs`` or ``patience``.
    warmup_epochs
        Epochs that only reconstructed. One of them is kept only if there are no others.
    advice
        What was said about collapses, with their epochs; empty: there was none.
    parameters
        Numbers of parameters: ``generator``, ``discriminators``.
    """

    best_epoch: int
    epochs: int
    log_mel: float
    start_log_mel: float
    stopped: str
    warmup_epochs: int
    advice: tuple[str, ...] = ()
    parameters: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"advice": list(self.advice)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return it of plain values.

        Parameters
        ----------
        value
            From :meth:`to_json`; other keys are left out.
        """
        fields = {name: value[name] for name in cls.__dataclass_fields__}
        return cls(**fields | {"advice": tuple(value["advice"])})


def train_vocoder(
    corpus: VocoderCorpus,
    settings: VocoderSettings,
    folder: Path,
    *,
    device: str = "cpu",
    advance: Advance = lambda done, most: None,
    log: Log = lambda line: None,
    save_every_s: float = SAVE_EVERY_S,
) -> VocoderFit:
    """Train a vocoder in a folder, or resume what an earlier call left there; the bytes in the end are the same.

    A training that is finished is not begun again.

    The folder then holds ``vocoder.json`` and ``vocoder.safetensors`` (the best epoch, for ``Vocoder.read``),
    ``start/`` and ``final/`` (vocoders before the first and after the last epoch), ``epochs/NNNN/`` (every
    ``save_every``-th epoch, at most ``keep``: a vocoder and sample sounds) and ``epochs.jsonl`` (figures by epoch).

    Parameters
    ----------
    corpus
        Segments, units and rates.
    settings
        Networks and training.
    folder
        An existing or new folder, which belongs to this training alone.
    device
        Device of torch.
    advance, log
        Called after each step, and with lines for people.
    save_every_s
        Seconds after which the state is also saved within an epoch.

    Returns
    -------
    VocoderFit
        Also in ``vocoder.json`` under ``about``.

    Raises
    ------
    UsageError
        The corpus and the settings do not fit together.
    ArtefactError
        The state in the folder is damaged, or of another training.
    OssicleError
        A segment cannot be read, memory ran out, or the discriminators won and ``on_collapse`` is ``stop``; the
        state that was saved last is in the folder.
    """
    run_folder = VocoderFolder(Path(folder))
    make_folder(run_folder.path)
    sweep(run_folder.path)
    made_from = training_digest(corpus, settings)
    if finished := _finished(run_folder, made_from):
        run_folder.forget_state()
        return finished
    speakers = corpus.speakers if settings.speakers else ()
    spec = VocoderSpec(
        corpus.k,
        corpus.quantiser,
        corpus.hop_s,
        corpus.origin_s,
        corpus.rate,
        settings.pitch,
        speakers,
        settings.network,
    )
    durations, pitch = _unit_models(corpus, speakers, settings.pitch)
    run = VocoderRun(
        corpus, settings, spec, durations, pitch, run_folder, device_named(device), made_from, save_every_s
    )
    run.begin()
    progress, most = run.progress, settings.epochs * run.steps_per_epoch
    advance(progress.steps, most)
    try:
        while not (stopped := _stopped(run, settings)):
            _refuse_collapse(run, settings)
            run.epoch(lambda: advance(progress.steps, most))
            log(_in_words(progress.epochs[-1], progress.best_epoch))
            if advice := progress.epochs[-1].get("advice"):
                log(advice)
    except OutOfMemory as error:
        raise _too_large(error, progress.epoch, settings) from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise OssicleError(
            f"out of memory in epoch {progress.epoch + 1}, beside the steps: free memory and run again to resume "
            "from the state saved last"
        ) from error
    fit = VocoderFit(
        best_epoch=progress.best_epoch,
        epochs=progress.epoch,
        log_mel=progress.best,
        start_log_mel=progress.start,
        stopped=stopped,
        warmup_epochs=min(settings.warmup_epochs, progress.epoch),
        advice=tuple(f"epoch {epoch['epoch']}: {epoch['advice']}" for epoch in progress.epochs if epoch.get("advice")),
        parameters=run.parameters,
    )
    run.finish({**fit.to_json(), _MADE_FROM: made_from})
    return fit


def training_digest(corpus: VocoderCorpus, settings: VocoderSettings) -> str:
    """Return a digest of everything that a training depends on but the sound itself, which its segments stand for.

    Parameters
    ----------
    corpus, settings
        As for :func:`train_vocoder`.
    """
    state = sha256()
    for speech_segment in (*corpus.training, *corpus.choosing):
        state.update(f"{speech_segment.segment_id}\0{speech_segment.voice}\0{len(speech_segment.units)}\0".encode())
        state.update(np.asarray(speech_segment.units, "<i4").tobytes())
        state.update(b"" if speech_segment.f0_hz is None else np.asarray(speech_segment.f0_hz, "<f4").tobytes())
    plain = [corpus.k, corpus.hop_s, corpus.origin_s, corpus.rate, list(corpus.speakers), corpus.quantiser]
    return digest([plain, len(corpus.training), digestible(settings), state.hexdigest()])


def _finished(run_folder: VocoderFolder, made_from: str) -> VocoderFit | None:
    """Return what became of a training of the same settings and segments that wrote its vocoder; None: none did."""
    if not run_folder.description_file.exists():
        return None
    about = run_folder.description.get("about", {})
    return VocoderFit.from_json(about) if about.get(_MADE_FROM) == made_from else None


def _unit_models(
    corpus: VocoderCorpus, speakers: tuple[str, ...], with_pitch: bool
) -> tuple[DurationModel, PitchModel]:
    """Return how long and how high units are in the training segments."""
    numbers = {name: number for number, name in enumerate(speakers)}
    voices = [numbers.get(speech_segment.voice, UNKNOWN) for speech_segment in corpus.training]
    units = [np.asarray(speech_segment.units, np.int64) for speech_segment in corpus.training]
    durations = DurationModel.fit(*_runs(units), voices, corpus.k, len(speakers))
    # Of speakers that trained nothing, the choosing group says how long their runs are.
    trained = {speech_segment.voice for speech_segment in corpus.training}
    others = [
        np.asarray(speech_segment.units, np.int64)
        for speech_segment in corpus.choosing
        if speech_segment.voice not in trained
    ]
    durations = durations.for_unknown(*_runs(others))
    f0 = [
        speech_segment.f0_hz
        if with_pitch and speech_segment.f0_hz is not None
        else np.zeros(len(speech_segment.units), np.float32)
        for speech_segment in corpus.training
    ]
    return durations, PitchModel.fit(units, f0, voices, corpus.k, len(speakers))


def _runs(units: Sequence[NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Return units without repeats, and the frames of each, of every segment."""
    starts = [np.flatnonzero(np.diff(unit, prepend=-1)) for unit in units]
    return (
        [unit[places] for unit, places in zip(units, starts, strict=True)],
        [np.diff(places, append=len(unit)) for unit, places in zip(units, starts, strict=True)],
    )


def _stopped(run: VocoderRun, settings: VocoderSettings) -> str:
    """Return why the training ends now; empty: it does not."""
    if run.progress.epoch >= settings.epochs:
        return "epochs"
    return "patience" if run.progress.waited >= settings.patience else ""


def _refuse_collapse(run: VocoderRun, settings: VocoderSettings) -> None:
    """Raise OssicleError if the last epoch ended in a collapse and the training may not go on."""
    progress = run.progress
    if settings.on_collapse == "stop" and progress.epochs and (advice := progress.epochs[-1].get("advice")):
        raise OssicleError(
            f"training stopped after epoch {progress.epoch}: {advice}; to go on all the same, set [vocoder] "
            'on_collapse = "advise"'
        )


def _too_large(error: OutOfMemory, done: int, settings: VocoderSettings) -> OssicleError:
    if error.part > 1:
        half = max(1, error.batch // 2)
        return OssicleError(
            f"out of memory in epoch {done + 1} with batches of {error.batch} crops of {settings.crop_s:g} s: set "
            f"[vocoder] auto_batch = true (ossicle run --auto-batch) to resume from the state saved last, with the "
            f"same steps in less memory, or start again with batch = {half}"
        )
    return OssicleError(
        f"out of memory in epoch {done + 1} with one crop of {settings.crop_s:g} s at a time: free memory and run "
        f"again to resume from the state saved last, or start again with a smaller crop_s or [vocoder.network] width"
    )


def _in_words(figures: dict[str, Any], best: int) -> str:
    """Return the figures of an epoch in a line.

    >>> _in_words({"epoch": 3, "mel": 5.123, "log_mel": 6.0}, 3)
    'epoch 3: log-mel distance 6.00 dB held out (best), 5.12 dB in training'
    """
    chosen = " (best)" if figures["epoch"] == best else ""
    line = f"epoch {figures['epoch']}: log-mel distance {figures['log_mel']:.2f} dB held out{chosen}"
    line += f", {figures['mel']:.2f} dB in training"
    if "adversarial" in figures:
        line += f"; discriminators {figures['discriminator']:.3f}, generator {figures['adversarial']:.3f}"
    return line
