"""Bots that file on payer portals, each attempt in a process and a browser of its own.

Nothing here imports radica: a bot is a guest that only knows the pipe contract (`bots.contract`), and what it
writes is untrusted until custody seals it. The last button is never pressed without the worker's `go`.
"""
