"""All tests: unit (no database, no socket), integration (both databases), functional (Flask client), e2e (Chromium)."""
