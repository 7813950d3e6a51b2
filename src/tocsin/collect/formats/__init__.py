"""Every log format that Tocsin reads, in the order of sniffing: formats with a magic number first."""

from __future__ import annotations

from tocsin.collect.formats import (
    access_log,
    azure,
    bind,
    bitbucket,
    cloudtrail,
    dnsmasq,
    duo,
    evtx,
    gcp,
    github,
    google_workspace,
    kubernetes,
    m365,
    okta,
    onelogin,
    opencanary,
    suricata,
    unbound,
    windows_dns,
    windows_json,
    zeek_json,
    zeek_tsv,
)
from tocsin.collect.reader import Reader

# Those whose keys are theirs alone stand before those that many logs could have.
READERS: tuple[Reader, ...] = (
    evtx,
    zeek_tsv,
    azure,
    bitbucket,
    cloudtrail,
    duo,
    gcp,
    github,
    google_workspace,
    kubernetes,
    m365,
    okta,
    onelogin,
    opencanary,
    suricata,
    zeek_json,
    windows_json,
    access_log,
    windows_dns,
    bind,
    unbound,
    dnsmasq,
)
