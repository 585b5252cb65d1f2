"""One name for the many ways in which folders, files and manifests write a drum: BD, kik, Kick 01, ClosedHat."""

import re
import unicodedata
from collections.abc import Mapping

_SPELLINGS = {
    "kick": "bd kd kick kik kickdrum bassdrum bdrum",
    "snare": "sd sn snr snare snaredrum",
    "rimshot": "rs rim rimshot",
    "clap": "cp clp clap handclap",
    "hihat_closed": "hh ch chh hhc hhcl closedhat closedhihat closedhh hatclosed hihatclosed hhclosed clhat",
    "hihat_open": "oh ho ohh hho hhop openhat openhihat openhh hatopen hihatopen hhopen ophat",
    "hihat_pedal": "ph hp phh hhp pedalhat pedalhihat pedalhh hatpedal hihatpedal hhpedal foothat hihatfoot",
    "crash": "cr crash crashes crashcymbal",
    "ride": "rd ride ridecymbal",
    "tom_high": "ht htom hitom hightom tomhi tomhigh",
    "tom_mid": "mt mtom midtom mediumtom tommid tommedium",
    "tom_low": "lt ltom lotom lowtom tomlo tomlow",
    "tom_floor": "floortom tomfloor",
    "cowbell": "cb cowbell",
    "tambourine": "tb tamb tambourine",
    "shaker": "sh shk shaker",
}
DRUM_NAMES: Mapping[str, str] = {text: name for name, texts in _SPELLINGS.items() for text in texts.split()}
"""Names that Ossicle uses, by the letters of what people write, in lower case."""
_COUNTED = frozenset({"crash", "ride"})
"""A kit has several of these, told apart by the number after the name."""


def drum_name(label: str) -> str:
    """Return the name that Ossicle uses for a drum; empty if it is not known.

    Case, blanks, hyphens, underscores, numbers and a plural do not count: numbers are machines or takes. Crashes and
    rides keep theirs, and other words make another label.

    Parameters
    ----------
    label
        A label as somebody wrote it.

    Examples
    --------
    >>> [drum_name(one) for one in ("BD", "Kick 01", "808 Cowbell", "Tom-Lo", "ClosedHat", "Snares", "Hi-Hats Open")]
    ['kick', 'kick', 'cowbell', 'tom_low', 'hihat_closed', 'snare', 'hihat_open']
    >>> [drum_name(one) for one in ("Crash 2", "Tom 1", "hihat", "Kick reverse", "bdx")]
    ['', '', '', '', '']
    """
    text = unicodedata.normalize("NFKC", label).casefold()
    text_words = re.findall(r"[^\W\d_]+", text)
    singular = (word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word for word in text_words)
    name = DRUM_NAMES.get("".join(text_words)) or DRUM_NAMES.get("".join(singular), "")
    return "" if name in _COUNTED and re.search(r"\d\W*$", text) else name
