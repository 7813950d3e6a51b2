# Not executed here: Tocsin hands this script out as it stands, and whoever runs it has read it.
# Reads entra.json; disables accounts, revokes sessions, removes grants and lists inbox rules, through Microsoft Graph.
# Whoever runs it has signed in before: Connect-MgGraph, and Connect-ExchangeOnline for inbox rules.
#   pwsh -File entra.ps1 -Values entra.json            shows what would be done
#   pwsh -File entra.ps1 -Values entra.json -Apply     does it
#   pwsh -File entra.ps1 -Values entra.json -Lift      enables accounts again
param(
    [Parameter(Mandatory = $true)][string]$Values,
    [switch]$Apply,
    [switch]$Lift
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$told = Get-Content -LiteralPath $Values -Raw -Encoding UTF8 | ConvertFrom-Json
if ($told.version -ne 1) { throw 'The values are of another version.' }

$columns = @('Name', 'Enabled', 'ForwardTo', 'RedirectTo', 'DeleteMessage', 'MoveToFolder')

function Invoke-Graph([string]$Method, [string]$Path, $Body) {
    if (-not $Apply) { "would ask: $Method $Path"; return }
    if ($null -eq $Body) { Invoke-MgGraphRequest -Method $Method -Uri "https://graph.microsoft.com/v1.0/$Path" }
    else { Invoke-MgGraphRequest -Method $Method -Uri "https://graph.microsoft.com/v1.0/$Path" -Body ($Body | ConvertTo-Json) -ContentType 'application/json' }
}

foreach ($one in $told.standing) {
    $name = [Uri]::EscapeDataString($one.value)
    switch ($one.verb) {
        'disable account' {
            if ($one.value.Contains('@') -and -not $one.value.Contains('\')) {
                Invoke-Graph 'PATCH' "users/$name" @{ accountEnabled = [bool]$Lift }
            }
        }
        'revoke sessions' {
            if (-not $Lift -and $one.value.Contains('@') -and -not $one.value.Contains('\')) {
                Invoke-Graph 'POST' "users/$name/revokeSignInSessions" $null
            }
        }
        'remove grant' {
            if (-not $Lift) {
                $id = [Guid]::Empty
                if (-not [Guid]::TryParse($one.value, [ref]$id)) { throw "Not the id of an application: $($one.value)" }
                $filter = [Uri]::EscapeDataString("appId eq '$id'")
                $found = (Invoke-MgGraphRequest -Method GET -Uri "https://graph.microsoft.com/v1.0/servicePrincipals?`$filter=$filter").value
                foreach ($principal in $found) {
                    $principal | ConvertTo-Json -Depth 8 | Out-File -LiteralPath "grant-$id-$($principal.id).json" -Encoding utf8
                    Invoke-Graph 'PATCH' "servicePrincipals/$($principal.id)" @{ accountEnabled = $false }
                }
            }
        }
        'remove inbox rule' {
            if (-not $Lift) {
                # Which of them nobody made is for its owner to say: they are written down and shown.
                Get-InboxRule -Mailbox $one.value -IncludeHidden | Select-Object -Property $columns
            }
        }
    }
}
