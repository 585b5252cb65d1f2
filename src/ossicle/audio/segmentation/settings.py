"""``[segments]``: how recordings are cut into segments."""

from ossicle.core.settings import setting, settings

SILENCES, FILES, TABLE = "silences", "files", "table"
LOUDEST, PERCENTILE, FULL_SCALE = "loudest", "percentile", "full scale"


@settings
class SegmentSettings:
    """``[segments]``: recordings to stretches of sound."""

    by: str = setting(
        default=SILENCES,
        help="silences: cut recordings at silences; files: each recording is one segment; table: those of `table`",
        choices=(SILENCES, FILES, TABLE),
    )
    table: str = setting(
        default="",
        help="table of ready segments (CSV, TSV or Parquet) with columns for recording, start and end in seconds; a "
        "`segments.parquet` of another project is one",
        digest=False,
    )
    relative_to: str = setting(
        default=LOUDEST,
        help="what `threshold_db` is relative to: the loudest 25 ms of the recording, the level at `percentile` of its "
        "frames, or full scale (dBFS)",
        choices=(LOUDEST, PERCENTILE, FULL_SCALE),
    )
    threshold_db: float = setting(default=-40.0, help="frames below this level are silent", unit="dB", ge=-120, le=60)
    percentile: float = setting(
        default=10.0,
        help='share of the frames that are quieter than the level meant by relative_to = "percentile"; 10 is about '
        "that of the background",
        unit="%",
        ge=0,
        le=100,
        digest_default=False,
    )
    min_silence_s: float = setting(default=0.5, help="shortest silence between two segments", unit="s", gt=0, le=600)
    margin_s: float = setting(
        default=0.1,
        help="silence kept before and after a segment, so that soft beginnings and ends are not lost; at most half of "
        "`min_silence_s`",
        unit="s",
        ge=0,
        le=60,
    )
    shortest_s: float = setting(
        default=2.0,
        help="shorter pieces are joined to the nearer neighbour within 10 s, unless the result would be longer than "
        "`longest_s`; no piece is dropped",
        unit="s",
        ge=0,
        le=600,
    )
    longest_s: float = setting(
        default=120.0, help="longer pieces are cut at their quietest points", unit="s", ge=1, le=3600
    )

    keep_audio: bool = setting(
        default=False,
        help="keep a copy of all recordings in the store, mono at `frontend.rate`, checked by `ossicle store verify`",
        digest=False,
    )

    def __post_init__(self) -> None:
        """Reject margins that would overlap, pieces that are too short and too long at once, and a table too many."""
        if self.margin_s * 2 > self.min_silence_s:
            raise ValueError(
                f"margin_s = {self.margin_s:g} s is more than half of min_silence_s = {self.min_silence_s:g} s: the "
                "margins of two segments would overlap; lower it"
            )
        if self.shortest_s * 2 > self.longest_s:
            raise ValueError(
                f"shortest_s = {self.shortest_s:g} s is more than half of longest_s = {self.longest_s:g} s: the parts "
                "of a long piece could be too short; lower it"
            )
        if self.threshold_db > 0 and self.relative_to != PERCENTILE:
            raise ValueError(
                f"threshold_db = {self.threshold_db:g} dB: no frame is louder than {self.relative_to}; use a negative "
                f'value, or relative_to = "{PERCENTILE}"'
            )
        if self.by == TABLE and not self.table:
            raise ValueError('table: by = "table" needs the path of a table of segments')
        if self.by != TABLE and self.table:
            raise ValueError(f'table = {self.table!r}: it is read only with by = "table"; set by, or remove table')

    @property
    def in_words(self) -> str:
        """How recordings are cut into segments.

        >>> SegmentSettings().in_words
        'cut at silences of 0.5 s (40 dB below the loudest frame); 2 to 120 s long'
        """
        if self.by == FILES:
            return "each recording is one segment"
        if self.by == TABLE:
            return f"those of {self.table}"
        level = f"{abs(self.threshold_db):g} dB {'above' if self.threshold_db > 0 else 'below'}"
        if self.relative_to == FULL_SCALE:
            where = f"{self.threshold_db:g} dBFS"
        elif self.relative_to == LOUDEST:
            where = f"{level} the loudest frame"
        else:
            where = f"{level} the level of {self.percentile:g} % of the frames"
        lengths = f"{self.shortest_s:g} to {self.longest_s:g} s long"
        return f"cut at silences of {self.min_silence_s:g} s ({where}); {lengths}"
