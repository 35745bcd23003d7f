"""``streamgauge demo``: run Locust on the sample app, each in its own process, from start to verdict."""
