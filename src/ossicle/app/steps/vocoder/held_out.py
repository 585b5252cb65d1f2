"""The roles of the groups of a project: who trains vocoder and quantiser, who chooses the epoch, who is judged."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ossicle.app.project.load import Project
from ossicle.app.steps.acoustic_units import quantiser
from ossicle.app.steps.engine.step import Context
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.core.digest import digest
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.evaluation.units.vocoder_roles import TRAINS, SpeechSource, VocoderRoles, vocoder_roles
from ossicle.units.frames import SegmentFrames


def project_roles(project: Project, corpus: CorpusFolder, segments: SegmentsFolder) -> VocoderRoles:
    """Return the roles of the groups of a project with a vocoder.

    Parameters
    ----------
    project
        The project.
    corpus, segments
        Its artefacts.

    Raises
    ------
    UsageError
        There are too few groups and recordings, or ``[vocoder] choose`` or ``judge`` names none of them.
    """
    settings = project.settings
    paths = {recording.id: recording.path for recording in read_index(corpus).recordings}
    rows = segments.table().select("segment_id", "recording_id", "group").iter_rows()
    sources = [SpeechSource(key, paths[recording_id], group) for key, recording_id, group in rows]
    named_groups = [(name,) if name else () for name in (settings.vocoder.choose, settings.vocoder.judge)]
    return vocoder_roles(sources, settings.split.group, *named_groups)


def roles_of(context: Context) -> VocoderRoles:
    """Return the roles, in a step that needs ``corpus`` and ``segments``."""
    return project_roles(context.project, context.read(CorpusFolder), context.read(SegmentsFolder))


def paths_read(corpus: Path) -> str:
    """Return the digest of the paths of the recordings: all that roles depend on besides the segments."""
    return digest(sorted([recording.id, recording.path] for recording in read_index(CorpusFolder(corpus)).recordings))


def _training_frames(context: Context, frames: SegmentFrames) -> SegmentFrames:
    """Return the frames of the groups that train, so that no unit knows the voices that choose and are judged."""
    roles = roles_of(context)
    context.progress.say(roles.in_words)
    training_segments = roles.segments(TRAINS)
    return frames.only(np.array([segment_id in training_segments for segment_id in frames.ids], np.bool_))


QUANTISER = replace(
    quantiser.STEP,
    needs=(CorpusFolder.step, *quantiser.STEP.needs),
    reads={**quantiser.STEP.reads, CorpusFolder.step: paths_read},
    settings=lambda project: {
        **quantiser.STEP.settings(project),
        "vocoder": {key: getattr(project.settings.vocoder, key) for key in ("choose", "judge")},
        "group": project.settings.split.group,
    },
    run=lambda context: quantiser.run(context, _training_frames),
)
"""The step ``quantiser`` of a project with a vocoder: only the groups that train are clustered."""
