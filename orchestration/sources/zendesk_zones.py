"""Zendesk's names of time zones → IANA names. Most are a city of the IANA database; the others stand here."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

REGIONS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
OTHERS = {
    "UTC": "Etc/UTC",
    "International Date Line West": "Etc/GMT+12",
    "American Samoa": "Pacific/Pago_Pago",
    "Midway Island": "Pacific/Midway",
    "Hawaii": "Pacific/Honolulu",
    "Alaska": "America/Juneau",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Arizona": "America/Phoenix",
    "Mountain Time (US & Canada)": "America/Denver",
    "Central Time (US & Canada)": "America/Chicago",
    "Eastern Time (US & Canada)": "America/New_York",
    "Atlantic Time (Canada)": "America/Halifax",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "Saskatchewan": "America/Regina",
    "Central America": "America/Guatemala",
    "Guadalajara": "America/Mexico_City",
    "Quito": "America/Lima",
    "Georgetown": "America/Guyana",
    "Newfoundland": "America/St_Johns",
    "Brasilia": "America/Sao_Paulo",
    "Buenos Aires": "America/Argentina/Buenos_Aires",
    "Greenland": "America/Godthab",
    "Mid-Atlantic": "Atlantic/South_Georgia",
    "Cape Verde Is.": "Atlantic/Cape_Verde",
    "Edinburgh": "Europe/London",
    "Bern": "Europe/Zurich",
    "Kyiv": "Europe/Kiev",
    "St. Petersburg": "Europe/Moscow",
    "West Central Africa": "Africa/Algiers",
    "Pretoria": "Africa/Johannesburg",
    "Abu Dhabi": "Asia/Muscat",
    "Ekaterinburg": "Asia/Yekaterinburg",
    "Islamabad": "Asia/Karachi",
    "Chennai": "Asia/Kolkata",
    "Mumbai": "Asia/Kolkata",
    "New Delhi": "Asia/Kolkata",
    "Sri Jayawardenepura": "Asia/Colombo",
    "Astana": "Asia/Dhaka",
    "Hanoi": "Asia/Bangkok",
    "Beijing": "Asia/Shanghai",
    "Ulaan Bataar": "Asia/Ulaanbaatar",
    "Osaka": "Asia/Tokyo",
    "Sapporo": "Asia/Tokyo",
    "Canberra": "Australia/Sydney",
    "Solomon Is.": "Pacific/Guadalcanal",
    "New Caledonia": "Pacific/Noumea",
    "Marshall Is.": "Pacific/Majuro",
    "Wellington": "Pacific/Auckland",
    "Nuku'alofa": "Pacific/Tongatapu",
    "Tokelau Is.": "Pacific/Fakaofo",
    "Chatham Is.": "Pacific/Chatham",
    "Samoa": "Pacific/Apia",
}


@cache
def iana(name: str) -> str | None:
    """The IANA name, or None if it isn't known here."""
    if name in OTHERS:
        return OTHERS[name]
    known = available_timezones()
    if name in known:
        return name
    city = name.replace(" ", "_")
    return next((f"{region}/{city}" for region in REGIONS if f"{region}/{city}" in known), None)
