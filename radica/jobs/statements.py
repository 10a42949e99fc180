"""The queue's SQL, written once for both databases and built once at import.

Invariant: every statement that moves a job says in its WHERE from where it may move, and with which token, so that
the one who comes late changes nothing. `state = 'ready'` and the like are literals: SQLite cannot use a partial
index through a parameter. On PostgreSQL a move and its lane are one statement, hence one round trip and one commit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from radica.jobs.clock import POSTGRES_NOW_MS, SQLITE_NOW_MS

_PARAMETER = re.compile(r":([a-z_]+)")

# A token is drawn at random, never counted up: a claim may be lost in a crash of the server (its commit is
# asynchronous), and a counter would then give the same number to two claims of one job.
_SQLITE_TOKEN = "abs(random() % 9007199254740991) + 1"  # noqa: S105 - SQL that draws a fencing token
_POSTGRES_TOKEN = "CAST(floor(random() * 9007199254740991) AS BIGINT) + 1"  # noqa: S105 - same


@dataclass(frozen=True)
class Sql:
    """One statement in the words of each driver. Parameters are named."""

    sqlite: str
    postgresql: str


def both(template: str) -> Sql:
    """Return a statement whose text is the same on both, but for the words in brackets."""
    return Sql(sqlite=_sqlite(template), postgresql=_postgres(template))


def _sqlite(template: str) -> str:
    filled = _fill(template, now=SQLITE_NOW_MS, token=_SQLITE_TOKEN, state="state")
    return _fill(filled, durable="1", harmless_when_lost="1")


def _postgres(template: str) -> str:
    # An expression hides the state from PostgreSQL's planner where the row is found by its id: without statistics it
    # would rather walk through a whole partial index of that state.
    filled = _fill(template, now=POSTGRES_NOW_MS, token=_POSTGRES_TOKEN, state="(state || '')")
    for word, level in (("durable", "on"), ("harmless_when_lost", "off")):
        filled = _fill(filled, **{word: f"set_config('synchronous_commit', '{level}', true)"})
    return _PARAMETER.sub(r"%(\1)s", filled)


def _fill(template: str, **words: str) -> str:
    for word, text in words.items():
        template = template.replace(f"[{word}]", text)
    return template


def _freeing(update: str) -> Sql:
    """Return `update … RETURNING id, lane_id` that also frees the lanes of what it moved.

    SQLite has no writing CTE; there the caller runs FREE_LANES in the same transaction.
    """
    on_postgres = """
        WITH moved AS ([update]),
        freed AS (
          UPDATE lanes SET busy_job_id = NULL, next_at_ms = [now] + gap_ms FROM moved
          WHERE lanes.id = moved.lane_id AND lanes.busy_job_id = moved.id)
        SELECT id, lane_id FROM moved"""
    return Sql(sqlite=_sqlite(update), postgresql=_postgres(on_postgres.replace("[update]", update)))


FREE_LANES = both("""
    UPDATE lanes SET busy_job_id = NULL, next_at_ms = [now] + gap_ms
    WHERE id IN (SELECT lane_id FROM jobs WHERE id IN (SELECT value FROM json_each(:ids)))
      AND busy_job_id IN (SELECT value FROM json_each(:ids))""")

# --- Claim ------------------------------------------------------------------------------------------------------
# Driven by the free lanes: each offers its first ready job through the partial index, so thousands of jobs behind
# busy lanes cost nothing. Jobs without a lane offer their first one beside them.

_RETURNED = "jobs.id, kind, payload, jobs.lane_id, token, attempts, max_attempts, subject, prestador_id"

_CLAIM_SQLITE = """
    UPDATE jobs SET state = 'running', phase = 'preparing', token = [token], attempts = attempts + 1,
           owner = :owner, host = :host, lease_until_ms = [now] + :lease_ms, progress = NULL, progress_n = 0, progress_of = 0
    WHERE id = (
      SELECT id FROM (
        SELECT j.id, j.priority, j.run_after_ms FROM lanes l JOIN jobs j ON j.id = (
            SELECT id FROM jobs WHERE state = 'ready' AND lane_id = l.id AND run_after_ms <= [now][kinds]
            ORDER BY priority, run_after_ms, id LIMIT 1)
        WHERE l.busy_job_id IS NULL AND l.paused = 0 AND l.next_at_ms <= [now]
        UNION ALL
        SELECT * FROM (
            SELECT id, priority, run_after_ms FROM jobs
            WHERE state = 'ready' AND lane_id IS NULL AND run_after_ms <= [now][kinds]
            ORDER BY priority, run_after_ms, id LIMIT 1))
      ORDER BY priority, run_after_ms, id LIMIT 1)
    RETURNING [returned], 1"""

TAKE_LANE = both("UPDATE lanes SET busy_job_id = :id WHERE id = :lane AND busy_job_id IS NULL")

# NO KEY UPDATE, not UPDATE: whoever enqueues holds the lane's row by its foreign key until his transaction ends, and
# a long import must not close a lane. A stale candidate (its lane was freed between our snapshot and our lock) falls
# out at the second look at the job, which skips rather than waits: a claim never waits for anybody. The last column
# says whether there was a candidate at all.
_CLAIM_POSTGRES = """
    WITH clock AS MATERIALIZED (SELECT [now] AS ms, [harmless_when_lost] AS level),
    by_lane AS MATERIALIZED (
      SELECT j.id, j.priority, j.run_after_ms
      FROM clock CROSS JOIN lanes l CROSS JOIN LATERAL (
          SELECT id, priority, run_after_ms FROM jobs
          WHERE state = 'ready' AND lane_id = l.id AND run_after_ms <= clock.ms[kinds]
          ORDER BY priority, run_after_ms, id LIMIT 1) j
      WHERE l.busy_job_id IS NULL AND NOT l.paused AND l.next_at_ms <= clock.ms
      ORDER BY j.priority, j.run_after_ms, j.id LIMIT 1
      FOR NO KEY UPDATE OF l SKIP LOCKED),
    without_lane AS MATERIALIZED (
      SELECT id, priority, run_after_ms FROM jobs
      WHERE state = 'ready' AND lane_id IS NULL AND run_after_ms <= (SELECT ms FROM clock)[kinds]
      ORDER BY priority, run_after_ms, id LIMIT 1
      FOR NO KEY UPDATE SKIP LOCKED),
    first AS MATERIALIZED (
      SELECT * FROM (SELECT * FROM by_lane UNION ALL SELECT * FROM without_lane) AS offered
      ORDER BY priority, run_after_ms, id LIMIT 1),
    held AS MATERIALIZED (
      SELECT id FROM jobs WHERE id = (SELECT id FROM first) AND [state] = 'ready'
      FOR NO KEY UPDATE SKIP LOCKED),
    claimed AS (
      UPDATE jobs SET state = 'running', phase = 'preparing', token = [token], attempts = attempts + 1,
             owner = :owner, host = :host, lease_until_ms = clock.ms + :lease_ms,
             progress = NULL, progress_n = 0, progress_of = 0
      FROM held, clock WHERE jobs.id = held.id
      RETURNING [returned]),
    taken AS (
      UPDATE lanes SET busy_job_id = claimed.id FROM claimed WHERE lanes.id = claimed.lane_id)
    SELECT claimed.*, offered.n FROM (SELECT count(*) AS n FROM first) AS offered LEFT JOIN claimed ON true"""


def _claim(sqlite_kinds: str, postgres_kinds: str) -> Sql:
    return Sql(
        sqlite=_sqlite(_CLAIM_SQLITE.replace("[kinds]", sqlite_kinds).replace("[returned]", _RETURNED)),
        postgresql=_postgres(_CLAIM_POSTGRES.replace("[kinds]", postgres_kinds).replace("[returned]", _RETURNED)),
    )


CLAIM = _claim("", "")
CLAIM_KINDS = _claim(
    " AND kind IN (SELECT value FROM json_each(:kinds))",
    " AND kind = ANY(ARRAY(SELECT json_array_elements_text(CAST(:kinds AS json))))",
)

# --- While it runs ----------------------------------------------------------------------------------------------

_MINE = "id = :id AND token = :token AND [state] = 'running'"
_ALIVE = " AND lease_until_ms > [now]"

# A lease that has run out is never revived, and a submitting one never outlives its limit.
HEARTBEAT = both(
    """
    UPDATE jobs SET lease_until_ms = CASE phase WHEN 'preparing' THEN [now] + :lease_ms ELSE lease_until_ms END,
           progress = COALESCE(CAST(:progress AS VARCHAR(200)), progress),
           progress_n = COALESCE(CAST(:n AS INTEGER), progress_n),
           progress_of = COALESCE(CAST(:of AS INTEGER), progress_of)
    WHERE """
    + _MINE
    + _ALIVE
    + " RETURNING id, [harmless_when_lost]"
)

INTENT = both(
    "UPDATE jobs SET phase = 'submitting', intent_id = :intent_id, lease_until_ms = [now] + :limit_ms WHERE "
    + _MINE
    + " AND phase = 'preparing'"
    + _ALIVE
    + " RETURNING id, [durable]"
)

# --- Ends -------------------------------------------------------------------------------------------------------

DONE = _freeing(
    "UPDATE jobs SET state = 'done', lease_until_ms = NULL, finished_ms = [now], error_code = NULL, error = NULL WHERE "
    + _MINE
    + " RETURNING id, lane_id"
)

DEAD = _freeing(
    "UPDATE jobs SET state = 'dead', lease_until_ms = NULL, finished_ms = [now], error_code = :code, error = :error"
    " WHERE " + _MINE + " RETURNING id, lane_id"
)

# 'ready' once more, or a dead letter after the last attempt; never past an intent.
_AGAIN = """
    UPDATE jobs SET state = CASE WHEN attempts < max_attempts THEN 'ready' ELSE 'dead' END,
           finished_ms = CASE WHEN attempts < max_attempts THEN NULL ELSE [now] END,
           phase = NULL, lease_until_ms = NULL, run_after_ms = [now] + :delay_ms, error_code = :code, error = :error
    WHERE """

RETRY = _freeing(_AGAIN + _MINE + " AND phase = 'preparing' RETURNING id, lane_id")

# The lane stays taken, and owner and host stay written: the fence must know where to look.
UNKNOWN = both(
    "UPDATE jobs SET state = 'outcome_unknown', lease_until_ms = NULL, error_code = :code, error = :error WHERE "
    + _MINE
    + " AND phase = 'submitting' RETURNING id"
)

# --- Reaper: one statement for each class; SKIP LOCKED, because a stopped worker may hold its row ------------------


def _late(phase: str, more: str = "") -> tuple[str, str]:
    where = f"state = 'running' AND phase = '{phase}' AND lease_until_ms <= [now]{more}"
    ids = f"id IN (SELECT id FROM jobs WHERE {where} FOR NO KEY UPDATE SKIP LOCKED)"
    return where, f"{ids} AND {where}"


def _reaping(update: str, phase: str, more: str = "", *, frees: bool) -> Sql:
    plain, skipping = _late(phase, more)
    on_sqlite, on_postgres = (f"{update} WHERE {where} RETURNING id, lane_id" for where in (plain, skipping))
    return Sql(
        sqlite=_sqlite(on_sqlite), postgresql=(_freeing(on_postgres).postgresql if frees else _postgres(on_postgres))
    )


_LAPSED = "lease_until_ms = NULL, error_code = 'lease_lapsed', error = NULL"

REAP_UNKNOWN = _reaping("UPDATE jobs SET state = 'outcome_unknown', " + _LAPSED, "submitting", frees=False)
REAP_DEAD = _reaping(
    "UPDATE jobs SET state = 'dead', finished_ms = [now], " + _LAPSED,
    "preparing",
    " AND attempts >= max_attempts",
    frees=True,
)
REAP_READY = _reaping(
    "UPDATE jobs SET state = 'ready', phase = NULL, " + _LAPSED,
    "preparing",
    " AND attempts < max_attempts",
    frees=True,
)

# --- Unknown outcomes, lanes, screens -----------------------------------------------------------------------------

SETTLE = both("""
    UPDATE jobs SET state = :to, finished_ms = [now]
    WHERE id = :id AND [state] = 'outcome_unknown' RETURNING id""")
SETTLE_READY = both("""
    UPDATE jobs SET state = 'ready', phase = NULL, run_after_ms = [now]
    WHERE id = :id AND [state] = 'outcome_unknown' AND intent_id IS NULL RETURNING id""")
RELEASE_LANE = both("""
    UPDATE lanes SET busy_job_id = NULL, next_at_ms = [now] + gap_ms
    WHERE busy_job_id = :id AND id = (SELECT lane_id FROM jobs WHERE id = :id AND [state] <> 'running') RETURNING id""")
CANCEL = both(
    "UPDATE jobs SET state = 'cancelled', finished_ms = [now] WHERE id = :id AND [state] = 'ready' RETURNING id"
)
PAUSE_LANE = both("UPDATE lanes SET paused = true, paused_why = :why WHERE id = :lane RETURNING id")
RESUME_LANE = both("UPDATE lanes SET paused = false, paused_why = NULL WHERE id = :lane RETURNING id")
# Four counts through four partial indexes: what is done grows without end, and no screen needs its number.
COUNTS = both(
    " UNION ALL ".join(
        f"SELECT '{state}', count(*) FROM jobs WHERE state = '{state}'"
        for state in ("ready", "running", "outcome_unknown", "dead")
    )
)
DEPTHS = both("""
    SELECT l.id, l.name, l.paused, l.paused_why, l.busy_job_id, b.state,
           (SELECT count(*) FROM jobs j WHERE j.state = 'ready' AND j.lane_id = l.id),
           (SELECT count(*) FROM jobs j WHERE j.state = 'ready' AND j.lane_id = l.id AND j.run_after_ms > [now])
    FROM lanes l LEFT JOIN jobs b ON b.id = l.busy_job_id ORDER BY l.name""")
BEAT = both("""
    INSERT INTO worker_beats (owner, host, started_ms, seen_ms, doing) VALUES (:owner, :host, [now], [now], :doing)
    ON CONFLICT (owner) DO UPDATE SET seen_ms = excluded.seen_ms, host = excluded.host, doing = excluded.doing""")
UNBEAT = both("DELETE FROM worker_beats WHERE owner = :owner")

# --- Coming in --------------------------------------------------------------------------------------------------

ENQUEUE = both("""
    INSERT INTO jobs (kind, payload, prestador_id, lane_id, subject, priority, run_after_ms, state, token, attempts,
                      max_attempts, dedup, progress_n, progress_of, created_ms)
    VALUES (:kind, :payload, :prestador_id, :lane_id, :subject, :priority, [now] + :delay_ms, 'ready', 0, 0,
            :max_attempts, :dedup, 0, 0, [now])
    ON CONFLICT (dedup) WHERE state IN ('ready', 'running', 'outcome_unknown') DO NOTHING
    RETURNING id""")
ALIVE_WITH_DEDUP = both("""
    SELECT id FROM jobs WHERE dedup = :dedup AND state IN ('ready', 'running', 'outcome_unknown')""")
ADD_LANE = both("""
    INSERT INTO lanes (name, gap_ms, next_at_ms, paused) VALUES (:name, :gap_ms, 0, false)
    ON CONFLICT (name) DO NOTHING RETURNING id""")
TAKE_SLOT = both("""
    INSERT INTO schedule_slots (kind, due_ms) VALUES (:kind, :due_ms)
    ON CONFLICT (kind, due_ms) DO NOTHING RETURNING due_ms""")
FORGET_SLOTS = both("DELETE FROM schedule_slots WHERE due_ms < :before_ms RETURNING due_ms")
