"""Settings of a corpus: where its recordings and annotations are, and how their names are read."""

from collections.abc import Mapping

from ossicle.core.errors import UsageError
from ossicle.core.settings import setting, settings
from ossicle.corpus.formats.joined_labels import SEPARATORS
from ossicle.corpus.formats.label_map import parse_label_map
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.indexing.recording_labels import NEGATIVE
from ossicle.corpus.naming.clip_name_template import UNITS_S
from ossicle.corpus.naming.globs import Globs
from ossicle.corpus.naming.name_templates import TemplateTexts


@settings
class CorpusSettings:
    """Location of a corpus, and how its names and tables are read."""

    audio: str = setting(help="folder of recordings", digest=False)
    annotations: str = setting(default="", help="folder of annotation files, or one file; empty: none", digest=False)
    manifest: str = setting(
        default="",
        help="manifest of events (JSON lines, one event each) in place of `annotations`: labels are those of the "
        "events, recordings those that they name, below the folders of `[roots]` or of `audio`; empty: none",
        digest=False,
    )
    manifest_total: int = setting(
        default=0,
        help="expected number of events of the manifest; another number is a problem in the health report; 0: unknown",
        ge=0,
        digest_default=False,
    )
    limit: int = setting(
        default=0,
        help="highest number of events of the manifest to read, from the beginning; 0: all",
        ge=0,
        digest_default=False,
    )
    skip_bad: bool = setting(
        default=False,
        help="whether to leave out and count lines of the manifest that are no events; otherwise the first is an error",
        digest_default=False,
    )
    max_missing: float = setting(
        default=0.0,
        help="share of the events of a source of the manifest whose recordings may be missing",
        ge=0,
        le=1,
        digest=False,
    )
    root: str = setting(
        default="recordings",
        help="name of the audio folder; with the path below it, it identifies a recording",
    )
    include: tuple[str, ...] = setting(
        default=(),
        help="glob patterns of the recordings to use, relative to `audio` (with `manifest`: of their audio_path), as "
        "`siteA/**`; empty: all",
    )
    exclude: tuple[str, ...] = setting(
        default=(), help="glob patterns of files to ignore, relative to `audio` (with `manifest`: of audio_path)"
    )
    name_template: TemplateTexts = setting(
        default="",
        help="pattern that reads fields from file names, as site{site}_{date}_*, or a list of patterns, of which the "
        "first that fits is used; a clip of a tape gets the fields of its tape; empty: no fields",
    )
    clip_names: tuple[str, ...] = setting(
        default=(),
        help="patterns of the names of clips cut out of tapes, as {tape:*}.wav_{start:#}_{end:#}; the first "
        "that fits is used",
    )
    offset_unit: str = setting(
        default="",
        choices=("", *UNITS_S),
        help="unit of start and end in the names of clips; checked against their lengths; required with clip_names",
    )
    segment_names: tuple[str, ...] = setting(
        default=(),
        help="patterns of the names of cut-out segments (audio files) that serve as annotations, as "
        "{clip:*}_{start:#}_{end:#}Q{quality:#}, in seconds of the clip; the first that fits is used",
    )
    label_column: str = setting(
        default="auto",
        help="label column of tables: auto alone, or a name, a number from 1, or several of these with commas (the "
        "first in a table counts)",
    )
    default_label: str = setting(default="", help="label for rows without a label; empty: such rows are an error")
    label_field: str = setting(
        default="", help="field with the label of the whole recording (`folder`, a field of the template, or a column)"
    )
    from_sound: bool = setting(
        default=False,
        help="labels of whole recordings begin where the sound does, 30 dB below its peak, if more than 50 ms of "
        "silence come before it, and recordings without any sound get none; needs decode and label_field",
        digest_default=False,
    )
    label_fields: Mapping[str, str] = setting(
        default={},
        help="fields that are labels of the whole recording, each with the value that means present, as "
        '{ac = "on", fridge = "on"}; any other value means reviewed and absent, an empty one unknown',
        digest_default=False,
    )
    negative_labels: tuple[str, ...] = setting(
        default=NEGATIVE,
        help="labels of whole recordings (upper or lower case) that mean: reviewed, contains none of the "
        "labels; class folders that start with - mean the same",
    )
    metadata: MetadataSettings = setting(default=MetadataSettings(), help="a table with a row for each recording")
    label_map: tuple[str, ...] = setting(
        default=(),
        help="other names for labels: FROM=TO, or LABEL for all labels that look like it (case, blanks and invisible "
        "characters do not count)",
    )
    label_separator: str = setting(
        default="",
        choices=("", *SEPARATORS),
        help="what stands between several labels in one cell, as ; in `wren; crow`; empty: a cell is one label. Lists "
        "as ['a', 'b'] in a table of recordings need none",
        digest_default=False,
    )
    labels: tuple[str, ...] = setting(default=(), help="labels to keep; empty: all labels in the annotations")
    most: int = setting(
        default=0,
        help="highest number of recordings, taken evenly from all folders, to try a project; 0: all",
        ge=0,
    )
    decode: bool = setting(
        default=True,
        help="decode every recording once, to find truncated, silent and clipped ones; if false, headers are "
        "trusted, and a recording that cannot be decoded stops the run",
    )

    def __post_init__(self) -> None:
        """Reject an empty `audio` (it would mean the project folder), globs that match nothing, and clip names without
        a unit.
        """
        for key in ("include", "exclude"):
            try:
                Globs(getattr(self, key))
            except ValueError as problem:
                raise ValueError(f"{key}: {problem}") from None
        self._refuse_two_sources()
        self._refuse_unread_sound()
        try:
            parse_label_map(self.label_map, "label_map")
        except UsageError as problem:
            raise ValueError(str(problem)) from None
        if self.clip_names and not self.offset_unit:
            raise ValueError(
                'offset_unit is missing: set the unit of the names of clips, "min" or "s"; a clip ..._110_125 that '
                "lasts 900 s counts minutes"
            )
        if not self.audio.strip():
            raise ValueError(
                f"audio = {self.audio!r} is not a folder; give the folder of recordings ('.' is that of the project "
                "file)"
            )

    def _refuse_unread_sound(self) -> None:
        """Reject from_sound where nothing would find the sound, or no label would begin with it."""
        if self.from_sound and not self.decode:
            raise ValueError(
                "from_sound = true and decode = false: only decoding shows where the sound begins; leave out decode, "
                "or from_sound"
            )
        if self.from_sound and not self.label_field:
            raise ValueError(
                "from_sound = true without label_field: only a label of the whole recording begins with its sound, and "
                "those of a manifest, of tables and of label_fields do not; set label_field, or leave from_sound out"
            )

    def _refuse_two_sources(self) -> None:
        """Reject labels from two sources, and label fields without a value."""
        if self.label_field and self.label_fields:
            raise ValueError(
                f"label_fields and label_field = {self.label_field!r} both label recordings: leave label_field out"
            )
        for key in ("annotations", "label_field", "label_fields", "clip_names", "segment_names"):
            if self.manifest and getattr(self, key):
                raise ValueError(
                    f"{key} = {getattr(self, key)!r}: annotations come from the manifest {self.manifest!r}; leave out "
                    "one of the two"
                )
        if self.manifest and self.label_separator:
            raise ValueError(
                f"label_separator = {self.label_separator!r}: each event of the manifest {self.manifest!r} has one "
                "label; leave label_separator out"
            )
        if self.manifest and self.metadata.table and self.metadata.label_column:
            raise ValueError(
                f"metadata.label_column = {self.metadata.label_column!r}: labels come from the manifest "
                f"{self.manifest!r}, and the table of [corpus.metadata] gives further fields only: set "
                'metadata.label_column = ""'
            )
        for key in ("label_fields", "label_field"):
            if getattr(self, key) and self.metadata.table and self.metadata.label_column:
                raise ValueError(
                    f"{key} = {getattr(self, key)!r} and the table of [corpus.metadata] both label recordings: leave "
                    f'{key} out, or set metadata.label_column = ""'
                )
        for field_name, value in self.label_fields.items():
            if not field_name.strip() or not value.strip():
                raise ValueError(
                    f"label_fields: {field_name!r} = {value!r}: give a field, and its value that means present, as "
                    '{fridge = "on"}'
                )
