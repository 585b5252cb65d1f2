"""The grid of the windows that a model of states reads, as a chunk plan: one window a frame."""

from ossicle.app.project.load import Project
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.encoder_spec import EncoderSpec


def state_plan(project: Project, spec: EncoderSpec) -> ChunkPlan:
    """Return the plan of a project's windows at the rate of its encoder.

    Parameters
    ----------
    project
        The project.
    spec
        The encoder.

    Raises
    ------
    UsageError
        Window or hop are an odd number of samples at this rate, so that their middle falls between two samples.
    """
    features = project.settings.features
    try:
        return ChunkPlan(
            rate=spec.rate,
            hop_samples=features.hop_samples(spec.rate),
            window_samples=features.window_samples(spec.rate),
            core_frames=1,
            context_frames=0,
            channel=project.settings.audio.name,
        )
    except ValueError as problem:
        raise UsageError(
            f"{project.origin('features', 'hop_s')}: [features] window_s = {features.window_s:g} and hop_s = "
            f"{features.hop_s:g} at the {spec.rate} Hz of the encoder {spec.name!r}: {problem}; choose multiples of "
            f"{2 / spec.rate:g} s"
        ) from problem
