"""The members of an ensemble: variants of one project with the same held-out recordings in the same folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossicle.app.project.bundle_places import bundle_folder
from ossicle.app.project.load import Project, load_project
from ossicle.app.project.tables.ensemble import ITSELF
from ossicle.app.steps.data import dataset
from ossicle.app.steps.engine.step import Progress, find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.release import bundle
from ossicle.app.steps.score.scores import refuse_leaky
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.bundle.manifest import MANIFEST
from ossicle.bundle.registry.references import is_reference
from ossicle.core.errors import BundleError, OssicleError, UsageError
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.core.tracks import ScoreTrack
from ossicle.evaluation.ground_truth import read_truth
from ossicle.evaluation.leaderboard import differences
from ossicle.inference.ensembles.combining import Scores, columns_by_name
from ossicle.models.model_kinds import LOG_MEL


@dataclass(frozen=True, slots=True)
class Member:
    """A variant (``"."`` for the project itself) with its artefacts; ``content`` is the digest of its scores."""

    name: str
    project: Project
    artefacts: Mapping[str, Path]
    content: str

    @property
    def scores(self) -> ScoresFolder:
        """Return the out-of-fold scores of the member."""
        return ScoresFolder.among(self.artefacts)

    @property
    def bundle(self) -> Path:
        """Return the bundle in the data root, even if the member's own noise gate refused it."""
        return BundleFolder.among(self.artefacts).bundle


def members_of(project: Project, progress: Progress, overrides: Sequence[str] = ()) -> tuple[Member, ...]:
    """Run every member that ``[ensemble]`` names up to its bundle, reusing finished steps.

    All members are checked before the first training.

    Parameters
    ----------
    project
        The project with an ``[ensemble]`` table.
    progress
        Where the steps report how far they are.
    overrides
        The ``--set`` options that the project was loaded with.

    Raises
    ------
    UsageError
        There are fewer than two members, a name is no variant and no promoted bundle of one, or members differ in
        labels, recordings or folds.
    BundleError
        A promoted bundle is damaged.
    SplitError
        The split is leaky.
    """
    names = member_names(project, overrides)
    loaded = [_load_member(project, name, overrides) for name in names]
    if heads := [
        name
        for name, member_project in zip(names, loaded, strict=True)
        if member_project.settings.kind.reads != LOG_MEL
    ]:
        raise UsageError(
            f"{project.file}: [ensemble] members: {heads[0]!r} is a head on an encoder, and ensembles combine "
            "networks; leave it out"
        )
    datasets: dict[str, Mapping[str, Path]] = {}
    for name, member_project in zip(names, loaded, strict=True):
        refuse_leaky(member_project)
        datasets[name] = run_project(member_project, progress, until=dataset.STEP.name).artefacts
        _require_same_data((loaded[0], datasets[names[0]]), (member_project, datasets[name]))
    members = []
    for name, member_project in zip(names, loaded, strict=True):
        artefacts = run_project(member_project, progress, until=bundle.STEP.name).artefacts
        members.append(Member(name, member_project, artefacts, ScoresFolder.among(artefacts).content))
    return tuple(members)


