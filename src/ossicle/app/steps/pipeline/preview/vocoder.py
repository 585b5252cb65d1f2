"""What a run of a project with a vocoder will train, choose and judge on, and about how long it takes."""

import importlib.util
from collections.abc import Iterator

from ossicle.app.project.load import Project
from ossicle.app.project.tables.placement import LOCAL
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.train.training_cost import about
from ossicle.app.steps.vocoder import vocoder
from ossicle.app.steps.vocoder.unit_grid import refuse_units, vocoder_rate
from ossicle.audio.encoders.frames.logmel import HOP_S
from ossicle.audio.encoders.settings import HF
from ossicle.core.errors import OssicleError, UsageError
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.evaluation.units.vocoder_roles import SpeechSource, vocoder_roles

WHAT = "vocoder"


def vocoder_findings(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    """Yield who trains, chooses and is judged, and the time of the training; nothing for a project without a vocoder.

    Parameters
    ----------
    project
        The project.
    index
        Its recordings.
    """
    settings = project.settings
    if not settings.vocoder.preset:
        return
    field = settings.split.group
    sources = [
        SpeechSource(recording.id, recording.path, recording.fields.get(field, "")) for recording in index.recordings
    ]
    named_groups = [(name,) if name else () for name in (settings.vocoder.choose, settings.vocoder.judge)]
    try:
        roles = vocoder_roles(sources, field, *named_groups)
    except UsageError as problem:
        yield Finding(WHAT, False, f"{problem} ({project.origin('vocoder', 'preset')})")
        return
    yield Finding(WHAT, True, roles.in_words, warns=roles.of_recordings)
    rate = vocoder_rate(settings.vocoder, index.recordings)
    if settings.encoder.name != HF:
        # The hop of a model of others is known when its files are read.
        try:
            refuse_units(settings.vocoder, rate, HOP_S)
        except UsageError as problem:
            yield Finding(WHAT, False, str(problem))
            return
    most = settings.vocoder.epochs * -(-settings.vocoder.draws // settings.vocoder.batch)
    length = f"at {rate} Hz; at most {settings.vocoder.epochs} epochs, {most} steps"
    yield Finding(WHAT, True, f"preset {settings.vocoder.preset} {length}; {_time(project, rate, most)}")


def _time(project: Project, rate: int, most: int) -> str:
    if (target := project.settings.jobs.placed(vocoder.STEP.name).on) != LOCAL:
        return f"it trains on {target.capitalize()}; the time there is not estimated"
    if importlib.util.find_spec("torch") is None:
        return "the time is not estimated, because torch is not installed"
    # Imported here: torch loads slowly, and not every installation has it.
    from ossicle.models.devices import device
    from ossicle.training.vocoder.step_time import vocoder_step_seconds

    settings = project.settings
    try:
        target = device(settings.training.device)
        one_s = vocoder_step_seconds(settings.vocoder, settings.quantiser.k, rate, settings.training.threads, target)
    except OssicleError as problem:
        return f"the time is not estimated: {problem}"
    return f"at most about {about(most * one_s)} on {target}, at {one_s:.2g} s a step"
