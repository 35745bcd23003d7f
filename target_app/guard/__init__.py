"""Guards between the clients and the app: who may start a stream, how many, how fast, how large and how long.

Every guard acts before the first byte. None does anything per chunk, so an accepted stream costs no more than without.
"""
