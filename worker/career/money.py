"""Places and their currencies, and salary ranges in running text."""

import re

_PLACES: dict[str, tuple[str, ...]] = {
    "AED": ("abu dhabi", "dubai"),
    "AUD": ("adelaide", "brisbane", "melbourne", "perth", "sydney", "australia"),
    "CAD": ("calgary", "montreal", "ottawa", "toronto", "vancouver", "canada"),
    "CHF": ("basel", "geneva", "zurich", "zürich", "switzerland"),
    "DKK": ("copenhagen", "denmark"),
    "EUR": (
        *("amsterdam", "athens", "barcelona", "berlin", "brussels", "cologne", "dublin", "frankfurt", "hamburg"),
        *("helsinki", "lisbon", "madrid", "milan", "munich", "paris", "rome", "vienna"),
        *("austria", "france", "germany", "ireland", "italy", "netherlands", "spain"),
    ),
    "GBP": ("birmingham", "bristol", "edinburgh", "glasgow", "leeds", "london", "manchester", "uk", "united kingdom"),
    "ILS": ("tel aviv", "jerusalem", "israel"),
    "INR": (
        *("ahmedabad", "bangalore", "bengaluru", "chennai", "delhi", "gurgaon", "gurugram", "hyderabad", "jaipur"),
        *("kolkata", "mumbai", "new delhi", "noida", "pune", "india"),
    ),
    "JPY": ("kyoto", "osaka", "tokyo", "japan"),
    "NOK": ("oslo", "norway"),
    "NZD": ("auckland", "wellington", "new zealand"),
    "PLN": ("krakow", "warsaw", "poland"),
    "SEK": ("gothenburg", "stockholm", "sweden"),
    "SGD": ("singapore",),
    "USD": (
        *("atlanta", "austin", "bay area", "boston", "chicago", "dallas", "denver", "houston", "los angeles", "miami"),
        *("new york", "nyc", "philadelphia", "portland", "san diego", "san francisco", "san jose", "seattle"),
        *("silicon valley", "washington", "usa", "united states"),
    ),
}
_CURRENCY_OF = {place: currency for currency, places in _PLACES.items() for place in places}
_PLACE = re.compile(
    r"\b(?:" + "|".join(re.escape(place) for place in sorted(_CURRENCY_OF, key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)

# How each currency is written. A bare dollar sign is the US dollar; the others carry a letter (C$, A$, S$, NZ$).
_MARKS = {
    "AED": r"aed|dirhams?",
    "AUD": r"aud|au?\$|australian dollars?",
    "CAD": r"cad|ca?\$|canadian dollars?",
    "CHF": r"chf|(?:swiss )?francs?",
    "DKK": r"dkk|danish kroner|kroner|kr\.?",
    "EUR": r"eur|€|euros?",
    "GBP": r"gbp|£|pounds?(?: sterling)?",
    "ILS": r"ils|nis|₪|shekels?",
    "INR": r"inr|₹|rs\.?|rupees?",
    "JPY": r"jpy|¥|yen",
    "NOK": r"nok|norwegian kroner|kroner|kr\.?",
    "NZD": r"nzd|nz\$|new zealand dollars?",
    "PLN": r"pln|zł|zloty|zlotys",
    "SEK": r"sek|swedish kronor|kronor|kr\.?",
    "SGD": r"sgd|s\$|singapore dollars?",
    "USD": r"usd|us\$|\$|(?:us )?dollars?",
}
_SCALES = {"k": 1e3, "thousand": 1e3, "lakh": 1e5, "lpa": 1e5, "m": 1e6, "million": 1e6, "crore": 1e7}
_AMOUNT = r"[0-9]{1,3}(?:,[0-9]{2,3}){1,4}|[0-9]{1,9}(?:\.[0-9]{1,2})?"
_SCALE = r"\s?(?:k|thousand|lakh|lpa|m|million|crore)s?\b"
_LOW = rf"(?P<low>{_AMOUNT})(?P<low_scale>{_SCALE})?"
_HIGH = rf"(?P<high>{_AMOUNT})(?P<high_scale>{_SCALE})?"
_JOIN = r"\s?(?:-|–|—|\bto\b|\band\b)\s?"  # noqa: RUF001 - the dashes people write


def _ranges_in(mark: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Two joined amounts: with the currency before the first one, and with it after the last one."""
    before, after = rf"(?<![\w$])(?:{mark})\s?", rf"\s?(?:{mark})(?!\w)"
    return (
        re.compile(rf"{before}{_LOW}{_JOIN}(?:(?:{mark})\s?)?{_HIGH}(?![\w,])", re.IGNORECASE),
        re.compile(rf"(?<![\w.,]){_LOW}(?:{after})?{_JOIN}{_HIGH}{after}", re.IGNORECASE),
    )


_RANGES = {currency: _ranges_in(mark) for currency, mark in _MARKS.items()}


def currencies_for(prompt: str) -> frozenset[str]:
    """ISO 4217 codes of the places ``prompt`` names; empty where it names none."""
    return frozenset(_CURRENCY_OF[place.lower()] for place in _PLACE.findall(prompt))


def range_currencies(text: str) -> frozenset[str]:
    """ISO 4217 codes of the currencies in which ``text`` states a range whose lower end is below its upper end."""
    return frozenset(
        currency
        for currency, patterns in _RANGES.items()
        if any(_rises(match) for pattern in patterns for match in pattern.finditer(text))
    )


def _rises(match: re.Match[str]) -> bool:
    # "50-70k" and "8 to 12 lakh" name the scale once, for both ends.
    low_scale = match["low_scale"] or match["high_scale"]
    return _value(match["low"], low_scale) < _value(match["high"], match["high_scale"])


def _value(amount: str, scale: str | None) -> float:
    unit = (scale or "").strip().lower()
    return float(amount.replace(",", "")) * _SCALES.get(unit.removesuffix("s"), 1.0)
