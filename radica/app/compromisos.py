"""The daily look at promised payments: what did not come by its date becomes a red line and a task.

Invariant: looking twice a day opens no second task; only promises of signed actas count. Norm: Circular conjunta
030/2013 (binding commitments of payment).
"""

from __future__ import annotations

from datetime import datetime

from radica.conciliacion.commitments import alert_broken
from radica.kernel.clock import civil_date
from radica.kernel.db import Database

KIND_PROMISES = "revisar_compromisos"


def check_promises(database: Database, at: datetime) -> int:
    """Open the tasks of the promises broken up to the civil day of `at` (aware); returns how many are broken."""
    with database.write() as session:
        return alert_broken(session, today=civil_date(at), at=at)
