"""What the gateway tells those who run it: log lines, metrics and traces.

log.py         the logger: one line an event, JSON or text
redaction.py   what keeps secrets out of every line
masking.py     what a line shows of a key
bridge.py      the standard library's loggers, in the same lines
metrics.py     counters for Prometheus
standing.py    gauges for Prometheus, made anew for each scrape
tracing.py     spans, as the rest of the house knows them; otlp.py makes them with OpenTelemetry
"""
