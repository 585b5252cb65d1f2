"""Where the labels of a new project come from, and what file names and tables say about groups and published folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ossicle.app.project.scaffolding.hit_folders import CLASS_TEMPLATE, reads_hit_folders
from ossicle.app.project.scaffolding.label_tables import (
    GROUPS,
    file_column_of,
    found_by_content,
    known_headings,
    label_table,
    read_label_table,
)
from ossicle.app.project.scaffolding.state_scaffold import fields_of_names, fields_of_table, reads_states
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.cells.delimited import heading_key
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.naming.name_template import Template
from ossicle.corpus.naming.name_templates import Templates, TemplateTexts

FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class LabelSource:
    """What labels recordings: annotations (all fields empty), the field ``label_field``, several ``label_fields`` with
    the value that means present, or the table ``metadata``.

    ``group``, ``fold_field``, ``weight_field``, ``name_template`` and ``label_separator`` are what was detected for
    them; empty if nothing. ``remarks`` say in words what a table decided.
    """

    label_field: str = ""
    metadata: MetadataSettings | None = None
    table: Path | None = None
    group: str = ""
    fold_field: str = ""
    weight_field: str = ""
    name_template: str = ""
    label_fields: Mapping[str, str] = field(default_factory=dict)
    label_separator: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether recordings are labelled as a whole."""
        return bool(self.label_field or self.label_fields) or (
            self.metadata is not None and bool(self.metadata.label_column)
        )


# File names of published corpora, with the fields that hold group and fold. Takes are spelt out, because a name of
# three numbers alone is ambiguous.
_PUBLISHED_NAMES = (
    "{fold:#}-{source:#}-{take:A|B|C|D|E|F|G|H}-{target:#}",
    "{fold:#}-{source:#}-{take:A|B|C|D|E|F|G|H}",
)


def label_source(
    labels: str,
    annotations: Path | None,
    recipe: Mapping[str, Any],
    stems: Sequence[str],
    label_column: str = "",
    templates: TemplateTexts = "",
) -> LabelSource:
    """Return what labels the recordings of a new project.

    Parameters
    ----------
    labels
        ``folder``, the path of a table, or empty for the recipe's label source.
    annotations
        The folder or file of annotations; None if recordings are labelled as a whole.
    recipe
        The tables of the recipe.
    stems
        Paths of the recordings without their suffix.
    label_column
        The column of the table that holds the labels; empty to detect it.
    templates
        The user's templates of names; recipes for states read labels from them.

    Raises
    ------
    UsageError
        Labels and annotations are both given, the table is missing, or its columns cannot be detected by name.
    """
    if annotations is not None:
        if labels:
            raise UsageError("--labels and --annotations both give labels; give only one of them")
        return LabelSource()
    if reads_states(recipe) and labels != FOLDER:
        return _of_fields(labels, label_column, templates, stems)
    if not labels or labels == FOLDER:
        field = FOLDER if labels else str(recipe.get("corpus", {}).get("label_field", ""))
        if label_column:
            raise UsageError(f"--label-column {label_column} needs a table; give it with --labels FILE.csv")
        if reads_hit_folders(recipe) and not labels and not templates:
            return LabelSource(field, group=FOLDER, name_template=CLASS_TEMPLATE)
        for text in _PUBLISHED_NAMES if field == FOLDER else ():
            if stems and all(Template(text).parse(stem) for stem in stems):
                return LabelSource(field, group="source", fold_field="fold", name_template=text)
        return LabelSource(field)
    return _of_table(Path(labels), label_column, stems)


def _of_fields(labels: str, label_column: str, templates: TemplateTexts, stems: Sequence[str]) -> LabelSource:
    """Return labels from several fields of names, or from several columns of a table."""
    if label_column:
        raise UsageError(
            f"--label-column {label_column}: this recipe reads each label from a field or column of its own"
        )
    if not labels:
        fields, group = fields_of_names(Templates(templates))
        return LabelSource(label_fields=fields, group=group)
    table = Path(labels)
    file_column = file_column_of(label_table(table), stems)
    fields, group = fields_of_table(table, file_column)
    metadata = MetadataSettings(table=labels, file_column=file_column, label_column="", overrides=True)
    return LabelSource(label_fields=fields, metadata=metadata, table=table, group=group)


def _of_table(table: Path, label_column: str, stems: Sequence[str]) -> LabelSource:
    label_table = read_label_table(table, stems, label_column)
    return LabelSource(
        metadata=label_table.metadata,
        table=table,
        group=label_table.group,
        fold_field=label_table.fold,
        weight_field=label_table.weight,
        label_fields=label_table.label_fields or {},
        label_separator=label_table.separator,
        remarks=label_table.remarks,
    )


def with_group_table(source: LabelSource, table: Path, group: str, stems: Sequence[str]) -> LabelSource:
    """Return a label source whose groups come from a table of recordings.

    Parameters
    ----------
    source
        What labels the recordings.
    table
        A table with a column of files, and a column of groups.
    group
        The name of the column of groups; empty to detect it.
    stems
        Paths of the recordings without their suffix.

    Raises
    ------
    UsageError
        The labels come from another table, or a column is missing.
    """
    if source.table is not None:
        raise UsageError(f"--groups {table}: the table of --labels already describes recordings; add the column to it")
    read = label_table(table)
    known = known_headings(read)
    files = file_column_of(read, stems)
    names = [heading_key(group)] if group else GROUPS
    group_column = next((known[name] for name in names if name in known), "")
    if not group_column:
        missing = f"no column is called {group!r}" if group else "no column is called like a usual group"
        raise UsageError(f"{table}: {missing}; choose the column of groups with --group from: {', '.join(read.header)}")
    metadata = MetadataSettings(table=str(table), file_column=files, label_column="")
    return replace(source, metadata=metadata, table=table, group=group_column, remarks=tuple(found_by_content(files)))
