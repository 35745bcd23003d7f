"""Side-by-side measurements against peers, the floor, and a source that logs what it sent when."""
