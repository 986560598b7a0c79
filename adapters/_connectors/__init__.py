"""What Connector.ashx and SOAP share: connectors, their records, and everything but the wrapping.

options.py       what a tenant may set
entities.py      the connectors it has set, by entity of the data model
columns.py       property ↔ column names (``Department.Id``), values ↔ texts
records_xml.py   the ``<Data><Object>`` format, read and written
records_csv.py   exports in CSV
records_json.py  exports in JSON
formats.py       these three as readers, and a text read with one
exports.py       what is asked of an export, and its answer as records
narrowing.py     what of a filter an export connector can take over
imports.py       writes → the objects of an import
answers.py       the objects of an import's answer → what became of each write
runs.py          one import: its request, and what its answer tells
measurements.py  readings → the document of the IoT connector
text.py          bytes → text, whatever was declared
failures.py      exception texts and refused objects → the errors they mean
channel.py       what an adapter adds: how a call is wrapped
adapter.py       the conversation, the same over both
"""
