"""The name of a country as lists of threat actors write it in, its code out: ISO 3166-1 alpha-2."""

from __future__ import annotations

import unicodedata
from typing import Final

# The usual short names; of several for one country the first is how it is shown.
_NAMES: Final = """
AD Andorra|AE United Arab Emirates|AE UAE|AF Afghanistan|AG Antigua and Barbuda|AL Albania|AM Armenia|AO Angola
AR Argentina|AT Austria|AU Australia|AZ Azerbaijan|BA Bosnia and Herzegovina|BB Barbados|BD Bangladesh|BE Belgium
BF Burkina Faso|BG Bulgaria|BH Bahrain|BI Burundi|BJ Benin|BN Brunei|BN Brunei Darussalam|BO Bolivia|BR Brazil
BS Bahamas|BT Bhutan|BW Botswana|BY Belarus|BZ Belize|CA Canada|CD DR Congo|CD Democratic Republic of the Congo
CF Central African Republic|CG Congo|CH Switzerland|CI Ivory Coast|CI Cote d'Ivoire|CL Chile|CM Cameroon|CN China
CN People's Republic of China|CO Colombia|CR Costa Rica|CU Cuba|CV Cabo Verde|CY Cyprus|CZ Czechia|CZ Czech Republic
DE Germany|DJ Djibouti|DK Denmark|DM Dominica|DO Dominican Republic|DZ Algeria|EC Ecuador|EE Estonia|EG Egypt
ER Eritrea|ES Spain|ET Ethiopia|FI Finland|FJ Fiji|FM Micronesia|FR France|GA Gabon|GB United Kingdom|GB UK
GB Great Britain|GD Grenada|GE Georgia|GH Ghana|GL Greenland|GM Gambia|GN Guinea|GQ Equatorial Guinea|GR Greece
GT Guatemala|GW Guinea-Bissau|GY Guyana|HK Hong Kong|HN Honduras|HR Croatia|HT Haiti|HU Hungary|ID Indonesia
IE Ireland|IL Israel|IN India|IQ Iraq|IR Iran|IR Iran (Islamic Republic of)|IR Islamic Republic of Iran|IS Iceland
IT Italy|JM Jamaica|JO Jordan|JP Japan|KE Kenya|KG Kyrgyzstan|KH Cambodia|KI Kiribati|KM Comoros
KN Saint Kitts and Nevis|KP North Korea|KP Korea (Democratic People's Republic of)|KP DPRK
KP Democratic People's Republic of Korea|KR South Korea|KR Korea (Republic of)|KR Republic of Korea|KW Kuwait
KZ Kazakhstan|LA Laos|LB Lebanon|LC Saint Lucia|LI Liechtenstein|LK Sri Lanka|LR Liberia|LS Lesotho|LT Lithuania
LU Luxembourg|LV Latvia|LY Libya|MA Morocco|MC Monaco|MD Moldova|MD Republic of Moldova|ME Montenegro|MG Madagascar
MH Marshall Islands|MK North Macedonia|MK Macedonia|ML Mali|MM Myanmar|MM Burma|MN Mongolia|MO Macao|MO Macau
MR Mauritania|MT Malta|MU Mauritius|MV Maldives|MW Malawi|MX Mexico|MY Malaysia|MZ Mozambique|NA Namibia|NE Niger
NG Nigeria|NI Nicaragua|NL Netherlands|NL Holland|NO Norway|NP Nepal|NR Nauru|NZ New Zealand|OM Oman|PA Panama
PE Peru|PG Papua New Guinea|PH Philippines|PK Pakistan|PL Poland|PR Puerto Rico|PS Palestine|PS State of Palestine
PS Gaza|PT Portugal|PW Palau|PY Paraguay|QA Qatar|RO Romania|RS Serbia|RU Russia|RU Russian Federation|RW Rwanda
SA Saudi Arabia|SB Solomon Islands|SC Seychelles|SD Sudan|SE Sweden|SG Singapore|SI Slovenia|SK Slovakia
SL Sierra Leone|SM San Marino|SN Senegal|SO Somalia|SR Suriname|SS South Sudan|ST Sao Tome and Principe
SV El Salvador|SY Syria|SY Syrian Arab Republic|SZ Eswatini|TD Chad|TG Togo|TH Thailand|TJ Tajikistan|TL Timor-Leste
TM Turkmenistan|TN Tunisia|TO Tonga|TR Turkey|TR Türkiye|TT Trinidad and Tobago|TV Tuvalu|TW Taiwan|TZ Tanzania
UA Ukraine|UG Uganda|US United States|US United States of America|US USA|UY Uruguay|UZ Uzbekistan|VA Holy See
VA Vatican|VC Saint Vincent and the Grenadines|VE Venezuela|VN Vietnam|VN Viet Nam|VU Vanuatu|WS Samoa|XK Kosovo
YE Yemen|ZA South Africa|ZM Zambia|ZW Zimbabwe
"""


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(one for one in letters if one.isalnum()).removeprefix("the")


_ENTRIES: Final = [entry.strip().partition(" ") for line in _NAMES.split("\n") for entry in line.split("|") if entry]
_PAIRS: Final = [(code, name) for code, _, name in _ENTRIES]
_NAME: Final = dict(reversed(_PAIRS))
_CODE: Final = {_plain(name): code for code, name in _PAIRS}


def code(name: str) -> str:
    """The code of a country, by its name or its code; empty if it is none that is known."""
    word = name.strip()
    return word.upper() if word.upper() in _NAME else _CODE.get(_plain(word), "")


def name(code: str) -> str:
    """How a country is called; what is no code stays as it is."""
    return _NAME.get(code, code)