def member_names(project: Project, overrides: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the members that ``[ensemble]`` names as variants; a promoted bundle is the variant it was made from.

    Parameters
    ----------
    project
        The project with an ``[ensemble]`` table.
    overrides
        The ``--set`` options that the project was loaded with.

    Raises
    ------
    UsageError
        There are fewer than two members, one is named twice, or a name is no variant and no promoted bundle of one.
    BundleError
        A promoted bundle is damaged.
    """
    stated, where = project.settings.ensemble.members, f"{project.file}: [ensemble] members"
    if len(stated) < 2:
        raise UsageError(
            f"{where} names {len(stated) or 'none'}: an ensemble needs at least two "
            f'members; write for example members = ["{ITSELF}", "NAME"] (available: '
            f"{', '.join((ITSELF, *project.variants))})"
        )
    variants = ", ".join(project.variants) or "none"
    for name in stated:
        if not is_reference(name) and name not in (ITSELF, *project.variants):
            raise UsageError(
                f"{where}: no variant is called {name!r} (variants: {variants}; "
                f'"{ITSELF}" is the project itself). Other bundles have no out-of-fold scores in this project: make it '
                "a variant, or evaluate it with `ossicle benchmark`"
            )
    name_by_variant: dict[str, str] = {}
    for name in stated:
        variant = _variant_of(project, name, overrides) if is_reference(name) else name
        if variant in name_by_variant:
            raise UsageError(f"{where}: {name_by_variant[variant]!r} and {name!r} are the same model; leave one out")
        name_by_variant[variant] = name
    return tuple(name_by_variant)


def _variant_of(project: Project, reference: str, overrides: Sequence[str]) -> str:
    """Return the name of the variant that a promoted bundle is the present bundle of."""
    promoted = file_digest(bundle_folder(reference, project, project.folder) / MANIFEST)
    for name in (ITSELF, *project.variants):
        member = _load_member(project, name, overrides)
        bundle_artefact = find_steps(steps_of(member), member).get(BundleFolder.step)
        if bundle_artefact is not None and file_digest(BundleFolder(bundle_artefact).bundle / MANIFEST) == promoted:
            return name
    raise UsageError(
        f"{project.file}: [ensemble] members: {reference} is the bundle of no variant under its present settings "
        f'(variants: {", ".join(project.variants) or "none"}; "{ITSELF}" is the project itself), so there are no '
        "out-of-fold scores of it; name a variant, or evaluate the bundle with "
        f"`ossicle benchmark --model {reference}`"
    )


def _load_member(project: Project, name: str, overrides: Sequence[str]) -> Project:
    return load_project(project.file, tuple(overrides), project.data_root, "" if name == ITSELF else name)


def members_done(project: Project, overrides: Sequence[str] = ()) -> tuple[Member, ...]:
    """Return the finished members, or none unless all have scores. Nothing is run, and missing results are no error."""
    try:
        names = member_names(project, overrides)
    except (UsageError, BundleError):
        return ()
    members = []
    for name in names:
        member = _load_member(project, name, overrides)
        artefacts = {step: path for step, path in find_steps(steps_of(member), member).items() if path is not None}
        if ScoresFolder.step not in artefacts:
            return ()
        members.append(Member(name, member, artefacts, ScoresFolder.among(artefacts).content))
    return tuple(members)


def _require_same_data(first: tuple[Project, Mapping[str, Path]], other: tuple[Project, Mapping[str, Path]]) -> None:
    """Raise UsageError if two datasets differ in labels, recordings or folds; it names the settings that differ."""
    names = [project.variant or ITSELF for project, _ in (first, other)]
    labels = [DatasetFolder.among(artefacts).labels for _, artefacts in (first, other)]
    columns_by_name(dict(zip(names, labels, strict=True)))
    first_recordings, two = (_recordings(artefacts) for _, artefacts in (first, other))
    if _digests(first_recordings) != _digests(two):
        difference = (
            f"the recordings of {names[1]!r} are not those of {names[0]!r} ({_lacking(names, first_recordings, two)})"
        )
    elif _folds(first[1]) != _folds(other[1]):
        difference = f"the folds of {names[1]!r} are not those of {names[0]!r}"
    else:
        return
    settings = [
        {name: digestible(getattr(project.settings, name)) for name in ("corpus", "dataset", "split")}
        for project, _ in (first, other)
    ]
    differ = differences(settings[1], settings[0])
    remedy = f"they differ in {', '.join(differ)}: give both the same" if differ else "run both again"
    raise UsageError(f"[ensemble] members: {difference}, so their out-of-fold scores do not go together; {remedy}")


def _recordings(artefacts: Mapping[str, Path]) -> dict[str, Recording]:
    return read_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts)).recordings


def _digests(recordings: Mapping[str, Recording]) -> dict[str, str]:
    return {key: recording.digest for key, recording in recordings.items()}


def _lacking(names: Sequence[str], first: Mapping[str, Recording], other: Mapping[str, Recording]) -> str:
    """Return in words which recordings are missing on which side, or that the sound of some differs."""
    parts = []
    for name, own_recordings, other_recordings in ((names[1], other, first), (names[0], first, other)):
        if missing := sorted(other_recordings[key].path for key in other_recordings.keys() - own_recordings.keys()):
            parts.append(f"{name!r} lacks {len(missing)}, the first is {missing[0]}")
    changed = sorted(
        recording.path for key, recording in first.items() if key in other and other[key].digest != recording.digest
    )
    return "; ".join(parts) or f"the sound of {changed[0]} changed between their runs"


def _folds(artefacts: Mapping[str, Path]) -> str:
    return file_digest(DatasetFolder.among(artefacts).folds_file)


def member_scores(members: Sequence[Member], key: str) -> tuple[Scores, ScoreTrack]:
    """Return the scores of a recording by every member, (n_members, n_frames, n_labels), and the first member's track.

    Labels are in the order of the first member. Members with different rates may round to one frame more or fewer at
    the end; only the frames that all members have are returned. Raises UsageError if hops or labels differ.
    """
    tracks = {member.name: member.scores.track(key) for member in members}
    labels, columns = columns_by_name({name: track.labels for name, track in tracks.items()})
    first = next(iter(tracks.values()))
    n_frames = [len(track.scores) for track in tracks.values()]
    for name, track in tracks.items():
        if abs(track.hop_s - first.hop_s) > 1e-9 * first.hop_s:
            raise UsageError(
                f"[ensemble] members: {name!r} has a frame every {track.hop_s * 1000:g} ms and {members[0].name!r} one "
                f"every {first.hop_s * 1000:g} ms: give them the same [frontend] hop_samples / rate, or for windows "
                "the same [chunks] step_s with exact_step = true"
            )
    if max(n_frames) - min(n_frames) > 1:
        raise OssicleError(
            f"recording {key}: the members have different numbers of frames for it ({n_frames}); score it again"
        )
    n_common = min(n_frames)
    stacked = np.stack([np.asarray(track.scores[:n_common])[:, columns[name]] for name, track in tracks.items()])
    return stacked, ScoreTrack(labels, first.scores[:n_common], first.hop_s, first.duration_s)
