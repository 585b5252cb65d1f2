"""Step ``vocoder``: train networks that turn the units of a project back into sound."""

from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step, WorkUnits
from ossicle.app.steps.vocoder.held_out import paths_read, roles_of
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequencesFolder
from ossicle.artefacts.typed.units.speech import SpeechFolder
from ossicle.artefacts.typed.units.unit_vocoder import UnitVocoderFolder
from ossicle.core.settings import digestible
from ossicle.evaluation.units.vocoder_roles import CHOOSES, RECORDING, TRAINS, VocoderRoles

if TYPE_CHECKING:
    from ossicle.training.vocoder.segments import SpeechSegment, VocoderCorpus

STEP_VERSION = 2
TRAINING = "training"
"""The only work unit."""


def run(context: Context) -> None:
    """Train the vocoder, unless it is trained."""
    if not context.own(UnitVocoderFolder).done:
        _train(context, TRAINING)


def _train(context: Context, name: str) -> None:
    # Imported here: torch takes seconds to import, and most runs reuse their vocoder.
    from ossicle.models.devices import device, use_threads
    from ossicle.training.vocoder.fit import train_vocoder

    output, settings = context.own(UnitVocoderFolder), context.project.settings
    use_threads(settings.training.threads)
    roles = roles_of(context)
    corpus = vocoder_corpus(context, roles)
    fit = train_vocoder(
        corpus,
        settings.vocoder,
        output.training.path,
        device=device(settings.training.device),
        advance=lambda done, most: context.progress.advance(done, most, "steps"),
        log=context.progress.say,
    )
    trained = {
        "fit": fit.to_json(),
        "preset": settings.vocoder.preset,
        "basis": roles.basis,
        "in_words": roles.in_words,
        "field": roles.field,
        "of_recordings": roles.of_recordings,
        "trains": list(roles.trains),
        "chooses": list(roles.chooses),
        "judged": list(roles.judged),
        "speakers": list(corpus.speakers),
        "pitch": digestible(context.project.settings.pitch),
        "training_s": sum(len(speech_segment.units) for speech_segment in corpus.training) * corpus.hop_s,
    }
    output.gather(context.read(QuantiserFolder), trained)


def vocoder_corpus(context: Context, roles: VocoderRoles) -> "VocoderCorpus":
    """Return the speech that trains a vocoder and chooses its epoch, in a step that needs ``pitch`` and ``sequences``.

    Parameters
    ----------
    context
        The inputs of the step.
    roles
        Which groups train and choose.
    """
    from ossicle.training.vocoder.segments import VocoderCorpus

    sequences, speech, settings = context.read(SequencesFolder), context.read(SpeechFolder), context.project.settings
    training, choosing = (list(_segments(context, roles.segments(role))) for role in (TRAINS, CHOOSES))
    voices = sorted({speech_segment.group for speech_segment in training if speech_segment.group})
    known = settings.vocoder.speakers and roles.field != RECORDING and len(voices) > 1
    return VocoderCorpus(
        training,
        choosing,
        k=int(sequences.summary["n_units"]),
        hop_s=float(sequences.summary["hop_s"]),
        origin_s=float(sequences.summary["origin_s"]),
        rate=speech.rate,
        speakers=tuple(voices) if known else (),
        quantiser=str(sequences.summary["quantiser"]),
    )


def _segments(context: Context, chosen_segments: frozenset[str]) -> Iterator["SpeechSegment"]:
    from ossicle.training.vocoder.segments import SpeechSegment

    speech = context.read(SpeechFolder)
    samples, f0_hz = dict(speech.samples()), speech.f0_hz()
    for row in context.read(SequencesFolder).rows():
        if row.segment_id in chosen_segments and row.segment_id in samples and len(row.units):
            pitch = f0_hz[row.segment_id] if context.project.settings.vocoder.pitch else None
            yield SpeechSegment(row.segment_id, row.group, row.units, partial(_single, samples[row.segment_id]), pitch)


def _single(samples: NDArray[np.float16]) -> NDArray[np.float32]:
    return samples.astype(np.float32)


def _settings(project: Project) -> dict[str, object]:
    return {
        "vocoder": digestible(project.settings.vocoder),
        "group": project.settings.split.group,
        "threads": project.settings.training.threads,
        "torch": version("torch"),
    }


STEP = Step(
    name=UnitVocoderFolder.step,
    version=STEP_VERSION,
    needs=(CorpusFolder.step, SegmentsFolder.step, QuantiserFolder.step, SequencesFolder.step, SpeechFolder.step),
    settings=_settings,
    run=run,
    reads={CorpusFolder.step: paths_read},
    work_units=WorkUnits(
        named_by=(),
        names=lambda inputs: (TRAINING,),
        run=_train,
        done=lambda folder, name: UnitVocoderFolder(folder).done,
        parallel=lambda project: 1,
    ),
)
