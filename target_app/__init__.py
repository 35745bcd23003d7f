"""The sample streaming app: one endpoint per wire format, each measured by streamgauge's middleware."""
