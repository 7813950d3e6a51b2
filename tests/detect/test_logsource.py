from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.compiled import compiled, refused, shape, text_of, variants
from tocsin.detect import carry, defender, globs, logsource
from tocsin.detect.places import PLACES
from tocsin.detect.sigma import TABLES
from tocsin.detect.trees import And, Neg, Or, Tree
from tocsin.model.kind import KINDS
from tocsin.model.rule import Pattern

PROCESS = "{product: windows, category: process_creation}"
REGISTRY = "{product: windows, category: registry_set}"
FILES = "{product: windows, category: file_access}"
NETWORK = "{product: windows, category: network_connection}"
SYSMON = "Channel equals microsoft-windows-sysmon/operational"


def gates(logsource_text: str, kinds: frozenset[str] = frozenset({"windows"})) -> dict[str, Any]:
    ruleset = compiled(text_of("s: [word]\ncondition: s", logsource=logsource_text))
    assert ruleset.problems == ()
    found = [one for one in ruleset.variants if one.kind != defender.KIND]  # told by a test of its own
    assert {one.kind for one in found} == kinds
    return {one.name: shape(ruleset, one.gate) for one in found}


def security(selection: str, source: str) -> Any:
    """What the variant for the security log asks; None where there is no such variant."""
    return variants(compiled(text_of(selection, logsource=source))).get("security")


def both(selection: str, source: str) -> Any:
    return security(f"s: {selection}\ncondition: s", source)


# --------------------------------------------------------------------------------- where events are found


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{product: windows, category: image_load}", {"": ["all", SYSMON, "EventID equals 7"]}),
        (
            "{product: windows, category: pipe_created}",
            {"": ["all", SYSMON, ["any", "EventID equals 17", "EventID equals 18"]]},
        ),
        ("{category: image_load}", {"": ["all", SYSMON, "EventID equals 7"]}),
        (
            "{product: windows, category: image_load, service: security}",
            {"": ["all", SYSMON, "EventID equals 7"]},
        ),
        (
            "{product: windows, category: ps_script}",
            {
                "": [
                    "all",
                    [
                        "any",
                        "Channel equals microsoft-windows-powershell/operational",
                        "Channel equals powershellcore/operational",
                    ],
                    "EventID equals 4104",
                ]
            },
        ),
        (
            "{product: windows, category: ps_classic_start}",
            {"": ["all", "Channel equals windows powershell", "EventID equals 400"]},
        ),
        ("{product: windows, service: security}", {"": "Channel equals security"}),
        ("{product: windows, service: sysmon}", {"": SYSMON}),
        (
            "{product: windows, service: iis-configuration}",
            {"": "Channel equals microsoft-iis-configuration/operational"},
        ),
        ("{product: windows}", {"": ["all"]}),
        (
            PROCESS,
            {
                "sysmon": ["all", SYSMON, "EventID equals 1"],
                "security": ["all", "Channel equals security", "EventID equals 4688"],
            },
        ),
        (
            "{category: network_connection}",
            {
                "sysmon": ["all", SYSMON, "EventID equals 3"],
                "security": ["all", "Channel equals security", "EventID equals 5156"],
            },
        ),
        (
            "{product: windows, category: registry_add}",
            {
                "sysmon": ["all", SYSMON, "EventID equals 12"],
                "security": [
                    "all",
                    "Channel equals security",
                    "EventID equals 4657",
                    ["any", "OperationType equals %%1904", "OperationType equals new registry value created"],
                ],
            },
        ),
    ],
)
def test_gates(source: str, wanted: dict[str, Any]) -> None:
    assert gates(source) == wanted


@pytest.mark.parametrize(
    ("source", "kinds", "wanted"),
    [
        ("{category: webserver}", {"webserver"}, {"": ["all"]}),
        ("{category: webserver, product: apache}", {"webserver"}, {"": ["all"]}),
        ("{product: zeek, service: http}", {"zeek"}, {"": "_path equals http"}),
        (
            "{product: linux, service: sshd}",
            {"linux"},
            {"": ["any", "program equals sshd", "program equals sshd-session"]},
        ),
        ("{category: firewall}", {"firewall", "linux"}, {"": ["all"], "syslog": "src_ip exists"}),
    ],
)
def test_gates_outside_windows(
    source: str, kinds: set[str], wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logsource, "KINDS", kinds)
    assert gates(source, frozenset(kinds)) == wanted


