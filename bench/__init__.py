"""Speed, measured: each module has `run() -> dict` with a figure, the floor of the same run, and their ratio."""
