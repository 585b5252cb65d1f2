"""``ossicle new``: write a project file from a recipe and an inspection of the recordings."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.app.project.layers import recipe_names, recipe_values
from ossicle.app.project.scaffolding.clip_scaffold import clip_lines
from ossicle.app.project.scaffolding.folds import usual_folds
from ossicle.app.project.scaffolding.frame_scaffold import frame_lines
from ossicle.app.project.scaffolding.hit_folders import (
    CLASS_TEMPLATE,
    DrumLabels,
    HitFolders,
    drum_labels,
    groups_of_labels,
    hit_folders,
    reads_hit_folders,
)
from ossicle.app.project.scaffolding.label_sources import LabelSource, label_source, with_group_table
from ossicle.app.project.scaffolding.label_tables import label_table, metadata_lines
from ossicle.app.project.scaffolding.state_scaffold import feature_lines, key, reads_states, state_lines, wanted_masks
from ossicle.app.project.scaffolding.toml_lines import line, quoted, refuse_controls, require_text, texts
from ossicle.app.project.scaffolding.variant_lines import variant_lines
from ossicle.artefacts.files import write_text
from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.audio.probe import SUFFIXES, probe
from ossicle.core.errors import AudioError, SplitError, UsageError
from ossicle.core.text.counting import counted
from ossicle.core.text.suggestion import did_you_mean
from ossicle.corpus.formats.reading.folder_reader import NOT_READ
from ossicle.corpus.indexing.annotation_files import SECOND_TABLE
from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.naming.audio_listing import audio_below
from ossicle.corpus.naming.name_template import infer_template, stem_of
from ossicle.corpus.naming.name_templates import TemplateTexts
from ossicle.corpus.splits.folds import SplitSettings, make_folds

_BUILT_IN = ("recording", "folder")


@dataclass(frozen=True, slots=True)
class Wishes:
    """User options of ``ossicle new``; unset options are inferred from the data or taken from the recipe."""

    audio: Path
    annotations: Path | None = None
    labels: str = ""
    label_column: str = ""
    group: str = ""
    fold_field: str = ""
    name_template: TemplateTexts = ""
    folds: int | None = None
    groups: Path | None = None
    default_label: str = ""
    masks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScaffoldInputs:
    """What the project file is written from: the recipe's tables, the source of labels, group, folds and the index."""

    recipe: str
    values: Mapping[str, Any]
    source: LabelSource
    group: str
    fold_field: str
    template: TemplateTexts
    folds: int
    index: CorpusIndex
    hits: HitFolders | None = None
    drums: DrumLabels = field(default_factory=DrumLabels)

    def in_words(self) -> list[str]:
        """Return what folders say about labels and groups, and which labels were renamed, one line each."""
        return [*self.source.remarks, *([] if self.hits is None else self.hits.in_words()), *self.drums.in_words()]


