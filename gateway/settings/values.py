"""The single values of a configuration: what each may be, and how a message calls it.

The ``description`` of a type is what an error message says was expected, and what an
editor shows. Patterns end in ``$(?!\\n)``: the very end, in Python and in editors alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,39}$(?!\n)",
        description="a name of at most 40 small letters, digits and hyphens, not beginning with a hyphen",
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=400, description="a text of 1 to 400 characters")]
HeaderText = Annotated[
    str,
    Meta(
        pattern=r"^[!-~]([ -~]{0,98}[!-~])?$(?!\n)", description="at most 100 plain ASCII characters, trimmed"
    ),
]
TenantReference = Annotated[
    str,
    Meta(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,39})$(?!\n)", description="the name of a tenant, or '*' for all"),
]
LanguageTag = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$(?!\n)",
        description="a language tag such as 'NL' or 'en-US'",
    ),
]
KeyHash = Annotated[
    str,
    Meta(
        pattern=r"^sha256:[0-9a-f]{64}$(?!\n)",
        description="'sha256:' and 64 hexadecimal digits, as `ultimo-gateway keys new` prints them",
    ),
]
Port = Annotated[int, Meta(ge=0, le=65535, description="a port from 0 (any that is free) to 65535")]
Seconds = Annotated[
    float, Meta(gt=0, le=86_400, description="a number of seconds, more than 0 and at most 86400")
]
Bytes = Annotated[int, Meta(ge=1, description="a number of bytes, at least 1")]
Count = Annotated[int, Meta(ge=1, description="a whole number, at least 1")]
Url = Annotated[str, Meta(description="an address such as 'https://customer.ultimo.net/api/v1'")]
SiteUrl = Annotated[str, Meta(description="an address such as 'https://customer.ultimo.net/Ultimo'")]
ProxyUrl = Annotated[str, Meta(description="an address such as 'http://proxy.example:3128'")]

Scope = Literal["read", "write"]
Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"
]

Whole = Annotated[int, Meta(ge=0, description="a whole number, at least 0")]
Part = Annotated[float, Meta(ge=0, le=1, description="a part of the whole from 0 to 1")]
Weight = Annotated[float, Meta(gt=0, le=1000, description="a weight above 0 and at most 1000")]
Pause = Annotated[float, Meta(ge=0, le=3600, description="a number of seconds from 0 to 3600")]
Age = Annotated[float, Meta(ge=0, le=86_400, description="a number of seconds from 0 to 86400")]
TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", description="a time of day such as '00:00'")
]
Units = Annotated[int, Meta(ge=1, description="a number of units, at least 1")]
Percentage = Annotated[
    str,
    Meta(pattern=r"^([1-9][0-9]?|100)%$(?!\n)", description="a percentage from '1%' to '100%'"),
]
Share = Units | Percentage
HostPort = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:]{2,45}\]):[0-9]{1,5}$(?!\n)",
        description="a host and a port such as 'valkey:6379'",
    ),
]
Prefix = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{1,40}$(?!\n)",
        description="at most 40 letters, digits, dots, hyphens and underscores",
    ),
]
NewFile = Annotated[Path, Meta(description="the path of a file, which need not be there yet")]
