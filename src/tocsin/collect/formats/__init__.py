"""Every log format that Tocsin reads, in the order of sniffing: formats with a magic number first."""

from __future__ import annotations

from tocsin.collect.formats import (
    access_log,
    auditd,
    azure,
    azure_syslog,
    bitbucket,
    cloudtrail,
    duo,
    evtx,
    evtxecmd,
    gcp,
    github,
    google_workspace,
    journald,
    kubernetes,
    linux,
    m365,
    macos,
    okta,
    onelogin,
    opencanary,
    suricata,
    sysmon_linux,
    text_log,
    windows_json,
)
from tocsin.collect.reader import Reader

# Those whose keys are theirs alone stand before those that many logs could have.
READERS: tuple[Reader, ...] = (
    evtx,
    evtxecmd,
    azure,
    azure_syslog,
    bitbucket,
    cloudtrail,
    duo,
    gcp,
    github,
    google_workspace,
    journald,
    kubernetes,
    m365,
    macos,
    okta,
    onelogin,
    opencanary,
    suricata,
    windows_json,
    auditd,
    sysmon_linux,
    access_log,
    linux,
    text_log,  # last: any program's lines with a time and a level
)
