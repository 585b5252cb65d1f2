"""Names that file systems allow and programs stumble over, for property tests."""

from hypothesis import strategies as st

TWINS = ("\u00e9", "e\u0301", "\u00c5", "A\u030a", "\u212b")
"""Names that are equal in Unicode NFC."""
BLANKS_AND_DOTS = (" a", "a ", "a  b", "a\u00a0b", ".hidden", "a.", "a..b", "..a", "...", "~", "-rf", "--help")
RESERVED = ("CON", "nul.txt", "aux", "com1", "a:b", "a\\b", "a|b", "a?b", "a*b", "[a]", "{a}", "a<b>c", "%41", "a%0A")
QUOTES = (
    'a"b',
    "a'b",
    "a`b`",
    "$HOME",
    "$(touch x)",
    "a;b",
    "a&b",
    "&amp;",
    "<b>a</b>",
    "=1+1",
    "+1",
    "@x",
    "#",
    "$a$",
)
CONTROLS = (
    "a\nb",
    "a\rb",
    "a\tb",
    "\x1b[2J",
    "a\x07",
    "a\x9b2J",
    "a\u202eb",
    "a\u200fb",
    "a\u2028b",
    "a\x85b",
    "\ufeffa",
)
SCRIPTS = (
    "\u65e5\u672c\u8a9e",
    "\u05e2\u05d1\u05e8\u05d9\u05ea",
    "\U0001f44d\U0001f3fd",
    "\ufb01",
    "x" * 120,
    "\u65e5" * 60,
)
ODD = (*TWINS[:2], *BLANKS_AND_DOTS, *RESERVED, *QUOTES, *CONTROLS, *SCRIPTS)
"""Names with every kind of trouble; of the twins one pair."""


def file_names() -> st.SearchStrategy[str]:
    """Names of files without a suffix: odd ones, two of them together, and any text that a file name may hold."""
    free = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
    every = st.sampled_from((*ODD, *TWINS))
    joined = st.tuples(every, every).map("".join)
    return st.one_of(every, joined, free).filter(lambda name: name not in (".", "..") and len(name.encode()) <= 200)
