"""What the gateway does itself, because the adapter that serves a call cannot.

* ``held``      what a record of an export says by itself: where a filter's property stands in it
* ``places``    what a path means over whole sets of records: a condition, and a record to be read first
* ``scans``     records of a scan, filtered, ordered, cut to a page, and counted against the tenant's limit
* ``reads``     reading one record and a list over an adapter that gives whole sets only
* ``writes``    the record after a write of which the protocol answers the key alone
* ``readback``  many records by their keys, in as few reads as there can be
* ``batches``   ten thousand writes in as few upstream requests as their order allows
* ``progress``  what has become of them so far
* ``plans``     what a call would send
"""
