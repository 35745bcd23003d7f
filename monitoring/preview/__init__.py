"""Pictures of the dashboards, drawn from a live Prometheus by the panels' own queries. They are not Grafana's."""
