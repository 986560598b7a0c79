"""JSON Web Tokens (RFC 7519) of callers, verified with configured keys; nothing is fetched."""

from __future__ import annotations

import jwt

from contracts.errors import Unauthenticated
from gateway.settings import JwtSettings


class TokenVerifier:
    """Verifies signature, issuer, audience and times, and gives the subject.

    ``keys`` is the text of a JWK Set (RFC 7517); without one the shared secret of the settings is
    the key. A key verifies only algorithms of its own kind, so a public key never serves as a secret
    (RFC 8725 §3.1).
    """

    def __init__(self, settings: JwtSettings, keys: str | None = None) -> None:
        """Raises ValueError when there is no key, or the set cannot be read."""
        self._settings = settings
        shared = settings.secret
        if (keys is None) == (shared is None):
            raise ValueError("tokens are verified with a JWK Set or with a shared secret: one of them")
        try:
            self._keys = jwt.PyJWKSet.from_json(keys).keys if keys is not None else []
        except jwt.PyJWTError as error:
            raise ValueError(f"the JWK Set cannot be read: {error}") from error
        self._shared = shared.reveal() if shared is not None else None
        self._algorithms = [name for name in settings.algorithms if name.startswith("HS") == (keys is None)]
        if not self._algorithms:
            raise ValueError("none of the algorithms fits the key")

    def subject(self, token: str) -> str:
        """The subject. Raises :class:`Unauthenticated` with what is wrong, never with the token."""
        settings = self._settings
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=self._algorithms,
                audience=settings.audience,
                issuer=settings.issuer,
                leeway=settings.leeway,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("the token has expired") from error
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"the token is not valid here ({type(error).__name__})") from error
        subject = claims.get(settings.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise Unauthenticated(f"the token has no claim '{settings.subject_claim}'")
        return subject

    def _key(self, token: str) -> jwt.PyJWK | str:
        """The key that the token's ``kid`` names; the only one when it names none."""
        if self._shared is not None:
            return self._shared
        kid = jwt.get_unverified_header(token).get("kid")
        fitting = [key for key in self._keys if kid is None or key.key_id == kid]
        if len(fitting) != 1:
            raise Unauthenticated("the token does not name one of the keys known here")
        return fitting[0]
