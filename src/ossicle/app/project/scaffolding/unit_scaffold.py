"""``ossicle new units``: a project file for recordings of speech without labels, and words to judge the units."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ossicle.app.project.layers import recipe_names, recipe_values
from ossicle.app.project.scaffolding.label_sources import LabelSource, with_group_table
from ossicle.app.project.scaffolding.scaffold import new_project_file, project_lines, relative_path
from ossicle.app.project.scaffolding.toml_lines import line, quoted, refuse_controls
from ossicle.artefacts.files import write_text
from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.audio.probe import SUFFIXES
from ossicle.core.errors import UsageError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.corpus.formats.cells.delimited import heading_key, read_delimited
from ossicle.corpus.formats.columns.headings import FILE, has_label, has_times
from ossicle.corpus.formats.reading.foreign_files import why_foreign
from ossicle.corpus.naming.audio_listing import audio_below
from ossicle.corpus.naming.name_template import infer_template, stem_of
from ossicle.corpus.naming.name_templates import Templates, TemplateTexts

PIPELINE = "units"
SPEAKER, RECORDING, FOLDER = "speaker", "recording", "folder"


@dataclass(frozen=True, slots=True)
class UnitWishes:
    """User options of ``ossicle new units``; only ``audio`` is needed.

    ``words_table``: a table of words with recording, start and end. ``group``: the field that is held out, as the
    speaker, read by ``name_template`` from names or by the table ``groups``.
    """

    audio: Path
    words_table: Path | None = None
    group: str = ""
    name_template: TemplateTexts = ()
    groups: Path | None = None


def finds_units(recipe: str) -> bool:
    """Return whether projects of a recipe find acoustic units; False for an unknown one."""
    return recipe in recipe_names() and recipe_values(recipe).get("project", {}).get("pipeline") == PIPELINE


def scaffold_units(
    recipe: str,
    folder: Path,
    wishes: UnitWishes,
    *,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write ``ossicle.toml`` for acoustic units.

    Parameters
    ----------
    recipe, folder, force
        As in :func:`ossicle.app.project.scaffolding.scaffold.scaffold`.
    wishes
        The user's options.
    say
        Gets a line for each thing that was inferred.

    Returns
    -------
    Path
        The project file.

    Raises
    ------
    UsageError
        A file or folder is missing, the project exists, there are no recordings, the table of words has no column for
        the recording, times or the word, or neither names nor the table contain the group.
    """
    file = new_project_file(recipe, folder, force=force)
    refuse_controls((("audio", wishes.audio), ("words", wishes.words_table), ("groups", wishes.groups)))
    if not wishes.audio.is_dir():
        raise UsageError(f"--audio {wishes.audio}: {what_is_at(wishes.audio)}; give a folder")
    if wishes.words_table is not None and wishes.words_table.is_dir():
        reason = next(
            (f" ({reason})" for path in sorted(wishes.words_table.iterdir()) if (reason := why_foreign(path.name))), ""
        )
        raise UsageError(
            f"--words {wishes.words_table}: is a folder; give one table of all recordings with the columns file, "
            f"start_s, end_s and word{reason}"
        )
    for option, path in (("words", wishes.words_table), ("groups", wishes.groups)):
        if path is not None and not path.is_file():
            raise UsageError(f"--{option} {path}: {what_is_at(path)}; give a table")
    paths = audio_below(wishes.audio).files
    if not paths:
        raise UsageError(f"--audio {wishes.audio}: contains no recordings (wav, flac, ogg, mp3, m4a, aiff)")
    if wishes.words_table is not None:
        _require_words(wishes.words_table)
    source = LabelSource()
    stems = [stem_of(path, SUFFIXES) for path in paths]
    if wishes.groups is not None:
        source = with_group_table(source, wishes.groups, wishes.group or SPEAKER, stems)
    template, group = _names(wishes, source, stems, say)
    lines = [*project_lines(recipe, folder), f"audio = {quoted(relative_path(wishes.audio, folder))}"]
    if wishes.words_table is not None:
        words_path = quoted(relative_path(wishes.words_table, folder))
        lines.append(line("annotations", words_path, "words that judge the units, which never learn from them"))
    if template:
        texts = (template,) if isinstance(template, str) else template
        listed = ", ".join(map(quoted, texts))
        lines.append(f"name_template = {listed if len(texts) == 1 else f'[{listed}]'}")
    if source.metadata is not None and source.table is not None:
        lines += ["", "[corpus.metadata]", f"table = {quoted(relative_path(source.table, folder))}"]
        lines += [f"file_column = {quoted(source.metadata.file_column)}", 'label_column = ""']
    lines += ["", "[split]", line("group", quoted(group), "keeps recordings together: the speaker, if it is known")]
    write_text(file, "\n".join(lines) + "\n")
    return file


def _require_words(table: Path) -> None:
    """Reject a table that does not say for each word the recording, start, end and the word."""
    if reason := why_foreign(table.name):
        raise UsageError(f"--words {table}: is not read: {reason}; a column names the recording of each word (file)")
    header = read_delimited(table, has_times).header
    keys = {heading_key(name) for name in header}
    missing = [
        missing_column
        for missing_column, is_present in (
            ("the recording (file, utterance)", keys & set(FILE)),
            ("start and end (start_s, end_s)", has_times(header)),
            ("the word (word, label)", has_label(header)),
        )
        if not is_present
    ]
    if missing:
        hint = "; give the end of each word: start plus duration" if "duration" in keys else ""
        raise UsageError(f"--words {table}: no column for {' or '.join(missing)}; columns: {', '.join(header)}{hint}")


def _names(
    wishes: UnitWishes, source: LabelSource, stems: Sequence[str], say: Callable[[str], None]
) -> tuple[TemplateTexts, str]:
    """Return the template of names and the group: the user's, else what names and folders say."""
    if source.metadata is not None:
        return wishes.name_template, source.group
    if wishes.name_template:
        fields = Templates(wishes.name_template).names
        known = [*fields, RECORDING, FOLDER]
        if wishes.group and wishes.group not in known:
            raise UsageError(
                f"--group {wishes.group}: the name template has no such field; {did_you_mean(wishes.group, known)}"
            )
        group = wishes.group or (SPEAKER if SPEAKER in fields else (*fields, RECORDING)[0])
        return wishes.name_template, group
    if wishes.group in (RECORDING, FOLDER):
        return "", wishes.group
    names = [PurePosixPath(stem).name for stem in stems]
    template = infer_template(names, wishes.group or SPEAKER)
    if template is not None:
        return template, wishes.group or SPEAKER
    if wishes.group:
        raise UsageError(
            f"--group {wishes.group}: no such field in file names like {names[0]!r}; say where it is with "
            f"--name-template, as '{{{wishes.group}}}_*', or in a table with --groups"
        )
    folders = Counter(str(PurePosixPath(stem).parent) for stem in stems)
    if len(folders) > 1 and "." not in folders:
        say(f"group: the {len(folders)} folders of the recordings; choose another one with --group")
        return "", FOLDER
    say("group: each recording by itself; name the speakers with --group speaker and --name-template or --groups")
    return "", RECORDING
