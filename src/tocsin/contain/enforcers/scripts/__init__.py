"""Fixed scripts for PowerShell: read by people, never changed by a value; not executed here."""
