"""Can a measurement be trusted, and were the rules met?"""
