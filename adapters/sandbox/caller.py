"""Who calls, and in which language: what the headers of a call say beside its path and body."""

from collections.abc import Mapping

import msgspec

from adapters.sandbox.errors import Refusal
from adapters.sandbox.keys import ApiKey

LANGUAGES = ("NL", "EN", "DE", "FR", "PL", "ES", "IT", "TR")
DEFAULT_LANGUAGE = "EN"
_CULTURES = {
    "nl-NL": "NL",
    "nl-BE": "NL",
    "en-US": "EN",
    "en-GB": "EN",
    "de-DE": "DE",
    "fr-FR": "FR",
    "pl-PL": "PL",
    "es-ES": "ES",
    "it-IT": "IT",
    "tr-TR": "TR",
}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """One call's circumstances.

    ``language`` is the code in which multilingual values are answered, ``answered`` the tag that
    ``Content-Language`` answers. ``writes`` is the code that a write's ``Content-Language`` names.
    ``company`` is ``None`` when the key is not limited to one.
    """

    key: ApiKey
    company: str | None = None
    language: str = DEFAULT_LANGUAGE
    answered: str = DEFAULT_LANGUAGE
    writes: str | None = None
    strip_html: bool = False


def caller_of(key: ApiKey, headers: Mapping[str, str]) -> Caller:
    """The circumstances that a call's headers state.

    Raises ``Refusal`` 400 for a company that the key does not cover, and for a ``Content-Language`` that
    is not exactly a known code or culture: vendor page "Inserting data" calls it case-sensitive.
    """
    language, answered = _preferred(headers.get("Accept-Language"))
    written = headers.get("Content-Language")
    code = _CULTURES.get(written, written if written in LANGUAGES else None) if written else None
    if written and code is None:
        raise Refusal(400, "InvalidLanguage", f"The content language '{written}' is not known.")
    preferences = headers.get("Prefer", "").lower().split(",")
    return Caller(
        key=key,
        company=key.company(headers.get("Ultimo-Company")),
        language=language,
        answered=answered,
        writes=code,
        strip_html="strip-html" in (item.strip() for item in preferences),
    )


def _preferred(accepted: str | None) -> tuple[str, str]:
    """The code and the tag of the best known language of an ``Accept-Language`` header."""
    best = (0.0, DEFAULT_LANGUAGE, DEFAULT_LANGUAGE)
    for item in (accepted or "").split(","):
        tag, _, weight = item.strip().partition(";")
        code = tag.strip()[:2].upper()
        try:
            quality = float(weight.partition("=")[2]) if weight else 1.0
        except ValueError:
            quality = 0.0
        if code in LANGUAGES and quality > best[0]:
            best = (quality, code, tag.strip())
    return best[1], best[2]
