"""Judge a run: whether its measurement can be trusted, and with which exit status it ends."""
