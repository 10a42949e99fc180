"""The seconds of a chaos drill, short so that many leases end in it."""

from __future__ import annotations

from radica.app.house import Timing

TIMING = Timing(lease_s=8.0, beat_s=2.0, poll_s=0.2, tend_s=1.0, adopt_after_s=1.0, result_patience_s=2.0)
PREPARE_S = 60
SUBMIT_S = 20
"""Lease of the intent; the bot itself gets four fifths of it."""
SETTLE_S = 4
QUERY_LAG_S = 2.0
"""A filing shows in the portal's query only after this; shorter than the settling time, as a payer's profile says."""
RETRY_S = 2
"""First pause after a failure before sending."""
