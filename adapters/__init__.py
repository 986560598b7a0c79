"""Upstream protocols: each adapter encodes operations into wire requests and decodes the answers."""
