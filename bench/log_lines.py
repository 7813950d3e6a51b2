"""A number and a seed in, so many lines of a log out, as a busy network would write them: one function a format.

Addresses, names and sizes are drawn anew for each line, so that hardly two lines are the same; ids are all different.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

_START = 1_772_384_400  # 2026-03-01 17:00 UTC
_RATE = 200  # lines a second
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CONN = (
    *("ts time", "uid string", "id.orig_h addr", "id.orig_p port", "id.resp_h addr", "id.resp_p port", "proto enum"),
    *("service string", "duration interval", "orig_bytes count", "resp_bytes count", "conn_state string"),
    *("local_orig bool", "local_resp bool", "missed_bytes count", "history string", "orig_pkts count"),
    *("orig_ip_bytes count", "resp_pkts count", "resp_ip_bytes count", "tunnel_parents set[string]"),
)


def _clock(number: int) -> str:
    second = number // _RATE
    return f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"


def _inside(draw: random.Random) -> str:
    return f"10.0.{draw.randrange(20)}.{draw.randrange(1, 255)}"


def _outside(draw: random.Random) -> str:
    return f"203.0.{draw.randrange(256)}.{draw.randrange(1, 255)}"


def _name(draw: random.Random) -> str:
    return f"host{int(50_000 * draw.random() ** 3)}.example.org"


def access_log(draw: random.Random) -> Iterator[str]:
    for number in itertools.count():
        page, status = draw.randrange(3000), draw.choice((200, 200, 200, 304, 404))
        yield (
            f'{_outside(draw)} - - [01/Mar/2026:{_clock(number)} +0000] "GET /page/{page}?q={draw.randrange(10**6)} '
            f'HTTP/1.1" {status} {draw.randrange(90_000)} "https://www.example.org/" '
            f'"Mozilla/5.0 (X11; Linux x86_64; rv:{draw.randrange(90, 140)}.0) Gecko/20100101 Firefox/140.0"'
        )


def zeek_conn(draw: random.Random) -> Iterator[str]:
    yield from ("#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn")
    yield "#fields\t" + "\t".join(field.split()[0] for field in _CONN)
    yield "#types\t" + "\t".join(field.split()[1] for field in _CONN)
    for number in itertools.count():
        port, service = draw.choice(((53, "dns"), (443, "ssl"), (80, "http"), (445, "gssapi,smb"), (8443, "-")))
        sent, got = draw.randrange(5000), draw.randrange(50_000)
        cells = (
            *(
                f"{_START + number / _RATE:.6f}",
                f"C{draw.getrandbits(96):x}",
                _inside(draw),
                draw.randrange(1024, 65536),
            ),
            *(_outside(draw), port, "udp" if port == 53 else "tcp", service, f"{10 * draw.random():.6f}", sent, got),
            *(draw.choice(("SF", "SF", "S0", "RSTO")), "T", "F", 0, draw.choice(("ShADadFf", "Dd", "S"))),
            *(sent // 500 + 1, sent + 200, got // 1400 + 1, got + 400, "(empty)"),
        )
        yield "\t".join(map(str, cells))


def bind(draw: random.Random) -> Iterator[str]:
    for number in itertools.count():
        name, kind = _name(draw), draw.choice(("A", "A", "AAAA", "HTTPS", "TXT"))
        yield (
            f"01-Mar-2026 {_clock(number)}.{number % _RATE * 5:03} queries: info: client "
            f"@0x7f{draw.getrandbits(8):02x}c0de10 "
            f"{_inside(draw)}#{draw.randrange(1024, 65536)} ({name}): query: {name} IN {kind} +E(0)K (10.0.0.53)"
        )


def fortinet(draw: random.Random) -> Iterator[str]:
    for number in itertools.count():
        yield (
            f'date=2026-03-01 time={_clock(number)} devname="FW1" devid="FGT0000000000001" eventtime='
            f'{_START * 10**9 + number * 5_000_000} tz="+0000" logid="0000000013" type="traffic" subtype="forward" '
            f'level="notice" vd="root" srcip={_inside(draw)} srcport={draw.randrange(1024, 65536)} srcintf="port1" '
            f'srcintfrole="lan" dstip={_outside(draw)} dstport={draw.choice((53, 80, 443))} dstintf="wan1" '
            f'dstintfrole="wan" sessionid={10**6 + number} proto=6 action="{draw.choice(("accept", "deny", "close"))}" '
            f'policyid={draw.randrange(40)} service="HTTPS" duration={draw.randrange(300)} '
            f"sentbyte={draw.randrange(9000)} rcvdbyte={draw.randrange(90_000)}"
        )


def cisco_asa(draw: random.Random) -> Iterator[str]:
    for number in itertools.count():
        inside, outside = f"{_inside(draw)}/{draw.randrange(1024, 65536)}", f"{_outside(draw)}/443"
        yield (
            f"<166>Mar 01 2026 {_clock(number)} fw1 : %ASA-6-302013: Built outbound TCP connection {10**6 + number} "
            f"for outside:{outside} ({outside}) to inside:{inside} ({inside})"
        )


def netfilter(draw: random.Random) -> Iterator[str]:
    for number in itertools.count():
        yield (
            f"Mar  1 {_clock(number)} gw kernel: [{number / _RATE:.6f}] DROP IN=eth0 OUT= "
            f"MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 SRC={_outside(draw)} DST=10.0.0.1 "
            f"LEN={draw.randrange(40, 1500)} "
            f"TOS=0x00 PREC=0x00 TTL={draw.randrange(30, 64)} ID={draw.randrange(65536)} DF PROTO=TCP "
            f"SPT={draw.randrange(1024, 65536)} DPT={draw.choice((22, 23, 445, 3389))} WINDOW=64240 RES=0x00 SYN URGP=0"
        )


def suricata(draw: random.Random) -> Iterator[str]:
    for number in itertools.count():
        ends = (
            f'"timestamp":"2026-03-01T{_clock(number)}.{number % _RATE * 5000:06}+0000",'
            f'"flow_id":{draw.getrandbits(50)},'
            f'"in_iface":"eth0","event_type":"{{}}","src_ip":"{_inside(draw)}","src_port":'
            f'{draw.randrange(1024, 65536)},"dest_ip":"{_outside(draw)}","dest_port":{{}},"proto":"{{}}",'
        )
        match draw.randrange(3):
            case 0:
                yield (
                    "{"
                    + ends.format("dns", 53, "UDP")
                    + (
                        f'"dns":{{"version":2,"type":"query","id":{draw.randrange(65536)},"rrname":"{_name(draw)}",'
                        f'"rrtype":"A","tx_id":0,"opcode":0}}}}'
                    )
                )
            case 1:
                yield (
                    "{"
                    + ends.format("http", 80, "TCP")
                    + (
                        f'"tx_id":0,"http":{{"hostname":"{_name(draw)}","url":"/page/{draw.randrange(3000)}",'
                        f'"http_user_agent":"curl/8.5.0","http_content_type":"text/html","http_method":"GET",'
                        f'"protocol":"HTTP/1.1","status":200,"length":{draw.randrange(90_000)}}}}}'
                    )
                )
            case _:
                yield (
                    "{"
                    + ends.format("flow", 443, "TCP")
                    + (
                        f'"app_proto":"tls","flow":{{"pkts_toserver":{draw.randrange(90)},"pkts_toclient":{draw.randrange(90)},'
                        f'"bytes_toserver":{draw.randrange(9000)},"bytes_toclient":{draw.randrange(90_000)},'
                        f'"start":"2026-03-01T{_clock(number)}.000000+0000",'
                        f'"end":"2026-03-01T{_clock(number)}.500000+0000",'
                        f'"age":0,"state":"closed","reason":"timeout","alerted":false}}}}'
                    )
                )


def paloalto(draw: random.Random) -> Iterator[str]:
    for number in itertools.count():
        day, sent, got = f"2026/03/01 {_clock(number)}", draw.randrange(9000), draw.randrange(90_000)
        ports = f"{draw.randrange(1024, 65536)},{draw.choice((53, 80, 443))}"
        app, action = draw.choice(("ssl", "dns", "web-browsing")), draw.choice(("allow", "allow", "deny"))
        packets = sent // 500 + 1, got // 1400 + 1
        yield (
            f"<14>Mar  1 {_clock(number)} fw1 1,{day},001701000001,TRAFFIC,end,2561,{day},{_inside(draw)},"
            f"{_outside(draw)},0.0.0.0,0.0.0.0,out,,,{app},vsys1,trust,untrust,ethernet1/2,ethernet1/1,log,{day},"
            f"{10**5 + number},1,{ports},0,0,0x400053,tcp,{action},{sent + got},{sent},{got},{sum(packets)},{day},"
            f"{draw.randrange(300)},any,,{7 * 10**9 + number},0x0,10.0.0.0-10.255.255.255,United States,,"
            f"{packets[0]},{packets[1]},tcp-fin,0,0,0,0,,fw1,from-policy,,,0,,0,,N/A,0,0,0,0,"
            "2b7cbb0a-0001-0002-0003-000000000001,0,0,,,,,,,"
        )


def cef(draw: random.Random) -> Iterator[str]:
    for number in itertools.count():
        yield (
            f"<134>Mar  1 {_clock(number)} fw1 CEF:0|Vendor|Gateway|9.1|{draw.choice((1001, 1002))}|connection|3|"
            f"rt={(_START * 1000) + number * 5} act={draw.choice(('accept', 'drop'))} proto=TCP src={_inside(draw)} "
            f"spt={draw.randrange(1024, 65536)} dst={_outside(draw)} dpt={draw.choice((53, 80, 443))} "
            f"deviceInboundInterface=eth1 deviceOutboundInterface=eth0 in={draw.randrange(90_000)} "
            f"out={draw.randrange(9000)} cs1Label=Rule cs1=allow outgoing web cn1Label=Session cn1={10**6 + number}"
        )


# Names of calls by service, as an account that people and programs share makes them.
_CALLS = {
    "ec2": ("DescribeInstances", "DescribeVolumes", "RunInstances", "TerminateInstances", "CreateTags", "DescribeVpcs"),
    "s3": ("GetObject", "PutObject", "ListObjects", "HeadBucket", "GetBucketAcl", "DeleteObject"),
    "iam": ("GetRole", "ListUsers", "CreateAccessKey", "AttachUserPolicy", "GetAccountSummary"),
    "sts": ("AssumeRole", "GetCallerIdentity"),
    "kms": ("Decrypt", "GenerateDataKey", "DescribeKey"),
    "lambda": ("ListFunctions20150331", "UpdateFunctionCode20150331v2", "GetFunction20150331v2"),
    "logs": ("CreateLogStream", "DescribeLogGroups"),
    "secretsmanager": ("GetSecretValue", "ListSecrets"),
}


def _parameters(draw: random.Random, number: int, call: random.Random) -> dict[str, Any] | None:
    """What a call was asked for: each has keys of its own, one of which may be left out."""
    if call.random() < 0.1:
        return None
    kinds: tuple[dict[str, Any], ...] = (
        {"instancesSet": {"items": [{"instanceId": f"i-{draw.getrandbits(68):017x}"}]}, "filterSet": {}},
        {"bucketName": f"bucket-{draw.randrange(40)}", "key": f"in/{number}.csv", "Host": "s3.amazonaws.com"},
        {"roleArn": f"arn:aws:iam::123456789012:role/r{draw.randrange(30)}", "roleSessionName": f"s{number}"},
        {"keyId": f"arn:aws:kms:us-east-1:123456789012:key/{draw.getrandbits(64):016x}", "keySpec": "AES_256"},
        {"userName": f"user{draw.randrange(60)}", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        {"functionName": f"f{draw.randrange(50)}", "publish": True, "dryRun": False, "memory": {"size": 128}},
        {"logGroupName": f"/aws/lambda/f{draw.randrange(50)}", "limit": 50, "nextToken": f"{draw.getrandbits(80):x}"},
    )
    chosen = call.choice(kinds)
    if draw.random() < 0.2:
        chosen.pop(draw.choice(tuple(chosen)))
    return chosen


def cloudtrail(draw: random.Random) -> Iterator[str]:
    """Calls of many kinds by users, roles and services, in some seven hundred shapes."""
    for number in itertools.count():
        service = draw.choice(tuple(_CALLS))
        name, account = draw.choice(_CALLS[service]), "123456789012"
        user, call = f"user{draw.randrange(60)}", random.Random(name)
        session = {"attributes": {"creationDate": "2026-03-01T08:00:00Z", "mfaAuthenticated": "false"}}
        issuer = {"type": "Role", "principalId": f"AROA{draw.randrange(30):016}", "accountId": account}
        who: dict[str, Any] = draw.choice(
            (
                {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/{user}", "userName": user},
                {
                    "type": "AssumedRole",
                    "sessionContext": {"sessionIssuer": issuer, "webIdFederationData": {}} | session,
                },
                {"type": "AWSService", "invokedBy": f"{service}.amazonaws.com"},
                {"type": "Root", "arn": f"arn:aws:iam::{account}:root", "sessionContext": session},
            )
        )
        record: dict[str, Any] = {
            "eventVersion": "1.09",
            "userIdentity": {"principalId": f"AIDA{draw.randrange(60):016}", "accountId": account} | who,
            "eventTime": f"2026-03-01T{_clock(number)}Z",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": draw.choice(("us-east-1", "eu-west-1", "eu-central-1")),
            "sourceIPAddress": _outside(draw),
            "userAgent": f"aws-cli/2.{draw.randrange(30)}.0 Python/3.12.1 Linux/6.8",
            "requestParameters": _parameters(draw, number, call),
            "responseElements": None
            if name[:3] in ("Get", "Lis", "Des")
            else {"requestId": f"{draw.getrandbits(64):x}"},
        }
        if draw.random() < 0.05:
            record["errorCode"] = "AccessDenied"
            record["errorMessage"] = f"User: {user} is not authorized to perform: {service}:{name}"
        maybe: dict[str, Any] = {
            "additionalEventData": {"SignatureVersion": "SigV4", "bytesTransferredOut": draw.randrange(9000)},
            "resources": [{"ARN": f"arn:aws:s3:::bucket-{draw.randrange(40)}", "type": "AWS::S3::Bucket"}],
            "vpcEndpointId": f"vpce-{draw.randrange(9):08}",
            "tlsDetails": {"tlsVersion": "TLSv1.3", "clientProvidedHostHeader": f"{service}.amazonaws.com"},
        }
        record |= {key: value for key, value in maybe.items() if call.random() < 0.4}
        record |= {"requestID": f"{draw.getrandbits(96):024x}", "eventID": f"{draw.getrandbits(96):024x}"}
        record |= {"readOnly": record["responseElements"] is None, "eventType": "AwsApiCall", "managementEvent": True}
        record |= {"recipientAccountId": account, "eventCategory": "Management"}
        yield json.dumps(record, separators=(",", ":"))


# What is measured -> the reader that must know it, and its lines.
VOLUME: dict[str, tuple[str, Callable[[random.Random], Iterator[str]]]] = {
    "access_log": ("access_log", access_log),
    "zeek_conn": ("zeek_tsv", zeek_conn),
    "bind": ("bind", bind),
    "fortinet": ("fortinet", fortinet),
    "cisco_asa": ("asa", cisco_asa),
    "netfilter": ("netfilter", netfilter),
    "paloalto": ("paloalto", paloalto),
    "cef": ("cef", cef),
}


def lines(make: Callable[[random.Random], Iterator[str]], count: int, seed: int = 1) -> bytes:
    """So many lines, headers among them."""
    return "".join(f"{line}\n" for line in itertools.islice(make(random.Random(seed)), count)).encode()
