"""The report of an incident: the same bytes each time, every value text, nobody's names where they do not belong."""

from __future__ import annotations

import html
import io
import json
import re
from dataclasses import replace

import pytest

from output import incidents
from tocsin.model.incident import Incident
from tocsin.output.report import AUDIENCES, Audience, Report, write, write_overview
from tocsin.output.report.records import records


def _page(incident: Incident, **asked: str) -> str:
    file = io.StringIO()
    write(Report(incident=incident, run=incidents.run(), **asked), file)  # type: ignore[arg-type]
    return file.getvalue()


def _data(page: str) -> dict[str, list[list[object]]]:
    found = re.search(r'<script type="application/json" id="records">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, list[list[object]]] = json.loads(found[1])
    return data


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_same_report_gives_the_same_bytes(audience: Audience) -> None:
    assert _page(incidents.incident(), audience=audience) == _page(incidents.incident(), audience=audience)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_hostile_values_stay_text(audience: Audience) -> None:
    page = _page(incidents.incident(words=incidents.HOSTILE), audience=audience)
    scripts = re.findall(r"<script[^>]*>", page)
    data = [f'<script type="application/json" id="{name}">' for name in ("records", "raw")]
    data.append('<script type="text/plain" id="blocks">')
    assert scripts == ([*data, "<script>"] if audience == "analyst" else [])
    assert not re.search(r"<(?:img|iframe|object|embed|base|form(?! method=\"dialog\"))", page)
    assert not re.search(r"\son[a-z]+=", re.sub(r"&lt;.*?&gt;|\\u003c[^\"]*", "", page))
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert not {"\u202e", "\x1b"} & set(json.dumps(_data(page), ensure_ascii=False) if audience == "analyst" else "")


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_page_names_nothing_to_load(audience: Audience) -> None:
    page = _page(incidents.incident(), audience=audience)
    assert "default-src 'none'" in html.unescape(page)
    links = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"') >]+)", page)
    assert {link for link in links if not link.startswith("#")} <= {"data:,", "#", '"#record-'}, links


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_marking_stands_at_head_and_foot_of_screen_and_paper(audience: Audience) -> None:
    page = _page(
        incidents.incident(), audience=audience, tlp="amber", classification='IN "CONFIDENCE"', caveat="NZ EYES ONLY"
    )
    shown = html.escape('TLP:AMBER // IN "CONFIDENCE" // NZ EYES ONLY').replace("&quot;", "&#34;")
    assert page.count(f"<p>{shown}</p>") == 2
    assert page.count('content: "TLP:AMBER // IN \\22 CONFIDENCE\\22  // NZ EYES ONLY"') == 2


def test_a_marking_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no marking"):
        Report(incident=incidents.incident(), run=incidents.run(), tlp="pink")


def test_every_claim_leads_to_its_record() -> None:
    incident = incidents.incident()
    page = _page(incident)
    data = _data(page)
    names, rows = data["names"], data["rows"]
    assert len(rows) == len(incident.findings) + 3  # three records are cited that no rule fired on
    for entry in incident.timeline:
        number = next(
            int(found) for found in re.findall(r'data-record="(\d+)"', page) if rows[int(found)][3] == entry.at.rec
        )
        assert names[rows[number][1]] == entry.at.path  # type: ignore[index]
    assert {int(found) for found in re.findall(r'data-record="(\d+)"', page)} <= set(range(len(rows)))


def test_leadership_sees_no_record_and_partners_no_name_of_ours() -> None:
    incident = incidents.incident()
    leadership = _page(incident, audience="leadership")
    assert "data-record" not in leadership
    assert "xxxx" not in leadership, "no command line"
    assert "dc-01" in leadership
    partner = _page(incident, audience="partner")
    ours = [*incidents.HOSTS, "m.tane", "ASSEMBLY", "S-1-5-21", "10.0.4.17", "cmd.exe", ".evtx", incident.title]
    assert [name for name in ours if name in partner] == []
    assert "1[.]1[.]1[.]1" in partner
    assert "T1505.003" in partner


def _with_mail(kind: str = "m365") -> Incident:
    incident = incidents.incident(2)
    secret = {"Subject": "Budget vote on Tuesday", "Sender": "a@parliament.example", "Item.Subject": "Budget again"}
    return replace(incident, findings=(replace(incident.findings[0], kind=kind, fields=secret), incident.findings[1]))


def test_content_of_mail_is_withheld_unless_there_is_a_reason() -> None:
    page = _page(_with_mail())
    assert "Budget" not in page
    assert "[withheld: 22 characters]" in page
    assert "2 values with content of mail are withheld" in page
    assert "a@parliament.example" in page
    shown = _page(_with_mail(), revealed="asked for by the member")
    assert "Budget vote on Tuesday" in shown
    assert "asked for by the member" in shown
    certificate = _page(_with_mail("zeek"))
    assert "Budget vote on Tuesday" in certificate, "the subject of a certificate is no mail"


def test_the_page_never_says_that_it_is_over() -> None:
    words = re.sub(r"<[^>]+>", " ", _page(incidents.incident(), audience="leadership")).lower()
    assert not re.search(r"\b(clean|contained|no threat|nothing was found|all clear)\b", words)
    assert "could not have fired" in words


def test_an_incident_without_times_hosts_or_processes_is_told() -> None:
    bare = Incident(
        id="0" * 32,
        title="One finding",
        rank="review",
        score=1.0,
        because=(),
        level="low",
        first_us=None,
        last_us=None,
        findings=(replace(incidents.cited(0, {}, minute=0), host="", techniques=(), tactics=()),),
    )
    page = _page(bare)
    for sentence in ("No record shows how they came in", "No step has a time", "The records name none"):
        assert sentence in page


def test_a_large_incident_stays_below_fifteen_megabytes() -> None:
    incident = incidents.incident(2_000)
    long = {"ScriptBlockText": "y" * 40_000}
    incident = replace(incident, findings=tuple(replace(one, fields=long) for one in incident.findings))
    told = records(incident, {}, revealed=False)
    assert told.cut_at < 40_000
    page = _page(incident)
    assert len(page.encode()) < 15_000_000
    assert f"longer than {told.cut_at:,} characters" in page


def test_processes_that_name_each_other_as_parents_end() -> None:
    incident = incidents.incident(4)
    loop = tuple(replace(one, parent=(number + 1) % 4) for number, one in enumerate(incident.processes))
    assert "Programs that started programs" in _page(replace(incident, processes=loop))


def test_the_overview_lists_what_is_to_be_done_first_and_links_to_the_pages() -> None:
    first = incidents.incident(words=incidents.HOSTILE)
    second = replace(incidents.incident(8), id="a" * 32, rank="review", title="Something smaller")
    file = io.StringIO()
    write_overview((first, second), {first.id: "incident-3f.html"}, incidents.run(), file)
    page = file.getvalue()
    assert page.index("Act now") < page.index('<a href="incident-3f.html">') < page.index("Something smaller")
    assert not re.search(r"<(?:script|img|iframe)", page)
    assert "could not have fired" in page
