"""Dashboards, rules and alerts as code."""
