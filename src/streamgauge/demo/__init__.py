"""``streamgauge demo``: the sample app and a Locust run on it, each a process of its own, from start to verdict."""