def test_every_kind_that_is_read_is_a_place() -> None:
    places = {place.kind for found in PLACES.values() for place in found}
    # A table of what runs or listens is no log of it: only indicators look at those of Velociraptor.
    assert KINDS.keys() - {"mail", "windows", "velociraptor"} <= places


def test_a_place_that_nothing_reads_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logsource, "KINDS", {"windows"})
    assert logsource.places("webserver", "", "") == ()


def test_opened_files_are_looked_for_where_windows_audits_them() -> None:
    asked = both("{FileName|endswith: '\\Login Data', Image|endswith: '\\evil.exe'}", FILES)
    assert asked == ["all", "ObjectName endswith \\login data", "ProcessName endswith \\evil.exe"]
    assert gates(FILES)["security"] == [
        "all", "Channel equals security", "EventID equals 4663", "ObjectType equals file"
    ]  # fmt: skip


@pytest.mark.parametrize("category", ["registry_add", "registry_delete", "registry_event", "registry_set"])
def test_registry_operations(category: str) -> None:
    gate = gates(f"{{product: windows, category: {category}}}")["security"]
    found = {text.split()[-1] for text in gate[3][1:] if "%%" in text}
    wanted = {
        "registry_add": {"%%1904"},
        "registry_delete": {"%%1906"},
        "registry_event": {"%%1904", "%%1905", "%%1906"},
        "registry_set": {"%%1904", "%%1905"},
    }
    assert found == wanted[category]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("{product: beos, category: process_creation}", "product 'beos', category 'process_creation'"),
        ("{category: telepathy}", "category 'telepathy'"),
        ("{service: gopher}", "service 'gopher'"),
        ("{service: security}", "service 'security'"),
        ("{product: windows, service: unheard-of}", "channel is not known"),
        ("{product: windows, category: unheard_of}", "category 'unheard_of'"),
        ("{product: windows, category: file_rename}", "in no Windows log"),
    ],
)
def test_no_reader(source: str, word: str) -> None:
    reason, line, text = refused(text_of("s: {A: 1}\ncondition: s", logsource=source))
    assert (reason, line) == ("no reader", 1)
    assert word in text


def test_rules_without_a_reader_are_still_checked() -> None:
    text = text_of("s: {A|contins: 1}\ncondition: s", logsource="{product: linux}")
    assert refused(text)[0] == "unsupported"
    assert refused(text_of("s: {A: 1}\ncondition: t", logsource="{product: linux}"))[0] == "not sigma"


def test_the_tables_of_pysigma_have_the_shape_that_is_read() -> None:
    for service in TABLES.channels:
        assert isinstance(logsource.variants("", "windows", service, TABLES), tuple)
    for category in (*TABLES.sysmon, *TABLES.categories):
        assert isinstance(logsource.variants(category, "windows", "", TABLES), tuple)
    assert set(logsource.SECURITY) <= set(TABLES.sysmon)
    assert not set(logsource.MORE_CHANNELS) & set(TABLES.channels)


# --------------------------------------------------------------------------------- Defender's hunting tables


@pytest.mark.parametrize(
    ("source", "actions", "platform"),
    [
        (PROCESS, "ActionType equals processcreated", "windows"),
        ("{product: linux, category: process_creation}", "ActionType equals processcreated", "linux"),
        ("{product: macos, category: process_creation}", "ActionType equals processcreated", "macos"),
        (REGISTRY, "ActionType equals registryvalueset", "windows"),
        ("{product: windows, category: image_load}", "ActionType equals imageloaded", "windows"),
    ],
)
def test_events_of_defender(source: str, actions: str, platform: str) -> None:
    ruleset = compiled(text_of("s: [word]\ncondition: s", logsource=source))
    [found] = [one for one in ruleset.variants if one.kind == defender.KIND]
    assert (found.name, shape(ruleset, found.gate)) == (
        defender.NAME,
        ["all", actions, f"platform equals {platform}"],
    )


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (r"s: {Image|endswith: '\a.exe'}", r"Image endswith \a.exe"),
        ("s: {CurrentDirectory: a, Image: b}", None),
        ("s: {Image: b}\nn: {CurrentDirectory: a}", "Image equals b"),
    ],
)
def test_what_defender_does_not_log_is_found_in_none_of_its_events(selection: str, wanted: Any) -> None:
    ruleset = compiled(text_of(f"{selection}\ncondition: s", logsource=PROCESS))
    assert [shape(ruleset, one.condition) for one in ruleset.variants if one.kind == defender.KIND] == (
        [] if wanted is None else [wanted]
    )


