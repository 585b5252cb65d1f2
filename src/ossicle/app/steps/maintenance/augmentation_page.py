"""The page that shows one crop after each stage of its augmentation: ``ossicle dataset augment``.

This is not a step: the user chooses where to write, and nothing reads the page again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Progress
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.core.digest import seed_of
from ossicle.core.errors import UsageError
from ossicle.core.model_input.frontend import band_centres_hz
from ossicle.core.records import Clip, Recording
from ossicle.core.text.suggestion import did_you_mean
from ossicle.corpus.indexing.index_storage import read_index

_SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which recording to show (path or file name; empty for any), the random seed, and whether to apply every stage."""

    recording: str = ""
    seed: int = 0
    always: bool = False


def show_augmentation(project: Project, file: Path, request: Wanted, progress: Progress) -> str:
    """Write the page, and first compute dataset and store if they are missing.

    Parameters
    ----------
    project
        The project with its augmentation settings.
    file
        The page to write, an ``.html`` file.
    request
        The crop to show.
    progress
        Where the steps report how far they are.

    Returns
    -------
    str
        The path of the recording.

    Raises
    ------
    UsageError
        There is no such recording, it has no clip, or the page is not an ``.html`` file.
    """
    # Imported here: torch and matplotlib take seconds to import and are optional extras.
    from ossicle.models.augmentation.noise_crops import noise_count
    from ossicle.report.pages.augment_page import AugmentPage, StageView, write_augment_page
    from ossicle.report.pages.augment_words import stage_words
    from ossicle.training.batches.material import load_material
    from ossicle.training.batches.shown import always, batch_of, shown_stages

    if file.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"{file}: give an .html file")
    artefacts = run_project(project, progress, names=(DatasetFolder.step, StoreFolder.step)).artefacts
    settings, front = project.settings, project.settings.frontend
    dataset, store = DatasetFolder.among(artefacts), StoreFolder.among(artefacts)
    labels = dataset.labels
    material = load_material(
        dataset,
        store.path,
        labels,
        settings.plan,
        settings.training.target_rules,
        audio=project.roots,
    )
    recordings = {recording.id: recording for recording in read_index(CorpusFolder.among(artefacts)).recordings}
    clip = chosen_clip(material.clips, recordings, request)
    recording = recordings[clip.recording_id]
    augment = always(settings.augment) if request.always else settings.augment
    batch, start_s = batch_of(clip, material, settings.training, request.seed)
    views = [
        StageView(
            shown.stage, stage_words(augment)[shown.stage], shown.samples, shown.log_mel, shown.targets, shown.mask
        )
        for shown in shown_stages(batch, material, front, augment, request.seed)
    ]
    facts = {
        "recording": recording.path,
        "crop": f"{settings.plan.chunk_samples / settings.plan.rate:.3g} s from {start_s:.3f} s on",
        "clip": f"{clip.label or clip.role}, {clip.start_s:.3f} to {clip.end_s:.3f} s",
        "batch": f"{settings.training.batch_size} crops: clips to mix in come from the others",
        "seed": str(request.seed),
    }
    if (added := noise_count(settings.training.batch_size, augment.noise_share)) > 0:
        facts["noise"] = (
            f"{added} crops of silence, noise and hum are added to each batch, not shown here (noise_share)"
        )
    if request.always:
        facts["stages"] = "each is applied to this crop (--always); in training, to the stated share of the crops"
    title = f"Augmentation of {project.settings.project.name}"
    centres = [float(hz) for hz in band_centres_hz(front)]
    page = AugmentPage(title, facts, views, labels, centres, front.rate, front.hop_samples / front.rate)
    write_augment_page(file, page)
    return recording.path


def chosen_clip(clips: Sequence[Clip], recordings: dict[str, Recording], request: Wanted) -> Clip:
    """Draw a clip of the requested recording by the seed, preferring clips with a target."""
    if not clips:
        raise UsageError(
            "the dataset has no clips; annotate recordings, or relax dataset.quality_min and dataset.quality_max"
        )
    of_recording = [clip for clip in clips if _is_named(recordings[clip.recording_id].path, request.recording)]
    if not of_recording:
        if any(_is_named(recording.path, request.recording) for recording in recordings.values()):
            raise UsageError(f"--recording {request.recording}: the dataset has no clip of it; choose another")
        hint = did_you_mean(request.recording, [clip.path for clip in recordings.values()])
        raise UsageError(f"--recording {request.recording}: this recording does not exist; {hint}")
    targets = [clip for clip in of_recording if clip.role == "target"] or of_recording
    rng = np.random.default_rng(seed_of(request.seed, "shown", "clip"))
    return targets[int(rng.integers(len(targets)))]


def _is_named(path: str, name: str) -> bool:
    return not name or path == name or path.rsplit("/", 1)[-1] == name
