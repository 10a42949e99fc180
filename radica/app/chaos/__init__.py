"""The chaos drill: many filings while everything is killed and paused, judged by the portals' own ledgers."""
