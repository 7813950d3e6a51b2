# Not executed here: Tocsin hands this script out as it stands, and whoever runs it has read it.
# Reads windows_firewall.json; blocks addresses and networks on this machine, and isolates it if it is named.
#   powershell -File windows_firewall.ps1 -Values windows_firewall.json            shows what would be done
#   powershell -File windows_firewall.ps1 -Values windows_firewall.json -Apply     does it
#   powershell -File windows_firewall.ps1 -Values windows_firewall.json -Lift      removes all that it made
param(
    [Parameter(Mandatory = $true)][string]$Values,
    [string]$ExamineFrom = '',
    [switch]$Apply,
    [switch]$Lift
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$group = 'Tocsin'

$told = Get-Content -LiteralPath $Values -Raw -Encoding UTF8 | ConvertFrom-Json
if ($told.version -ne 1) { throw 'The values are of another version.' }
$addresses = @($told.standing | Where-Object { $_.verb -in @('block address', 'block network') } | ForEach-Object { $_.value })
foreach ($one in $addresses) {
    $parsed = $null
    if (-not [System.Net.IPAddress]::TryParse(($one -split '/')[0], [ref]$parsed)) { throw "Not an address: $one" }
}
$name = [System.Net.Dns]::GetHostEntry('').HostName
$isolated = @($told.standing | Where-Object { $_.verb -eq 'isolate host' -and ($_.value -eq $name -or $_.value -eq $env:COMPUTERNAME) })

if ($Lift) {
    Get-NetFirewallRule -Group $group -ErrorAction SilentlyContinue | Remove-NetFirewallRule -WhatIf:(-not $Apply)
    return
}
if ($isolated.Count -gt 0 -and $ExamineFrom -eq '') { throw 'Name the machine that examines this one: -ExamineFrom ADDRESS.' }

Get-NetFirewallRule -Group $group -ErrorAction SilentlyContinue | Remove-NetFirewallRule -WhatIf:(-not $Apply)
foreach ($direction in @('Inbound', 'Outbound')) {
    if ($addresses.Count -gt 0) {
        New-NetFirewallRule -DisplayName "Tocsin blocks $direction" -Group $group -Direction $direction -Action Block `
            -RemoteAddress $addresses -Profile Any -WhatIf:(-not $Apply) | Out-Null
    }
    if ($isolated.Count -gt 0) {
        # A rule that allows never wins over one that blocks: so all but the examiner is blocked.
        $examiner = [System.Net.IPAddress]::Parse($ExamineFrom)
        if ($examiner.AddressFamily -ne [System.Net.Sockets.AddressFamily]::InterNetwork) { throw 'Name an IPv4 address.' }
        $bytes = $examiner.GetAddressBytes()
        [Array]::Reverse($bytes)
        $number = [BitConverter]::ToUInt32($bytes, 0)
        $ranges = foreach ($ends in @(@(16777216, ($number - 1)), @(($number + 1), 4294967294))) {
            $text = foreach ($end in $ends) {
                $parts = [BitConverter]::GetBytes([uint32]$end)
                [Array]::Reverse($parts)
                ([System.Net.IPAddress]::new($parts)).ToString()
            }
            $text -join '-'
        }
        New-NetFirewallRule -DisplayName "Tocsin isolates $direction" -Group $group -Direction $direction -Action Block `
            -RemoteAddress (@($ranges) + @('2000::/3', 'fc00::/7')) -Profile Any -WhatIf:(-not $Apply) | Out-Null
    }
}
Get-NetFirewallRule -Group $group -ErrorAction SilentlyContinue | Select-Object -Property @('DisplayName', 'Direction', 'Action', 'Enabled')
