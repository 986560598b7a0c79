"""The configuration: one YAML file, decoded strictly to frozen Structs, with messages that help.

secret.py     a value that is printed nowhere
problems.py   what is wrong, and where
model.py      what can be set
entities.py   the data model of an environment
document.py   YAML to plain values that know their lines
decode.py     plain values to Structs, collecting every problem
sources.py    secrets, files and time zones, which stand in the file by name
checks.py     what only several values together can get wrong
loading.py    all of it in order
schema.py     the JSON Schema for editors
"""

from gateway.settings.checks import advice
from gateway.settings.decode import decode_options
from gateway.settings.entities import EntitySettings, NavigationSettings, data_model
from gateway.settings.loading import load, parse
from gateway.settings.model import (
    ALL_TENANTS,
    CertificateSettings,
    ClientSettings,
    CredentialSettings,
    EnvironmentSettings,
    JwtSettings,
    LimitSettings,
    LogSettings,
    ServerSettings,
    Settings,
    TenantSettings,
    TimeoutSettings,
)
from gateway.settings.problems import ConfigurationError, Problem
from gateway.settings.schema import json_schema
from gateway.settings.secret import Secret

__all__ = [
    "ALL_TENANTS",
    "CertificateSettings",
    "ClientSettings",
    "ConfigurationError",
    "CredentialSettings",
    "EntitySettings",
    "EnvironmentSettings",
    "JwtSettings",
    "LimitSettings",
    "LogSettings",
    "NavigationSettings",
    "Problem",
    "Secret",
    "ServerSettings",
    "Settings",
    "TenantSettings",
    "TimeoutSettings",
    "advice",
    "data_model",
    "decode_options",
    "json_schema",
    "load",
    "parse",
]
