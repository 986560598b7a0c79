"""The service: takes calls in over HTTP, decides what they need of the upstream, and sends that.

Imports :mod:`contracts`; adapters are found through entry points and never imported.
"""
