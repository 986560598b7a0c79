"""How the SOAP service describes itself: a WSDL that imports its schemas, as WCF writes it."""

from xml.sax.saxutils import quoteattr

NAMESPACE = "http://tempuri.org/"
FAULTS = "http://schemas.datacontract.org/2004/07/Ultimo.Web.SiteRoot.WebServices"
"""The namespace of ``ConnectorErrorMessage``: not documented, so a choice."""

_PARAMETERS = {
    "ExportData": ("exportName", "userName", "password", "requestData"),
    "ImportData": ("importName", "userName", "password", "importData"),
}


def service(address: str) -> str:
    """The WSDL of the service at ``address``."""
    location = quoteattr(address)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<wsdl:definitions name="SoapConnector" targetNamespace="{NAMESPACE}"'
        f' xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="{NAMESPACE}" xmlns:f="{FAULTS}"'
        ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:wsaw="http://www.w3.org/2006/05/addressing/wsdl">\n'
        f'<wsdl:types><xsd:schema targetNamespace="{NAMESPACE}Imports">'
        f'<xsd:import schemaLocation={_located(address, 0)} namespace="{NAMESPACE}"/>'
        f'<xsd:import schemaLocation={_located(address, 1)} namespace="{FAULTS}"/>'
        "</xsd:schema></wsdl:types>\n"
        f"{''.join(_messages(name) for name in _PARAMETERS)}"
        f'<wsdl:portType name="SoapConnector">{"".join(map(_port, _PARAMETERS))}</wsdl:portType>\n'
        '<wsdl:binding name="BasicHttpBinding_SoapConnector" type="tns:SoapConnector">'
        '<soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{''.join(_binding(name) for name in _PARAMETERS)}</wsdl:binding>\n"
        '<wsdl:service name="SoapConnector"><wsdl:port name="BasicHttpBinding_SoapConnector"'
        f' binding="tns:BasicHttpBinding_SoapConnector"><soap:address location={location}/></wsdl:port>'
        "</wsdl:service>\n</wsdl:definitions>\n"
    )


def schema(name: str, address: str) -> str | None:
    """The schema of that name, ``None`` when there is none: ``xsd0`` messages, ``xsd1`` faults."""
    if name == "xsd0":
        elements = "".join(_elements(operation) for operation in _PARAMETERS)
        return _schema(NAMESPACE, elements)
    if name == "xsd1":
        return _schema(
            FAULTS,
            '<xs:complexType name="ConnectorErrorMessage"><xs:sequence>'
            '<xs:element minOccurs="0" name="Message" nillable="true" type="xs:string"/>'
            "</xs:sequence></xs:complexType>"
            '<xs:element name="ConnectorErrorMessage" nillable="true" type="tns:ConnectorErrorMessage"/>',
        )
    return None


def _located(address: str, number: int) -> str:
    return quoteattr(f"{address}?xsd=xsd{number}")


def _schema(namespace: str, content: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<xs:schema elementFormDefault="qualified" targetNamespace="{namespace}" xmlns:tns="{namespace}"'
        f' xmlns:xs="http://www.w3.org/2001/XMLSchema">{content}</xs:schema>\n'
    )


def _elements(operation: str) -> str:
    return _wrapper(operation, _PARAMETERS[operation]) + _wrapper(
        f"{operation}Response", (f"{operation}Result",)
    )


def _wrapper(name: str, parts: tuple[str, ...]) -> str:
    fields = "".join(
        f'<xs:element minOccurs="0" name="{part}" nillable="true" type="xs:string"/>' for part in parts
    )
    sequence = f"<xs:complexType><xs:sequence>{fields}</xs:sequence></xs:complexType>"
    return f'<xs:element name="{name}">{sequence}</xs:element>'


def _messages(operation: str) -> str:
    parts = {
        f"SoapConnector_{operation}_InputMessage": ("parameters", f"tns:{operation}"),
        f"SoapConnector_{operation}_OutputMessage": ("parameters", f"tns:{operation}Response"),
        f"SoapConnector_{operation}_ConnectorErrorMessageFault_FaultMessage": (
            "detail",
            "f:ConnectorErrorMessage",
        ),
    }
    return "".join(
        f'<wsdl:message name="{name}"><wsdl:part name="{part}" element="{element}"/></wsdl:message>\n'
        for name, (part, element) in parts.items()
    )


def _port(operation: str) -> str:
    action = f"{NAMESPACE}SoapConnector/{operation}"
    message = f"tns:SoapConnector_{operation}"
    fault = "ConnectorErrorMessageFault"
    return (
        f'<wsdl:operation name="{operation}">'
        f'<wsdl:input wsaw:Action="{action}" message="{message}_InputMessage"/>'
        f'<wsdl:output wsaw:Action="{action}Response" message="{message}_OutputMessage"/>'
        f'<wsdl:fault wsaw:Action="{action}{fault}" name="{fault}" message="{message}_{fault}_FaultMessage"/>'
        "</wsdl:operation>"
    )


def _binding(operation: str) -> str:
    fault = "ConnectorErrorMessageFault"
    return (
        f'<wsdl:operation name="{operation}">'
        f'<soap:operation soapAction="{NAMESPACE}SoapConnector/{operation}" style="document"/>'
        '<wsdl:input><soap:body use="literal"/></wsdl:input>'
        '<wsdl:output><soap:body use="literal"/></wsdl:output>'
        f'<wsdl:fault name="{fault}"><soap:fault name="{fault}" use="literal"/></wsdl:fault>'
        "</wsdl:operation>"
    )
