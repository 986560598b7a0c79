"""Export and import connectors, behind ``Connector.ashx`` and ``SoapConnector.svc``.

``definitions`` says which connectors and users there are, ``desk`` runs one of them for either face, ``ashx``
and ``soap`` are the faces, and ``sites`` finds the face of a path.
"""
