"""Nothing in, the words that random rules and events are made of out: few, short, and awkward."""

from __future__ import annotations

FIELDS = ("Image", "CommandLine", "User", "Task Content", "Message")
SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1}
SECURITY = {"Channel": "Security", "EventID": 4624}
ELSEWHERE = {"Channel": "Application", "EventID": 1}

# Text as an event holds it: overlapping short words, characters that engines treat specially, and
# letters whose lower case has another length (İ ẞ), three cases (ǅ), or depends on what follows (Σ).
PIECES = (
    "a", "aa", "aba", "b", "A", "Ab", "aB", "\\", "\\\\", "/", "-", " -a", " /a", "-ab", ":", ".", "|", " ",
    "'", '"', "%", "_", "*", "?", "\0", "\n", "\r\n", "\t", "(", "[", "$", "^", "1", "0x", "null", "\ufeff",
    "İ", "i̇", "ẞ", "ß", "ss", "ǅ", "ǆ", "ÿ", "Ÿ", "é", "É", "Σ", "ΑΣ", "σ", "ς", "\u212a", "k", "ı", "ﬁ",
    "😀",
)  # fmt: skip
# Text as a rule writes it: the same, and wildcards, escaped wildcards and escaped backslashes.
PLAIN_PIECES = tuple(piece for piece in PIECES if piece not in "*?")
WILD_PIECES = ("*", "?", "*", "?", "\\*", "\\?", "\\\\*", "\\\\?", "\\\\")
# base64 and wide take no wildcards, wide nothing beyond ASCII.
ASCII_PIECES = ("a", "aa", "aba", "b", "A", "-a", " -b", "/a", "\\", '"', "%", "\n", "\0", " ", "1", "://")
ENCODED_PIECES = ("é", "İ", "😀", "\u2013", "\\*", "\\?")
NUMBERS = (0, 1, -1, 5, 9, 10, 4624, 1.5, -0.5, 5.0, 10.0, 2**53, 2**53 + 1, 2**63 - 1)
# pySigma turns a whole number that no float holds into the nearest float: a rule cannot ask for it.
RULE_NUMBERS = (0, 1, -1, 5, 10, 4624, 1.5, -0.5, 2**53, 2**53, 2**63)
ODD_NUMBERS = (
    "0x5",
    "0XfF",
    "05",
    "1e1",
    "5.0",
    "+5",
    " 5",
    "5 ",
    "5a",
    "0x",
    "1_0",
    "",
    "nan",
    "inf",
    "٥",
    "1e999999999999999999999",
)
TIMES = (
    "2024-02-29T23:59:59Z", "2024-02-29 23:59:59.641", "2023-12-31T23:30:00-01:00", "2021-01-03T10:05:00",
    "2020-12-31T00:00:00.1234567Z", "2024-02-29T00:30:00+0100", "2024-13-01T00:00:00Z", "yesterday",
)  # fmt: skip
ADDRESSES = (
    "10.0.0.1", "10.255.0.9", "192.168.1.5", "::ffff:10.0.0.1", "::FFFF:c0a8:105", "fe80::1", "fe80::1%12",
    "::1", "10.0.0.01", "10.0.0", "10.0.0.1 ", "10.0.0.1:80", "2001:DB8::5", "-", "167772161",
)  # fmt: skip
NETWORKS = (
    "10.0.0.0/8", "10.0.0.1/32", "192.168.1.0/30", "0.0.0.0/0", "fe80::/10", "::1/128", "2001:db8::/32",
)  # fmt: skip
# A piece of a regular expression and a text it finds.
REGEX_PIECES = (
    ("a", "a"), ("aa", "aa"), ("[ab]", "b"), ("A", "A"), (r"\\", "\\"), (r"\\\\", "\\\\"), (".", "x"),
    (".", "\n"), (".*", ""), (r"\d+", "12"), ("a*b", "aab"), ("(?:a|ba)", "ba"), (r"\s", " "), ("%", "%"),
    ("é", "é"), ("[^a]", "b"), ("a{2,3}", "aaa"), (r"\x00", "\0"), ("İ", "İ"), ("(?!b)a", "a"),
    ("(a)b\\1", "aba"), (r"\*", "*"), ("_?", "_"), (r"\bab\b", "ab"), ("ß", "ß"), ("\\n", "\n"), ("k", "k"),
    ("a{e}", "a{e}"),
)  # fmt: skip

TEXT_CHAINS = (
    "", "contains", "startswith", "endswith", "all", "contains|all", "startswith|all", "endswith|all", "neq",
    "contains|neq", "startswith|neq", "endswith|neq", "contains|all|neq", "cased", "cased|neq", "cased|all",
    "contains|cased", "cased|contains", "startswith|cased", "cased|endswith", "windash", "windash|contains",
    "contains|windash", "windash|contains|all", "contains|all|windash", "startswith|windash",
    "windash|endswith", "windash|neq", "windash|contains|cased",
    "cased|windash|contains",
)  # fmt: skip
WIDE_CHAINS = (
    "wide", "wide|contains", "utf16", "utf16|contains", "utf16|startswith", "utf16le", "utf16le|contains",
    "utf16be", "utf16be|contains", "utf16be|endswith", "wide|cased", "wide|contains|all",
    "cased|wide|contains", "cased|utf16be",
)  # fmt: skip
BASE64_CHAINS = (
    "base64", "base64|contains", "base64|cased", "cased|base64|contains", "base64offset|contains",
    "base64offset|contains|all", "wide|base64offset|contains", "utf16le|base64|contains",
    "utf16|base64offset|contains", "utf16be|base64offset|contains", "windash|base64offset|contains",
)  # fmt: skip
TIME_NUMBERS = {
    "minute": (0, 30, 59, 5), "hour": (0, 10, 23), "day": (1, 3, 29, 31), "week": (1, 9, 52, 53),
    "month": (1, 2, 12), "year": (2020, 2021, 2023, 2024),
}  # fmt: skip
REGEX_CHAINS = (
    "re", "re|i", "re|m", "re|s", "re|i|m|s", "re|all", "re|neq", "re|contains", "re|startswith",
    "re|endswith",
)  # fmt: skip
CHAINS: dict[str, tuple[str, ...]] = {
    "text": TEXT_CHAINS,
    "wide": WIDE_CHAINS,
    "base64": BASE64_CHAINS,
    "regex": REGEX_CHAINS,
    "scalar": ("", "all", "neq"),  # null, '', numbers, booleans
    "cidr": ("cidr", "cidr|all", "cidr|neq"),
    "exists": ("exists", "exists|neq"),
    "fieldref": (
        "fieldref", "fieldref|contains", "fieldref|startswith", "fieldref|endswith", "fieldref|neq",
        "fieldref|all",
    ),
    "compare": ("lt", "lte", "gt", "gte", "lt|neq", "gte|all"),
    "time": ("minute", "hour", "day", "week", "month", "year", "year|neq"),
}  # fmt: skip
MODIFIERS = frozenset("|".join("|".join(chains) for chains in CHAINS.values()).split("|")) - {""}
KEYWORD_CHAINS = (
    "contains", "all", "contains|all", "re", "re|i", "cased", "windash", "base64offset|contains", "neq",
)  # fmt: skip