# --------------------------------------------------------------------------------- 4688


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (r"{Image|endswith: '\a.exe'}", r"NewProcessName endswith \a.exe"),
        (r"{ParentImage|contains|cased: 'A'}", "ParentProcessName contains A CASED"),
        ("{CommandLine|re: 'a+'}", "CommandLine regex a+"),
        ("{ProcessId: 4}", "NewProcessId equals 0x4"),
        ("{ParentProcessId: 255}", "ProcessId equals 0xff"),
        ("{ProcessId|gt: 4}", "NewProcessId gt 4"),
        ("{ProcessId|contains: '4'}", None),
        ("{Image|fieldref: ParentImage}", "NewProcessName fieldref ParentProcessName"),
        ("{Image|fieldref: CurrentDirectory}", None),
        ("{User|fieldref: ParentUser}", None),
        ("{OriginalFileName: a}", None),
        ("[{OriginalFileName: a}, {CommandLine: b}]", "CommandLine equals b"),
        ("{OriginalFileName: a, CommandLine: b}", None),
        ("{OriginalFileName: null, CommandLine: b}", "CommandLine equals b"),
        ("{OriginalFileName: null}", None),
        ("{OriginalFileName|exists: false, CommandLine: b}", "CommandLine equals b"),
        ("{OriginalFileName|neq: a, CommandLine: b}", "CommandLine equals b"),
        ("{SubjectUserName: a}", "SubjectUserName equals a"),
        ("{Provider_Name: a}", "Provider_Name equals a"),
        ("{EventID: 1, CommandLine: a}", None),
        ("{EventID: 4688, CommandLine: a}", "CommandLine equals a"),
        ("[word]", "None contains word"),
        ("{IntegrityLevel: [System, S-1-16-16384]}", "MandatoryLabel equals s-1-16-16384"),
        (
            "{IntegrityLevel: [High, Medium]}",
            ["any", "MandatoryLabel equals s-1-16-12288", "MandatoryLabel equals s-1-16-8192"],
        ),
        ("{IntegrityLevel|startswith: Lo}", "MandatoryLabel equals s-1-16-4096"),
        ("{IntegrityLevel: Odd}", None),
    ],
)
def test_process_creation(selection: str, wanted: Any) -> None:
    assert both(selection, PROCESS) == wanted


# --------------------------------------------------------------------------------- 4657


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (r"{Image|endswith: '\reg.exe'}", r"ProcessName endswith \reg.exe"),
        ("{EventType: CreateKey}", None),
        ("{Details: ''}", "NewValue equals"),
        ("{Details: 'abc.exe'}", "NewValue equals abc.exe"),
        (
            "{Details: 'DWORD (0x0000002a)'}",
            [
                "all",
                ["any", "NewValueType equals %%1876", "NewValueType equals reg_dword"],
                ["any", "NewValue equals 42", "NewValue equals 0x2a", "NewValue equals 0x0000002a"],
            ],
        ),
        (
            "{Details: '(Empty)'}",
            ["any", "NewValue equals (empty)", "NewValue null", "NewValue equals -"],
        ),
        (
            "{Details: Binary Data}",
            [
                "any",
                "NewValue equals binary data",
                "NewValueType equals %%1875",
                "NewValueType equals reg_binary",
            ],
        ),
        ("{Details|contains: '0000'}", None),
        (
            r"{TargetObject|endswith: '\Run'}",
            ["any", r"ObjectValueName endswith \run", "ObjectValueName equals run"],
        ),
        (
            r"{TargetObject: 'HKLM\System\CurrentControlSet\Control\Lsa\Name'}",
            [
                "any",
                [
                    "all",
                    r"ObjectName equals \registry\machine",
                    r"ObjectValueName wildcard system\\controlset???\\control\\lsa\\name",
                ],
                [
                    "all",
                    r"ObjectName equals \registry\machine\system",
                    r"ObjectValueName wildcard controlset???\\control\\lsa\\name",
                ],
                [
                    "all",
                    r"ObjectName wildcard \\registry\\machine\\system\\controlset??",
                    r"ObjectValueName equals \control\lsa\name",
                ],
                [
                    "all",
                    r"ObjectName wildcard \\registry\\machine\\system\\controlset???",
                    r"ObjectValueName equals control\lsa\name",
                ],
                [
                    "all",
                    r"ObjectName wildcard \\registry\\machine\\system\\controlset???\\control",
                    r"ObjectValueName equals lsa\name",
                ],
                [
                    "all",
                    r"ObjectName wildcard \\registry\\machine\\system\\controlset???\\control\\lsa",
                    "ObjectValueName equals name",
                ],
            ],
        ),
    ],
)
def test_registry(selection: str, wanted: Any) -> None:
    found = both(selection, REGISTRY)
    if isinstance(wanted, list) and "controlset" in str(wanted):
        # One place where a `?` could be the separator is enough to see that all are tried.
        assert all(part in found for part in wanted)
    else:
        assert found == wanted


