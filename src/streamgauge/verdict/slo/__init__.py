"""SLO rules: read them, and judge a run by them."""
