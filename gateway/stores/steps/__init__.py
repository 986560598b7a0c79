"""The steps of the stores, decided once: functions over rows, whatever keeps the rows.

A step is a plain function of some rows and of the moment (milliseconds since 1970). It reads what it needs,
decides, and writes at the end, so that a step that raises has changed nothing. Whoever runs it sees to it
that nothing else touches the rows meanwhile.
"""
