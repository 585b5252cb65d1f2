"""Leave out recordings without a field that a project needs: the group of its split, the label of whole recordings."""

from collections.abc import Mapping, Sequence

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.corpus.naming.name_template import stem_of
from ossicle.corpus.naming.name_templates import Templates
from ossicle.corpus.notes import LeftOut, Note


def with_fields(
    recordings: Sequence[Recording],
    templates: Templates,
    wanted_fields: Mapping[str, str],
    useful: Mapping[str, str] | None = None,
) -> tuple[list[Recording], list[Note], list[LeftOut]]:
    """Leave out recordings that lack a wanted field, because no split could be trusted with them.

    Parameters
    ----------
    recordings
        Recordings with their fields.
    templates
        The templates that read fields from names.
    wanted_fields
        Settings and the fields that they name; empty fields are not wanted.
    useful
        Settings and fields that at least one recording must have; recordings without them are kept.

    Returns
    -------
    tuple
        The recordings to keep, notes on names that match no template, and the left-out recordings.

    Raises
    ------
    UsageError
        No recording has a wanted or a useful field.
    """
    fields = {key: name for key, name in wanted_fields.items() if name}
    for key, name in {**fields, **(useful or {})}.items():
        if not any(recording.fields.get(name) for recording in recordings):
            known = ", ".join(sorted({field for recording in recordings for field in recording.fields}))
            stated = templates.texts[0] if len(templates.texts) == 1 else list(templates.texts)
            raise UsageError(
                f"{key}: no file name yields the field {name!r} (fields found: {known}); "
                f"correct corpus.name_template = {stated if stated else ''!r}, which {recordings[0].path!r} must match"
            )
    placeable: list[Recording] = []
    notes: list[Note] = []
    left_out: list[LeftOut] = []
    for recording in recordings:
        missing = [name for name in fields.values() if not recording.fields.get(name)]
        if missing:
            left_out.append(LeftOut(recording.path, _reason(recording, templates, missing[0])))
            continue
        if (
            templates.texts
            and not templates.fit(recording.fields)
            and (mismatch := _mismatch_of_name(recording, templates))
        ):
            notes.append(Note("name_template", recording.path, f"does not match {templates.in_words}: {mismatch}"))
        placeable.append(recording)
    return placeable, notes, left_out


def _reason(recording: Recording, templates: Templates, field: str) -> str:
    mismatch = _mismatch_of_name(recording, templates)
    if not templates.texts:
        reason = "no template reads its name"
    elif not mismatch or templates.fit(recording.fields):
        mismatch = ""
        reason = f"its name matches {templates.in_words} without the field {field!r}"
    else:
        reason = f"its name does not match {templates.in_words}"
        mismatch = f" ({mismatch})"
    return (
        f"{reason}, so its {field} is unknown and no split can place it{mismatch}; add a template to "
        f"corpus.name_template, name its {field} in a table (corpus.metadata), exclude it, or group by another field"
    )


def _mismatch_of_name(recording: Recording, templates: Templates) -> str:
    """Return where the name of a recording, or of its tape if it is a clip, stops to fit."""
    above, slash, own_name = normal_path(stem_of(recording.path, SUFFIXES)).rpartition("/")
    return templates.mismatch_in_words(above + slash + recording.fields.get("tape", own_name))
