"""``ultimo-gateway doctor``: whether the upstream can be reached with each tenant's credential, and if not, why.

``examination`` is the order of it all. ``connection`` says what connecting and certificates tell, which costs nothing;
``question`` which one request is worth a unit, and asks it past the gate and over the wire, ``answers`` and
``editions`` what the answer tells. ``storage`` looks at the store, ``opening`` opens what a gateway would,
``findings`` is the report and ``rendering`` its text.
"""

from gateway.doctor.examination import Wanted, examine
from gateway.doctor.findings import Finding, Report, Verdict
from gateway.doctor.rendering import rendered

__all__ = ["Finding", "Report", "Verdict", "Wanted", "examine", "rendered"]
