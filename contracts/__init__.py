"""What everyone agrees on: operations, calls, paths, filters, schema, errors and the adapter's protocols.

Pure data and pure functions, no I/O, and nothing imported from the other packages. An adapter
written elsewhere needs this package alone.
"""
