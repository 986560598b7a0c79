"""The configuration: one YAML file, decoded strictly to frozen Structs, with messages that help.

secret.py     a value that is printed nowhere
problems.py   what is wrong, and where
model.py      what can be set
entities.py   the data model of an environment
document.py   YAML to plain values that know their lines
decode.py     plain values to Structs, collecting every problem
traffic.py    quota, bulkheads, retries, breaker, cache, store
values.py     the single values
sources.py    secrets, files and time zones, which stand in the file by name
checks.py     what only several values together can get wrong
loading.py    all of it in order
restart.py    what a change of the file cannot change while the process runs
schema.py     the JSON Schema for editors
"""

from gateway.settings.checks import advice
from gateway.settings.decode import decode_options
from gateway.settings.entities import EntitySettings, NavigationSettings, data_model
from gateway.settings.loading import load, load_named, parse
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
    TracingSettings,
)
from gateway.settings.problems import ConfigurationError, Problem
from gateway.settings.restart import restart_needed
from gateway.settings.schema import json_schema
from gateway.settings.secret import Secret
from gateway.settings.traffic import (
    BreakerSettings,
    BulkheadSettings,
    BurstSettings,
    CacheSettings,
    CeilingSettings,
    ClientQuotaSettings,
    DaySettings,
    IdempotencySettings,
    QuotaSettings,
    RetryBudgetSettings,
    RetryRule,
    RetrySettings,
    StoreSettings,
    TenantQuotaSettings,
    ValkeySettings,
)

__all__ = [
    "ALL_TENANTS",
    "BreakerSettings",
    "BulkheadSettings",
    "BurstSettings",
    "CacheSettings",
    "CeilingSettings",
    "CertificateSettings",
    "ClientQuotaSettings",
    "ClientSettings",
    "ConfigurationError",
    "CredentialSettings",
    "DaySettings",
    "EntitySettings",
    "EnvironmentSettings",
    "IdempotencySettings",
    "JwtSettings",
    "LimitSettings",
    "LogSettings",
    "NavigationSettings",
    "Problem",
    "QuotaSettings",
    "RetryBudgetSettings",
    "RetryRule",
    "RetrySettings",
    "Secret",
    "ServerSettings",
    "Settings",
    "StoreSettings",
    "TenantQuotaSettings",
    "TenantSettings",
    "TimeoutSettings",
    "TracingSettings",
    "ValkeySettings",
    "advice",
    "data_model",
    "decode_options",
    "json_schema",
    "load",
    "load_named",
    "parse",
    "restart_needed",
]
