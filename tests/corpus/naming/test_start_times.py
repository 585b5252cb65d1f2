"""The naming schemes of recorders and recording programs: which give a start, with which zone, and which give none."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.corpus.naming.clip_name_template import ClipNames
from ossicle.corpus.naming.recording_fields import RecordingNames
from ossicle.corpus.naming.start_times import start_time_of

PLAIN = "2020-05-01T05:00:00"
SCHEMES = {
    "AudioMoth": ("20200501_050000", PLAIN),
    "AudioMoth, triggered": ("20200501_050000T", PLAIN),
    "AudioMoth with its ID": ("24F31901603710B4_20200501_050000", PLAIN),
    "AudioMoth, first ones": ("5EABAB50", "2020-05-01T04:53:36+00:00"),
    "SM2": ("SITE_20200501_050000_000", PLAIN),
    "SM2 with channels": ("SITE_0+1_20200501_050000_000", PLAIN),
    "SM3": ("SM301234_0+1_20200501$050000", PLAIN),
    "SM4": ("S4A01234_20200501_050000", PLAIN),
    "SM Mini": ("SMM01234_20200501_050000", PLAIN),
    "SM Micro": ("SMU01234_20200501_050000", PLAIN),
    "SM2 without channel names": ("SITE__0__20200501_050000", PLAIN),
    "SM2 without a site": ("__0__20200501_050000", PLAIN),
    "Kaleidoscope, split": ("SITE_20200501_050000_000_00m_15s__12l_34h_sp", PLAIN),
    "SWIFT": ("SWIFT01_20200501_050000", PLAIN),
    "SWIFT with a zone": ("SWIFT01_20200501_050000-0400", "2020-05-01T05:00:00-04:00"),
    "SwiftOne": ("S1234_20200501_050000.000_-0400", "2020-05-01T05:00:00-04:00"),
    "BAR-LT": ("20200501T050000+1000_REC", "2020-05-01T05:00:00+10:00"),
    "BAR-LT with coordinates": ("20200501T050000+1000_Site [-27.3866 152.8761]", "2020-05-01T05:00:00+10:00"),
    "BAR, newer": (
        "S20200501T050000.123+0930_E20200501T060000.000+0930_-12.34567+78.98102",
        "2020-05-01T05:00:00.123000+09:30",
    ),
    "SoundTrap": ("5678.200501050000", PLAIN),
    "SoundTrap ST600": ("1678278701.200501050000", PLAIN),
    "icListen": ("ICLISTENHF1234_20200501T050000.000Z", "2020-05-01T05:00:00+00:00"),
    "AMAR": ("AMAR123.1.20200501T050000Z", "2020-05-01T05:00:00+00:00"),
    "HARP": ("CINMS18B_d04_200501_050000.d100.x", PLAIN),
    "Zoom F3": ("200501-050000", PLAIN),
    "ARBIMON": ("mySite-2020-05-01_05-00", PLAIN),
    "RFCx": ("abcdef-2020-05-01T05-00-00.000Z", "2020-05-01T05:00:00+00:00"),
    "Bugg": ("2020-05-01T05_00_00.000Z", "2020-05-01T05:00:00+00:00"),
    "BirdNET-Pi": ("2020-05-01-birdnet-05:00:00", PLAIN),
    "BirdNET-Pi, stream": ("2020-05-01-birdnet-RTSP_1-05:00:00", PLAIN),
    "BirdNET-Go": ("turdus_merula_80p_20200501T050000Z", "2020-05-01T05:00:00+00:00"),
    "ISO 8601": ("2020-05-01T05:00:00", PLAIN),
    "ISO 8601 with Z": ("2020-05-01T05:00:00Z", "2020-05-01T05:00:00+00:00"),
    "ISO 8601 with a zone": ("2020-05-01T05:00:00-03:30", "2020-05-01T05:00:00-03:30"),
    "ISO 8601, minutes": ("20200501T0500Z", "2020-05-01T05:00:00+00:00"),
    "Anabat": ("2020-05-01 05-00-00", PLAIN),
    "PAMGuard": ("PAM_20200501_050000_000", PLAIN),
    "Cacophony": ("20200501-050000", PLAIN),
    "a phone": ("REC20200501050000", PLAIN),
    "a phone with blanks": ("Recording 2020-05-01 05.00.00 (2)", PLAIN),
    "hours and minutes": ("2020-05-01_05h00m00s", PLAIN),
    "dots": ("siteD_20200501_050000.23_tape", PLAIN),
    # These hold no time.
    "Olympus": ("DM650001", None),
    "Olympus with a date": ("200501_001", None),
    "Tascam": ("TASCAM_0001", None),
    "Tascam with a date": ("200501_0001", None),
    "Zoom": ("ZOOM0001_LR", None),
    "Zoom, folders": ("STE-001", None),
    "Roland": ("R05_0001", None),
    "Pettersson": ("M00001", None),
    "xeno-canto": ("XC123456 - Turdus merula", None),
    "a date": ("2020-05-01", None),
    "a date and a number": ("20200501_0001", None),
    "hexadecimal, too early": ("0000ABCD", None),
    "hexadecimal, too late": ("FFFFFFFF", None),
    "eight digits": ("56789012", None),
    "a date that is none": ("20200230_050000", None),
    "a month that is none": ("20201310_050000", None),
    "more digits": ("120200501_050000", None),
    "nothing": ("nothing", None),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_schemes_of_recorders(scheme):
    stem, expected = SCHEMES[scheme]
    assert start_time_of(stem) == expected


def test_a_number_behind_the_time_is_no_zone():
    for stem in ("20200501_050000-0001", "20200501_050000_+1", "20200501_050000+153.1234", "20200501_050000Zoo"):
        assert start_time_of(stem) == PLAIN


@given(
    start=st.datetimes(datetime(2005, 1, 1), datetime(2039, 12, 31)).map(lambda one: one.replace(microsecond=0)),
    form=st.sampled_from(
        ["%Y%m%d_%H%M%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%dT%H%M%S", "%Y-%m-%d_%H-%M-%S", "%Y.%m.%d %H.%M.%S"]
    ),
    quarters=st.none() | st.integers(-48, 56),
    front=st.sampled_from(["", "SITE_", "SM4-12345_", "abc "]),
)
def test_any_time_with_any_zone_comes_back(start, form, quarters, front):
    zone = None if quarters is None else timezone(timedelta(minutes=15 * quarters))
    written = start.replace(tzinfo=zone)
    result = start_time_of(front + written.strftime(form) + written.strftime("%z"))
    assert datetime.fromisoformat(result) == written
    assert datetime.fromisoformat(result).utcoffset() == written.utcoffset()


@given(st.text(max_size=60))
def test_any_name_is_read_or_passed_over(name):
    result = start_time_of(name)
    assert result is None or datetime.fromisoformat(result).year >= 1900


def test_long_names_of_digits_take_no_time():
    assert start_time_of("20200230_050000" * 15 + "9" * 200 + "-" * 200) is None


def test_a_clip_keeps_the_zone_of_its_tape():
    names = ClipNames(("{tape:*}_{start:#}_{end:#}",), "s")
    path = "20200501T235959+1000_2_5.wav"
    clip = names.parse(path.removesuffix(".wav"))
    fields = RecordingNames(None, {path: clip}, "s").fields(path)
    assert fields["start_time"] == "2020-05-02T00:00:01+10:00"
    assert datetime.fromisoformat(fields["start_time"]).astimezone(UTC).hour == 14
