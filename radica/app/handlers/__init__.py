"""What the worker does between filings: each file is a job of the queue, or what such a job needs."""
