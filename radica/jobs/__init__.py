"""The durable queue: jobs, lanes, intents and the reaper (DESIGN section 5)."""
