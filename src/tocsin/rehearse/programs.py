"""The path of a program in, what its maker wrote into it and its hashes out."""

from __future__ import annotations

from functools import cache
from typing import Final

from tocsin.rehearse.dice import digest

# File name -> description, product, company, original file name, version. Facts of the programs themselves.
_WINDOWS: Final = ("Microsoft® Windows® Operating System", "Microsoft Corporation")
_OFFICE: Final = ("Microsoft Office", "Microsoft Corporation")
_MADE: Final[dict[str, tuple[str, str, str, str]]] = {
    "cmd.exe": ("Windows Command Processor", *_WINDOWS, "Cmd.Exe"),
    "powershell.exe": ("Windows PowerShell", *_WINDOWS, "PowerShell.EXE"),
    "svchost.exe": ("Host Process for Windows Services", *_WINDOWS, "svchost.exe"),
    "conhost.exe": ("Console Window Host", *_WINDOWS, "CONHOST.EXE"),
    "rundll32.exe": ("Windows host process (Rundll32)", *_WINDOWS, "RUNDLL32.EXE"),
    "schtasks.exe": ("Task Scheduler Configuration Tool", *_WINDOWS, "schtasks.exe"),
    "net.exe": ("Net Command", *_WINDOWS, "net.exe"),
    "net1.exe": ("Net Command", *_WINDOWS, "net1.exe"),
    "whoami.exe": ("whoami - displays logged on user information", *_WINDOWS, "whoami.exe"),
    "ipconfig.exe": ("IP Configuration Utility", *_WINDOWS, "ipconfig.exe"),
    "nltest.exe": ("Microsoft® Logon Server Test Utility", *_WINDOWS, "nltestrk.exe"),
    "wscript.exe": ("Microsoft ® Windows Based Script Host", *_WINDOWS, "wscript.exe"),
    "certutil.exe": ("CertUtil.exe", *_WINDOWS, "CertUtil.exe"),
    "vssadmin.exe": ("Command Line Interface for Microsoft® Volume Shadow Copy Service", *_WINDOWS, "VSSADMIN.EXE"),
    "ntdsutil.exe": ("NT5DS", *_WINDOWS, "ntdsutil.exe"),
    "w3wp.exe": ("IIS Worker Process", "Internet Information Services", "Microsoft Corporation", "w3wp.exe"),
    "explorer.exe": ("Windows Explorer", *_WINDOWS, "EXPLORER.EXE"),
    "mstsc.exe": ("Remote Desktop Connection", *_WINDOWS, "mstsc.exe"),
    "regsvr32.exe": ("Microsoft(C) Register Server", *_WINDOWS, "REGSVR32.EXE"),
    "bitsadmin.exe": ("BITS administration utility", *_WINDOWS, "bitsadmin.exe"),
    "wmic.exe": ("WMI Commandline Utility", *_WINDOWS, "wmic.exe"),
    "reg.exe": ("Registry Console Tool", *_WINDOWS, "reg.exe"),
    "tasklist.exe": ("Lists the current running tasks", *_WINDOWS, "tasklist.exe"),
    "systeminfo.exe": ("Displays system information", *_WINDOWS, "sysinfo.exe"),
    "outlook.exe": ("Microsoft Outlook", *_OFFICE, "Outlook.exe"),
    "winword.exe": ("Microsoft Word", *_OFFICE, "WinWord.exe"),
    "excel.exe": ("Microsoft Excel", *_OFFICE, "Excel.exe"),
    "msedge.exe": ("Microsoft Edge", "Microsoft Edge", "Microsoft Corporation", "msedge.exe"),
    "chrome.exe": ("Google Chrome", "Google Chrome", "Google LLC", "chrome.exe"),
    "ms-teams.exe": ("Microsoft Teams", "Microsoft Teams", "Microsoft Corporation", "ms-teams.exe"),
    "onedrive.exe": ("Microsoft OneDrive", "Microsoft OneDrive", "Microsoft Corporation", "OneDrive.exe"),
    "acrobat.exe": ("Adobe Acrobat", "Adobe Acrobat", "Adobe", "Acrobat.exe"),
    "psexec.exe": (
        "Execute processes remotely",
        "Sysinternals PsExec",
        "Sysinternals - www.sysinternals.com",
        "psexec.c",
    ),
    "psexesvc.exe": ("PsExec Service", "Sysinternals PsExec", "Sysinternals", "psexesvc.exe"),
    "7z.exe": ("7-Zip Console", "7-Zip", "Igor Pavlov", "7z.exe"),
    "rar.exe": ("Command line RAR", "WinRAR", "Alexander Roshal", "Rar.exe"),
    "procdump64.exe": ("Sysinternals process dump utility", "ProcDump", "Sysinternals", "procdump"),
}
_UNDER_WINDOWS: Final = ("C:\\Windows\\",)


def made(image: str, copy_of: str = "") -> tuple[str, str, str, str, str]:
    """Description, product, company, original name and version; a renamed copy keeps them, unsigned ones have none."""
    name = copy_of or image.rpartition("\\")[2].lower()
    if name in _MADE:
        description, product, company, original = _MADE[name]
        version = "10.0.19041.5794 (WinBuild.160101.0800)" if product == _WINDOWS[0] else f"{len(name) % 9 + 8}.2.0.1"
        return description, product, company, original, version
    if image.startswith(_UNDER_WINDOWS) and "\\Temp\\" not in image:
        return name.partition(".")[0], *_WINDOWS, name, "10.0.19041.5794 (WinBuild.160101.0800)"
    if image.startswith("C:\\Program Files"):
        product = image.split("\\")[2]
        return product, product, product, name, "4.1.0.0"
    return "-", "-", "-", "-", "-"


@cache
def hashes(image: str, copy_of: str = "") -> str:
    """As Sysmon writes them. The same program has the same ones on every machine, under whatever name it lies there."""
    name = copy_of or image.rpartition("\\")[2].lower()
    sha256 = digest("program", name)
    md5, imports = digest("md5", name)[:32], digest("imports", name)[:32]
    return f"MD5={md5.upper()},SHA256={sha256.upper()},IMPHASH={imports.upper()}"
