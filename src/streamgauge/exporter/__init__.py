"""The client metrics as Prometheus scrapes them: what is counted, what is shown, and the page. No Locust here."""
