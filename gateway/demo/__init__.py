"""A gateway to try: the configuration of the demo (``demo.yaml``) and what runs it over a sandbox.

run.py   the sandbox as a child process, the gateway in this one, and both to an end
"""
