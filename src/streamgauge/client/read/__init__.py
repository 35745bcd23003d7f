"""Reading a stream: when to read, what came, and when it arrived."""
