"""The HTTP API: headers and bodies to operations, results and errors to answers.

``app.py`` lists every route; ``boundary.py`` is what all of them have in common.
"""