# --------------------------------------------------------------------------------- 5156


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (r"{Image|endswith: '\a.exe'}", r"Application endswith \a.exe"),
        ("{Image: System}", "Application equals system"),
        (
            r"{Image: 'C:\a.exe'}",
            [
                "any",
                r"Application wildcard \\device\\harddiskvolume?\\a.exe",
                r"Application wildcard \\device\\harddiskvolume??\\a.exe",
            ],
        ),
        (
            r"{Image|contains: ':\Users\'}",
            [
                "any",
                r"Application wildcard \\device\\harddiskvolume?\\users\\*",
                r"Application wildcard \\device\\harddiskvolume??\\users\\*",
            ],
        ),
        (r"{Image|contains: 'a:b'}", None),
        (r"{Image|startswith: '\\\\server\'}", None),
        (r"{Image|re: '^C:'}", None),
        (r"{Image|re: 'a\.exe$'}", r"Application regex a\.exe$"),
        ("{DestinationIp|cidr: 10.0.0.0/8}", "DestAddress cidr 10.0.0.0/8"),
        ("{DestinationPort: 443}", "DestPort equals 443"),
        ("{SourceIp: 1.2.3.4}", "SourceAddress equals 1.2.3.4"),
        ("{SourcePort: 1}", "SourcePort equals 1"),
        ("{Initiated: true}", ["any", "Direction equals %%14593", "Direction equals outbound"]),
        ("{Initiated: 'false'}", ["any", "Direction equals %%14592", "Direction equals inbound"]),
        ("{Protocol: tcp}", ["any", "Protocol equals 6", "Protocol equals tcp"]),
        ("{DestinationHostname: a}", None),
        ("{CommandLine: a}", None),
    ],
)
def test_network_connection(selection: str, wanted: Any) -> None:
    assert both(selection, NETWORK) == wanted


def test_what_a_rule_excludes_and_cannot_be_said_leaves_the_variant_out() -> None:
    text = "s: {Image: 'C:\\a.exe'}\nf: {Image|re: '^C:'}\ncondition: s and not f"
    assert security(text, NETWORK) is None
    text = "s: {Image: 'C:\\a.exe'}\nf: {Image|re: '^C:'}\ncondition: s or f"
    assert security(text, NETWORK)[0] == "any"


# --------------------------------------------------------------------------------- the same in other words

EVENT = dict[str, str]


def holds(tree: Tree | None, event: EVENT) -> bool:
    match tree:
        case bool():
            return tree
        case And(parts):
            return all(holds(part, event) for part in parts)
        case Or(parts):
            return any(holds(part, event) for part in parts)
        case Neg(part):
            return not holds(part, event)
        case Pattern(field, "null"):
            return not event.get(field or "")
    assert isinstance(tree, Pattern)
    glob = globs.glob_of(tree)
    assert glob is not None
    return (tree.field or "") in event and globs.covers(glob, event[tree.field or ""].lower())


words = st.lists(st.sampled_from(["a", "b", "ab", "\\", "-", "nt authority", "system", "$"]), max_size=5).map("".join)
wild = st.lists(
    st.sampled_from([globs.MANY, globs.ONE, "a", "b", "\\", "nt", "system", "authori"]),
    min_size=1,
    max_size=5,
)


@given(glob=wild, domain=words, name=words)
def test_an_account_in_two_fields(glob: list[Any], domain: str, name: str) -> None:
    asked = globs.pattern("User", glob)
    event = {"SubjectDomainName": domain, "SubjectUserName": name, "SubjectLogonId": "0x1234"}
    wanted = globs.covers(globs.glob_of(asked) or (), f"{domain}\\{name}")
    assert holds(carry.subject(carry.account)(asked), event) == wanted
    started = {**event, "SubjectDomainName": "x", "TargetLogonId": "0x0"}
    assert holds(carry.target_or_subject(carry.account)(asked), {**started, **event}) == wanted
    other = {"TargetDomainName": domain, "TargetUserName": name, "TargetLogonId": "0x99"}
    assert holds(carry.target_or_subject(carry.account)(asked), {**started, **other}) == wanted


