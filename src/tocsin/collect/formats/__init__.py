"""Every log format that Tocsin reads, in the order of sniffing: formats with a magic number first."""

from __future__ import annotations

from tocsin.collect.formats import (
    access_log,
    azure,
    bitbucket,
    cloudtrail,
    duo,
    evtx,
    exchange_tracking,
    gcp,
    github,
    google_workspace,
    iis,
    kubernetes,
    m365,
    m365_trace,
    okta,
    onelogin,
    opencanary,
    postfix,
    squid,
    suricata,
    w3c_proxy,
    w3c_web,
    web_error,
    windows_json,
)
from tocsin.collect.reader import Reader

# Those whose keys are theirs alone stand before those that many logs could have.
READERS: tuple[Reader, ...] = (
    evtx,
    azure,
    bitbucket,
    cloudtrail,
    duo,
    gcp,
    github,
    google_workspace,
    kubernetes,
    m365,
    m365_trace,
    okta,
    onelogin,
    opencanary,
    suricata,
    windows_json,
    iis,
    w3c_proxy,
    w3c_web,
    exchange_tracking,
    squid,
    postfix,
    web_error,
    access_log,
)
