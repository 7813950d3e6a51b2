# Not executed here: Tocsin hands this script out as it stands, and whoever runs it has read it.
# Reads active_directory.json; disables accounts, gives them new secrets, and resets krbtgt once for each run.
#   powershell -File active_directory.ps1 -Values active_directory.json            shows what would be done
#   powershell -File active_directory.ps1 -Values active_directory.json -Apply     does it, and asks before krbtgt
#   powershell -File active_directory.ps1 -Values active_directory.json -Lift      enables what it disabled
param(
    [Parameter(Mandatory = $true)][string]$Values,
    [int]$TicketHours = 10,
    [switch]$Apply,
    [switch]$Lift
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
Import-Module ActiveDirectory

$told = Get-Content -LiteralPath $Values -Raw -Encoding UTF8 | ConvertFrom-Json
if ($told.version -ne 1) { throw 'The values are of another version.' }

function Find-Account([string]$name) {
    # The value is compared, never run: it is escaped for the filter of LDAP (RFC 4515), sign by sign.
    $user = ($name -split '\\')[-1]
    $escaped = -join ($user.ToCharArray() | ForEach-Object { '\{0:x2}' -f [int]$_ })
    if ($user -match '[^\x20-\x7e]') { throw "Not a name that can be looked for here: $name" }
    $attribute = if ($user.Contains('@')) { 'userPrincipalName' } else { 'sAMAccountName' }
    $found = @(Get-ADUser -LDAPFilter "($attribute=$escaped)" -Properties pwdLastSet)
    if ($found.Count -ne 1) { throw "$($found.Count) accounts are called $name" }
    $found[0]
}

function New-Secret {
    $bytes = New-Object byte[] 48
    $dice = [System.Security.Cryptography.RandomNumberGenerator]::Create()
    $dice.GetBytes($bytes)
    ConvertTo-SecureString -String ([Convert]::ToBase64String($bytes) + 'aA1!') -AsPlainText -Force
}

foreach ($one in $told.standing) {
    switch ($one.verb) {
        'disable account' {
            $account = Find-Account $one.value
            if ($Lift) { Enable-ADAccount -Identity $account -WhatIf:(-not $Apply) }
            else { Disable-ADAccount -Identity $account -WhatIf:(-not $Apply) }
        }
        'reset secret' {
            if (-not $Lift) {
                $account = Find-Account $one.value
                Set-ADAccountPassword -Identity $account -Reset -NewPassword (New-Secret) -WhatIf:(-not $Apply)
                Set-ADUser -Identity $account -ChangePasswordAtLogon $true -WhatIf:(-not $Apply)
            }
        }
        'reset krbtgt' {
            if (-not $Lift) {
                $account = Get-ADUser -Identity krbtgt -Properties pwdLastSet
                $since = [DateTime]::UtcNow - [DateTime]::FromFileTimeUtc($account.pwdLastSet)
                if ($since.TotalHours -lt $TicketHours) {
                    throw "krbtgt was reset $([Math]::Round($since.TotalHours, 1)) hours ago: tickets live for $TicketHours"
                }
                foreach ($controller in (Get-ADDomainController -Filter *)) {
                    $there = Get-ADUser -Identity krbtgt -Properties pwdLastSet -Server $controller.HostName
                    if ($there.pwdLastSet -ne $account.pwdLastSet) { throw "$($controller.HostName) has not heard of the last reset yet" }
                }
                Set-ADAccountPassword -Identity $account -Reset -NewPassword (New-Secret) -Confirm:$Apply -WhatIf:(-not $Apply)
            }
        }
    }
}