def scaffold(
    recipe: str,
    folder: Path,
    wishes: Wishes,
    *,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write ``ossicle.toml``, with rate, band and frames that fit the recordings.

    Parameters
    ----------
    recipe
        The name of the recipe.
    folder
        The folder for the project; created if missing.
    wishes
        The user's options.
    force
        Whether to overwrite an existing project file.
    say
        Gets a line for each thing that was read from the folders of the recordings, as which folder is the label.

    Returns
    -------
    Path
        The project file.

    Raises
    ------
    UsageError
        The recipe is unknown, a folder is missing, the project exists, or no file name contains the group.
    SplitError
        There is only one group, or published folds divide a group.
    """
    file = new_project_file(recipe, folder, force=force)
    if wishes.folds == 1:
        raise UsageError("--folds 1 leaves nothing to train on; use 0 (each group held out once) or at least 2")
    refuse_controls((("audio", wishes.audio), ("annotations", wishes.annotations), ("groups", wishes.groups)))
    if not wishes.audio.is_dir():
        raise UsageError(f"--audio {wishes.audio}: {what_is_at(wishes.audio)}; give a folder")
    if wishes.groups is not None and not wishes.groups.is_file():
        raise UsageError(f"--groups {wishes.groups}: {what_is_at(wishes.groups)}; give a table")
    if wishes.annotations is not None and not wishes.annotations.exists():
        raise UsageError(f"--annotations {wishes.annotations}: this file or folder does not exist")
    inputs = _look_at_inputs(recipe, recipe_values(recipe), wishes)
    if wishes.masks and not reads_states(inputs.values):
        raise UsageError(f"--masks {' '.join(wishes.masks)}: the recipe {recipe!r} has no states; leave --masks out")
    _require_groups(inputs)
    write_text(file, _text(folder, wishes, inputs))
    for text in inputs.in_words():
        say(text)
    return file


def new_project_file(recipe: str, folder: Path, *, force: bool = False) -> Path:
    """Return the place of a new project file; raises UsageError for an unknown recipe and for an existing project."""
    if recipe not in recipe_names():
        raise UsageError(f"no recipe is called {recipe!r}; {did_you_mean(recipe, recipe_names())}")
    file = folder / PROJECT_FILE
    if file.exists() and not force:
        raise UsageError(f"{file} already exists; choose another folder, or --force to overwrite it")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give a folder for the project")
    return file


def project_lines(recipe: str, folder: Path) -> list[str]:
    """Return the first lines of a project file, up to the heading of ``[corpus]``."""
    return [
        f'base = "recipe:{recipe}"',
        "",
        "[project]",
        f"name = {quoted(_bundle_name(folder.resolve()))}",
        "",
        "[corpus]".ljust(24) + " # paths are relative to this file",
    ]


def _look_at_inputs(recipe: str, values: Mapping[str, Any], wishes: Wishes) -> ScaffoldInputs:
    audio, annotations = wishes.audio, wishes.annotations
    paths = [path for path in audio_below(audio).files if _is_audio(audio / path)]
    stems = [stem_of(path, SUFFIXES) for path in paths]
    source = label_source(wishes.labels, annotations, values, stems, wishes.label_column, wishes.name_template)
    if wishes.groups is not None:
        source = with_group_table(source, wishes.groups, wishes.group, stems)
    hits = hit_folders(paths, audio) if source.name_template == CLASS_TEMPLATE else None
    template = wishes.name_template or source.name_template
    group = source.group if wishes.groups is not None else wishes.group or source.group or "recording"
    fold_field = wishes.fold_field or source.fold_field
    known = (*_BUILT_IN, *(label_table(source.table).header if source.table is not None else ()))
    if not template:
        template = next(
            (
                _template(stems, field, key)
                for field, key in ((group, "group"), (fold_field, "fold-field"))
                if field and field not in known
            ),
            "",
        )
    drums = DrumLabels() if hits is None else drum_labels(hits.groups_of)
    settings = CorpusSettings(
        audio=str(audio),
        name_template=template,
        decode=False,
        label_field=source.label_field,
        label_fields=source.label_fields,
        label_column=_annotation_column(wishes) or "auto",
        default_label=wishes.default_label,
        label_map=drums.label_map,
        label_separator=source.label_separator,
        metadata=source.metadata or MetadataSettings(),
    )
    workers = os.cpu_count() or 1
    indexed = partial(
        index_corpus, audio, annotations, group=group, workers=workers, metadata_table=source.table, hashed=False
    )
    index = indexed(settings=settings)
    if reads_hit_folders(values) and hits is None and (drums := drum_labels(groups_of_labels(index, group))).label_map:
        index = indexed(settings=replace(settings, label_map=drums.label_map))
    if annotations is not None and not any(recording.reviewed for recording in index.recordings):
        cut_outs = annotations.is_dir() and audio_below(annotations).files
        hint = "; segments cut out as audio are read by [corpus] segment_names: see docs/coming-from-scripts.md"
        kinds = (NOT_READ, "unmatched_table", SECOND_TABLE, "not_annotations")
        unread = [f"; {note.where} {note.message}" for note in index.notes if note.kind in kinds]
        raise UsageError(
            f"--annotations {annotations}: contains no table for any of the {len(index.recordings)} recordings "
            "(Raven tables, Audacity labels, CSV, TSV or Parquet, named like the "
            f"recordings){hint if cut_outs else ''}{''.join(unread[:3])}"
        )
    folds = wishes.folds
    if folds is None:
        folds = int(values.get("split", {}).get("folds", 0)) or usual_folds(index, group, fold_field)
        groups = {recording.fields.get(group) for recording in index.recordings if recording.reviewed}
        if len(groups) < folds and not fold_field:
            folds = 0
    return ScaffoldInputs(recipe, values, source, group, fold_field, template, folds, index, hits, drums)


def _is_audio(file: Path) -> bool:
    """Return whether a file has the header of a recording; names alone prove nothing."""
    try:
        probe(file)
    except (AudioError, OSError):
        return False
    return True


def _template(stems: Sequence[str], field: str, option: str) -> str:
    names = [PurePosixPath(stem).name for stem in stems]
    template = infer_template(names, field)
    if template is None:
        raise UsageError(
            f"--{option} {field}: no such field in file names like {names[0] if names else ''!r}; "
            f"set a pattern with --name-template, as 'site{{site}}_*', or group by {' or '.join(_BUILT_IN)}"
        )
    return template


def _require_groups(inputs: ScaffoldInputs) -> None:
    if inputs.source.whole:
        # Report published folds that divide a group, and fewer groups than folds, now rather than in the first run.
        split = SplitSettings(group=inputs.group, folds=inputs.folds, fold_field=inputs.fold_field)
        make_folds(inputs.index.recordings, inputs.index.annotations, split)
        return
    annotated = [recording for recording in inputs.index.recordings if recording.reviewed]
    groups = {recording.fields[inputs.group] for recording in annotated}
    if inputs.index.annotations and len(groups) < max(2, inputs.folds):
        needed = (
            f"{inputs.folds} folds need at least as many groups"
            if inputs.folds
            else "to hold each out once, there must be at least two"
        )
        remedy = (
            f"only {annotated[0].path!r} of {counted(len(inputs.index.recordings), 'recording')} has annotations; "
            "annotate recordings of other groups, or check that the tables are named after their recordings"
            if len(annotated) == 1
            else "choose another --group"
        )
        raise SplitError(f"grouping by {inputs.group!r} gives {len(groups)} annotated group(s): {needed}; {remedy}")


def _annotation_column(wishes: Wishes) -> str:
    """Return the label column of ``--annotations``, as given; empty if none is given, or if it is that of a table."""
    return wishes.label_column if wishes.annotations is not None else ""


def _text(folder: Path, wishes: Wishes, inputs: ScaffoldInputs) -> str:
    source, index = inputs.source, inputs.index
    lines = [*project_lines(inputs.recipe, folder), f"audio = {quoted(relative_path(wishes.audio, folder))}"]
    own_label = str(inputs.values.get("corpus", {}).get("label_field", ""))
    if not source.whole:
        lines.append(f"annotations = {quoted(relative_path(wishes.annotations, folder) if wishes.annotations else '')}")
    if column := _annotation_column(wishes):
        lines.append(line("label_column", quoted(column), "the column of the annotations that holds the label"))
    if wishes.default_label:
        lines.append(line("default_label", quoted(wishes.default_label), "the label of rows that have none"))
    if source.label_field != own_label:
        lines.append(f"label_field = {quoted(source.label_field)}")
    if reads_hit_folders(inputs.values) and source.whole:
        lines.append(line("from_sound", "true", "silence before a hit is no part of it"))
    # Text from files stands in quotes: a line end in it would end the comment.
    lines += [f"# {quoted(text)[1:-1]}" for text in inputs.in_words()]
    if inputs.template:
        lines.append(f"name_template = {texts(inputs.template)}")
    if inputs.drums.label_map:
        lines.append(f"label_map = [{', '.join(map(quoted, inputs.drums.label_map))}]")
    if source.label_separator:
        lines.append(line("label_separator", quoted(source.label_separator), "between several labels in one cell"))
    if source.label_fields:
        pairs = ", ".join(f"{key(name)} = {quoted(value)}" for name, value in source.label_fields.items())
        lines.append(f"label_fields = {{{pairs}}}  # field = value that means present; other values: absent")
    if source.metadata is not None and source.table is not None:
        lines += metadata_lines(source.metadata, relative_path(source.table, folder))
    lines += ["", "[split]", f"group = {quoted(inputs.group)}"]
    if inputs.fold_field:
        lines.append(line("fold_field", quoted(inputs.fold_field), "the folds that were published"))
    else:
        lines.append(
            line(
                "folds",
                inputs.folds,
                "0: each group is held out once" if inputs.folds == 0 else "0 would hold each group out once",
            )
        )
    if source.weight_field:
        lines += ["", "[dataset]", f"weight_field = {quoted(source.weight_field)}"]
    counts = ["", f"# {len(index.recordings)} recordings, {len(index.annotations)} annotations"]
    if reads_states(inputs.values):
        labels = list(source.label_fields) or list(index.annotations.label_counts())
        lines += [*counts, *feature_lines(index, inputs.values)]
        lines += state_lines(labels, wanted_masks(wishes.masks, labels), chosen=bool(wishes.masks))
        return "\n".join(lines) + "\n"
    lines += [*counts, "[frontend]"]
    windows = "window_s" in inputs.values.get("chunks", {})
    lines += clip_lines(index, inputs.values) if windows else frame_lines(index)
    lines += variant_lines(inputs.recipe)
    return "\n".join(lines) + "\n"


def _bundle_name(folder: Path) -> str:
    """Return the nearest plain name to that of a folder.

    >>> _bundle_name(Path("Owls of the park (2026)"))
    'Owls-of-the-park-2026'
    """
    require_text(folder.name)
    name = re.sub(r"[^A-Za-z0-9]*[^A-Za-z0-9._-]+[^A-Za-z0-9]*|\.{2,}", "-", folder.name)
    return name.strip("-._")[:100] or "detector"


def relative_path(path: Path, folder: Path) -> str:
    """Return a path as it is written into the project file of ``folder``."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
