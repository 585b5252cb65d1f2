"""Fields from the name of a recording by a template, and from the name of a clip, including those of its tape."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.corpus.naming.clip_name_template import UNITS_S, ClipName
from ossicle.corpus.naming.name_template import stem_of, top_folder
from ossicle.corpus.naming.name_templates import Templates
from ossicle.corpus.naming.start_times import start_time_of


@dataclass(frozen=True, slots=True)
class RecordingNames:
    """Templates of names, if any, and the clips among the recordings by path, if the corpus has clip names.

    ``unit`` is the unit of the times in clip names.
    """

    templates: Templates | None = None
    clips: Mapping[str, ClipName] | None = None
    unit: str = "s"

    def fields(self, path: str) -> dict[str, str]:
        """Return the fields of a recording from its path.

        These are ``recording``, ``folder``, ``start_time`` (ISO 8601), those of the templates and, in a corpus of
        clips, ``tape``. The start time of a clip is that of its tape plus its offset.
        """
        clip = (self.clips or {}).get(path)
        stem = normal_path(stem_of(path, SUFFIXES))
        above, slash, own_name = stem.rpartition("/")
        name = own_name if clip is None else clip.tape
        fields = {"recording": normal_path(path), "folder": top_folder(normal_path(path))}
        if (start := start_time_of(name)) is not None:
            offset = timedelta(seconds=0.0 if clip is None else clip.start * UNITS_S[self.unit])
            fields["start_time"] = (datetime.fromisoformat(start) + offset).isoformat()
        if self.clips is not None:
            fields["tape"] = name
        parsed = None if self.templates is None else self.templates.parse(above + slash + name)
        return fields | (parsed or {})
