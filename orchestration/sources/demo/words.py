"""The vocabulary of the demo company: names, countries, features, reasons. Data only."""


def _split(text: str) -> list[str]:
    return text.split()


FIRST = _split("""
    nova blue green bright north silver quant terra atlas hyper lumen vertex orbit delta cedar falcon harbor ivory jade kilo lunar
    maple nimbus onyx pioneer quartz river summit tidal umber velvet willow xenon yonder zephyr amber basalt coral drift ember
    fjord garnet helix indigo juniper krypton lotus mosaic nectar opal prisma quill raven sable topaz ultra vivid wander apex
    boreal
""")
SECOND = _split("""
    works logic metrics bridge forge field stack path wave point craft link grid cast mark scope ware layer sense flow base gate
    port line lab mill yard dock nest ridge vale crest shore spring stone tower trail trade vault view wing yield zone bay beam
    bloom brook chart
""")
THIRD = _split("""
    Software Logistics Health Energy Foods Media Retail Finance Robotics Travel Education Insurance Biotech Textiles Mobility
    Security Analytics Design Legal Homes Sports Marine Optics Farms
""")
SUFFIX = {"US": "Inc.", "GB": "Ltd", "DE": "GmbH", "FR": "SAS", "NL": "B.V.", "JP": "K.K.", "CA": "Corp", "ES": "S.L."}
COUNTRIES = ["US", "GB", "DE", "FR", "NL", "JP", "CA", "ES"]
COUNTRY_WEIGHTS = [0.44, 0.12, 0.12, 0.07, 0.05, 0.09, 0.06, 0.05]
CURRENCY_OF = {"US": "USD", "GB": "USD", "CA": "USD", "DE": "EUR", "FR": "EUR", "NL": "EUR", "ES": "EUR", "JP": "JPY"}
INDUSTRIES = [
    "COMPUTER_SOFTWARE",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "HOSPITAL_HEALTH_CARE",
    "FINANCIAL_SERVICES",
    "RETAIL",
    "EDUCATION_MANAGEMENT",
    "MEDIA_PRODUCTION",
]
FREE_MAIL = ["gmail.com", "outlook.com", "yahoo.com", "icloud.com"]
TLD = {"US": "com", "GB": "co.uk", "DE": "de", "FR": "fr", "NL": "nl", "JP": "jp", "CA": "ca", "ES": "es"}

GIVEN = _split("""
    Ada Ben Chloé Dmitri Elif Farid Grace Hiro Inês José Kaja Liam Mei Noor Olu Priya Quinn Rosa Søren Tara Uma Viktor Wanda
    Ximena Yuki Zoë Anton Beatriz Carlos Dana
""")
FAMILY = _split("""
    Almeida Brown Çelik Dubois Evans Fischer García Hansen Ito Jansen Kowalski Lopez Müller Nakamura O'Brien Petrov Quist Rossi
    Smith Tanaka Ueda Vasquez Weber Xu Yilmaz Zhang Okafor Singh Novak Lind
""")

# Names that break careless code: a spreadsheet formula, quotes, SQL, Jinja, right-to-left marks, emoji.
ODD_NAMES = [
    '=HYPERLINK("http://example.invalid","{0}")',
    '{0} "Quoted" & Sons',
    "{0}'; drop table accounts; --",
    "{{{{ {0} }}}}",
    "\u202e{0}\u202c",
    "{0} 🚀 株式会社",
    "@SUM({0})",
    "  {0}  ",
    "-{0}, the \\ company",
]

OWNERS = _split("""
    mara.keller tom.becker ines.duarte raj.patel sofia.moretti jonas.holm amy.chen leo.martin nina.vogel omar.haddad kate.wright
    yuto.sato
""")
OWNER_DOMAIN = "demo-company.example"

FEATURES = _split("""
    dashboards reports alerts automation integrations exports sharing forecasting mobile audit_log
""")
CORE = [True, True, True, True, False, False, True, False, False, False]

PLANS = ["starter", "team", "business", "enterprise", "insights"]  # the last one is an add-on
PLAN_NAMES = ["Starter", "Team", "Business", "Enterprise", "Insights add-on"]
# Price of one seat and month, whole units: every interval's price then divides without a remainder by its discounts.
SEAT_PRICE = {"USD": [49, 79, 129, 189, 20], "EUR": [45, 75, 119, 179, 18], "JPY": [6000, 10000, 16000, 24000, 2500]}
INTERVAL_MONTHS = [1, 3, 12]
INTERVALS = [("month", 1), ("month", 3), ("year", 1)]
INTERVAL_FACTOR = [1, 3, 10]  # a year costs ten months

REASONS = [
    ("too expensive", "low_adoption"),
    ("missing feature", "product_gap"),
    ("switched to a competitor", "product_gap"),
    ("no longer needed", "business_change"),
    ("poor support", "support_quality"),
    ("budget cut", "business_change"),
    ("champion left", "sponsor_change"),
    ("hard to use", "onboarding_failure"),
]

SUBJECTS = [
    "Cannot export report",
    "Invoice question",
    "How do I add users?",
    "Dashboard is slow",
    "Feature request: dark mode",
    "Login fails with SSO",
    "Wrong numbers in forecast",
    "API returns 500",
    "Change of billing address",
    "Alert did not fire",
]
TAGS = [
    "export bug",
    "billing",
    "how_to users",
    "performance bug",
    "feature_request",
    "bug sso",
    "bug forecast",
    "api bug",
    "billing address",
    "bug alerts",
]

OUTCOMES = [
    ("Report on time", "days_to_close", 12, 5),
    ("Cut manual work", "hours_per_week", 40, 15),
    ("Roll out to all teams", "teams_live", 1, 8),
    ("Raise forecast accuracy", "accuracy_percent", 60, 85),
]
THEMES = ["pricing", "performance", "usability", "support", "integrations", "reporting", None]
COMMENTS = [
    "Works well for us.",
    "Too slow on large data.",
    "Please add more integrations.",
    "Support is great, thanks!",
    "We expected more for the price.",
    "=1+1",
    None,
    None,
]