@pytest.mark.parametrize("asked", ["*authori*", "*autori*", "nt authority\\system", "*\\system", "*system"])
def test_the_system_is_known_by_its_session(asked: str) -> None:
    glob = [globs.MANY if part == "*" else part for part in asked.replace("*", "\0*\0").split("\0")]
    tree = carry.target_or_subject(carry.account)(globs.pattern("User", glob))
    machine = {"SubjectUserName": "HOST$", "SubjectDomainName": "WORKGROUP", "TargetLogonId": "0x0"}
    assert holds(tree, {**machine, "SubjectLogonId": "0x3e7"})
    assert not holds(tree, {**machine, "SubjectLogonId": "0x123"})
    somebody = {"TargetLogonId": "0x456", "TargetUserName": "bob", "TargetDomainName": "d"}
    assert not holds(tree, {**machine, "SubjectLogonId": "0x3e7", **somebody})


def test_the_computers_own_name_is_not_that_of_the_system() -> None:
    tree = carry.subject(carry.account)(globs.pattern("User", [globs.MANY, "$", globs.MANY]))
    event = {"SubjectUserName": "HOST$", "SubjectDomainName": "WORKGROUP"}
    assert holds(tree, {**event, "SubjectLogonId": "0x123"})
    assert not holds(tree, {**event, "SubjectLogonId": "0x3e7"})


keys = st.lists(st.sampled_from(["a", "b", "services", "run"]), min_size=1, max_size=3).map("\\".join)
names = st.sampled_from(["a", "run", "a\\b", "(default)", "c:\\a"])
paths = st.lists(
    st.sampled_from([globs.MANY, globs.ONE, "a", "b", "\\", "services", "run", "(default)"]),
    min_size=1,
    max_size=6,
)
starts = st.sampled_from([["hklm\\"], ["hku\\"], ["hklm\\system\\currentcontrolset\\"], [globs.MANY], []])


roots = st.sampled_from(["hklm\\software", "hku\\s-1-5-21", "hklm\\system\\currentcontrolset"])


@given(start=starts, glob=paths, root=roots, key=keys, name=names)
def test_a_registry_value_in_two_fields(start: list[Any], glob: list[Any], root: str, key: str, name: str) -> None:
    asked = globs.pattern("TargetObject", [*start, *glob])
    tree = carry.target_object(asked)
    if tree is None:
        return
    kernel = {"hklm": "\\REGISTRY\\MACHINE", "hku": "\\REGISTRY\\USER"}[root.partition("\\")[0]]
    below = root.partition("\\")[2].replace("currentcontrolset", "ControlSet001")
    event = {
        "ObjectName": f"{kernel}\\{below}\\{key}",
        "ObjectValueName": "-" if name == "(default)" else name,
    }
    assert holds(tree, event) == globs.covers(globs.glob_of(asked) or (), f"{root}\\{key}\\{name}")


def test_splits_are_all_and_only_the_ways_to_cover() -> None:
    parts: list[Any] = ["a", "/", globs.MANY, globs.ONE]
    texts = ["", "a", "/", "a/", "/a", "aa", "a/a"]
    for glob in (globs.normal(one) for size in (1, 2, 3, 4) for one in itertools.product(parts, repeat=size)):
        found = list(globs.splits(glob, "/"))
        for left, right in itertools.product(texts, repeat=2):
            some = any(globs.covers(one, left) and globs.covers(two, right) for one, two in found)
            assert some == globs.covers(glob, f"{left}/{right}"), (glob, left, right)


def test_a_warm_start_does_not_load_what_compiles() -> None:
    ask = "import sys, tocsin.detect.logsource, tocsin.detect.cache; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    assert not {"sigma", "yaml"} & set(out.stdout.split())


def test_a_path_is_also_found_where_no_query_is() -> None:
    """Most of SigmaHQ's rules for web servers write the path into `cs-uri-query`."""
    binding = logsource.Binding(name="", kind="webserver", gate=True, besides={"cs-uri-query": ("cs-uri",)})
    asked, other = Pattern("cs-uri-query", "contains", "/owa/"), Pattern("cs-method", "equals", "get")
    assert binding.widened(asked) == Or((asked, Pattern("cs-uri", "contains", "/owa/")))
    assert binding.widened(other) == other
    for kind in ("null", "exists"):
        absent = Pattern("cs-uri-query", kind, "")
        assert binding.widened(absent) == absent
