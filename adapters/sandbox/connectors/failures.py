"""Failures of a whole call: the .NET exception that the upstream would print."""

_GENERAL = "Ultimo.Framework.Core.Tools.GeneralException"
_STACK = (
    "   at Ultimo.Web.Core.Connectors.ConnectorHost.Run(ConnectorCall call)",
    "   at Ultimo.Web.SiteRoot.WebServices.Connector.ProcessRequest(HttpContext context)",
)


class ConnectorFailure(Exception):
    """A call that is refused as a whole. ``kind`` is the name of the .NET exception."""

    def __init__(self, message: str, kind: str = _GENERAL) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind

    @property
    def text(self) -> str:
        """The exception as .NET prints it, stack trace included."""
        return "\r\n".join((f"{self.kind}: {self.message}", *_STACK))


def login_failed() -> ConnectorFailure:
    return ConnectorFailure("Username or password not correct, login failed.")


def missing_parameter(name: str) -> ConnectorFailure:
    return ConnectorFailure(f"Parameter '{name}' is missing.")


def unreadable(reason: str) -> ConnectorFailure:
    """A document that is no XML, or not that of a connector."""
    return ConnectorFailure(reason, "System.Xml.XmlException")


def unexpected(error: BaseException) -> ConnectorFailure:
    """A failure of the look-alike's own."""
    return ConnectorFailure(str(error), f"System.{type(error).__name__}")
