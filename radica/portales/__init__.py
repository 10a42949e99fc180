"""Payer portals: accounts with encrypted credentials, their lanes, file rules, health and outages."""
