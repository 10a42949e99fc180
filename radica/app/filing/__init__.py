"""One filing by a bot: its plan, its files, its process, its end, and the look at what stayed unknown."""
