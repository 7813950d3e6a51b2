"""Every log format that Tocsin reads, in the order of sniffing: formats with a magic number first."""

from __future__ import annotations

from tocsin.collect.formats import (
    access_log,
    antivirus,
    asa,
    azure,
    bitbucket,
    cef,
    cisco,
    cloudtrail,
    duo,
    evtx,
    fortinet,
    gcp,
    github,
    google_workspace,
    kubernetes,
    leef,
    m365,
    netfilter,
    okta,
    onelogin,
    opencanary,
    paloalto,
    suricata,
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
    okta,
    onelogin,
    opencanary,
    suricata,
    windows_json,
    cef,
    leef,
    fortinet,
    netfilter,
    asa,
    cisco,
    paloalto,
    antivirus,
    access_log,
)
