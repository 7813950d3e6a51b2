"""Who signs in by the house's own federation server in, what that server and those beside it wrote of it out.

AD FS auditing as of Windows Server 2016: 1202 and 1203 (fresh credentials were right or wrong), 1200 (a token was
given); its store is the Windows Internal Database, reached by a named pipe, and its key lies in the directory.
"""

from __future__ import annotations

from typing import Final

from tocsin.rehearse.acts import changes, logons, network, processes
from tocsin.rehearse.dice import digest
from tocsin.rehearse.machine import SYSTEM32, Machine, Running
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import windows
from tocsin.rehearse.sensors.cloud import SignIn
from tocsin.rehearse.world import Body, Host, Person

STORE: Final = "\\MICROSOFT##WID\\tsql\\query"
_SERVICE: Final = "C:\\Windows\\ADFS\\Microsoft.IdentityServer.ServiceHost.exe"
_XSI: Final = 'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def federated(person: Person) -> bool:
    """True for those who were not moved yet to signing in at the cloud itself."""
    return digest("federated", person.id)[0] in "0123456"


def account(body: Body) -> str:
    return f"{body.netbios}\\svc-adfs"


def worker(scene: Scene, machine: Machine, ts_us: int) -> None:
    """The service of the federation server starts."""
    body = scene.body(machine.host)
    session = machine.session(ts_us, account(body), logons.sid_of(body, account(body)), 5)
    machine.core["adfs"] = processes.start(
        scene, machine, ts_us, _SERVICE, _SERVICE, machine.core["services"], session, integrity="High"
    )


def vouches(scene: Scene, body: Body, ts_us: int, person: Person, how: SignIn) -> None:
    """The server asks somebody for their password, and gives a token if it is right."""
    dice, machine = scene.dice, scene.machine(body.one("adfs"))
    inside = how.client == f"{body.outside}.1"
    source: Host | str = scene.station(person).host if inside else how.client
    link = network.connect(
        scene,
        ts_us,
        source,
        machine.host,
        443,
        sent=dice.size(4_100, 0.2),
        received=dice.size(21_000, 0.3),
        lasts_s=1 + dice.wait(6),
        service="ssl",
    )
    right = not how.error
    _audit(scene, machine, ts_us + 300_000, person, how, link.source, 1202 if right else 1203, inside=inside)
    if right:
        _audit(scene, machine, ts_us + 340_000, person, how, link.source, 1200, inside=inside)


def _audit(
    scene: Scene, machine: Machine, ts_us: int, person: Person, how: SignIn, client: str, code: int, *, inside: bool
) -> None:
    kind, result = {
        1200: ("AppToken", "Success"),
        1202: ("FreshCredentials", "Success"),
        1203: ("FreshCredentials", "Failure"),
    }[code]
    why = ("CredentialValidationError", "The user name or password is incorrect") if code == 1203 else ("None", "N/A")
    text = (
        f'<?xml version="1.0" encoding="utf-16"?>\n<AuditBase {_XSI} xsi:type="{kind}Audit">\n'
        f"  <AuditType>{kind}</AuditType>\n  <AuditResult>{result}</AuditResult>\n"
        f"  <FailureType>{why[0]}</FailureType>\n  <ErrorCode>{why[1]}</ErrorCode>\n  <ContextComponents>\n"
        '    <Component xsi:type="ResourceAuditComponent">\n'
        "      <RelyingParty>urn:federation:MicrosoftOnline</RelyingParty>\n"
        f"      <ClaimsProvider>AD AUTHORITY</ClaimsProvider>\n      <UserId>{person.account}</UserId>\n"
        '    </Component>\n    <Component xsi:type="AuthNAuditComponent">\n'
        "      <PrimaryAuth>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</PrimaryAuth>\n"
        f"      <DeviceAuth>false</DeviceAuth>\n      <MfaPerformed>{str(not how.single).lower()}</MfaPerformed>\n"
        '    </Component>\n    <Component xsi:type="RequestAuditComponent">\n'
        f"      <Server>http://fs.{scene.body(machine.host).mail}/adfs/services/trust</Server>\n"
        f"      <AuthProtocol>{'WSFederation' if how.used == 'Browser' else 'WSTrust'}</AuthProtocol>\n"
        f"      <NetworkLocation>{'Intranet' if inside else 'Extranet'}</NetworkLocation>\n"
        f"      <IpAddress>{client}</IpAddress>\n      <ForwardedIpAddress/>\n"
        f"      <UserAgentString>{how.agent}</UserAgentString>\n      <Endpoint>/adfs/ls/</Endpoint>\n"
        "    </Component>\n  </ContextComponents>\n</AuditBase>"
    )
    fields = {"param1": how.request, "param2": text}
    windows.write(scene, machine, ts_us, windows.SECURITY, code, fields, provider="AD FS Auditing")


def administers(scene: Scene, body: Body, ts_us: int, who: str, source: Host, text: str, *, lasts_s: float) -> Running:
    """PowerShell on the federation server, from another machine: it reads the store, and the key in the directory.

    Returns:
        The process that ran it.
    """
    machine = scene.machine(body.one("adfs"))
    logons.ticket(scene, body, ts_us - 20_000, who, source, f"HTTP/{machine.host.name}")
    link = network.connect(
        scene, ts_us, source, machine.host, 5985, sent=9_200, received=31_000, lasts_s=lasts_s, service="http"
    )
    session = logons.logon(scene, machine, ts_us + 90_000, who, 3, source=source, port=link.sport, elevated=True)
    image = SYSTEM32 + "wsmprovhost.exe"
    line = f"{image} -Embedding"
    run = processes.start(scene, machine, ts_us + 300_000, image, line, machine.core["dcom"], session, integrity="High")
    processes.script(scene, run, ts_us + 900_000, text)
    reads_store(scene, body, run, ts_us + 1_600_000, who)
    processes.end(scene, run, ts_us + int(lasts_s * 1e6))
    logons.logoff(scene, machine, ts_us + int(lasts_s * 1e6) + 90_000, session)
    return run


def reads_store(scene: Scene, body: Body, run: Running, ts_us: int, who: str) -> None:
    """The store is asked for its settings, and a controller for the key to the certificate in them."""
    controller, source = scene.machine(body.one("dc")), run.machine.host
    processes.pipe(scene, run, ts_us, STORE, connects=True)
    link = network.connect(
        scene,
        ts_us + 400_000,
        source,
        controller.host,
        389,
        sent=1_900,
        received=3_200,
        lasts_s=0.4,
        service="ldap_tcp",
    )
    session = logons.logon(scene, controller, ts_us + 430_000, who, 3, source=source, port=link.sport)
    changes.reads_key(scene, controller, ts_us + 500_000, session)
    logons.logoff(scene, controller, ts_us + 900_000, session)
