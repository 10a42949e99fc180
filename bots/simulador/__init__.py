"""Simulated payer portals: to train, demonstrate and test the bots against; nothing here is a real payer's site.

Run one with ``python -m bots.simulador p2 --port 0 --ledger /tmp/p2.sqlite`` (``p1`` likewise); it prints one JSON line
``{"url": …}`` on standard output when it listens. In a test: ``handle = bots.simulador.server.start("p2", ledger)``.

Two portals, after the archetypes observed in the trade:

* ``p2`` EPS *cuentas médicas*: ``/app`` (login) → ``/app/inicio`` → ``/app/radicar`` (draft account, asynchronous
  validation, final button) → constancia PDF; ``/app/radicaciones`` is the query page.
* ``p1`` SOAT claimant form: ``/`` (claimant type + NIT, no password) → ``/recepcion-reclamacion`` (one invoice, lookup
  on blur, numeric code in a green box); no document, and its lookup knows the invoice but not its number.

p2 also keeps the bag of answers: ``/app/glosas/bolsa`` → open an account (assigns it) → answer items or in mass (≤ 200)
→ close; ``/app/glosas/pausa`` has what is assigned to the user, ``/app/glosas/respondidas`` what was closed.

Controls, JSON over loopback only, never slowed down by the faults they set:

* ``GET /__sim/ledger`` → ``{"counts": {...}, "rows": [...]}`` · ``POST /__sim/reset``
* ``GET /__sim/config`` · ``POST /__sim/config`` (merges; ``errors`` merges by mode, ``null`` switches a mode off).
  Keys and defaults stand in ``config.Config``, the fault modes in ``config.MODES``.
* p2: ``GET /__sim/glosas`` → accounts, counts and rows of answers and closings · ``POST /__sim/glosas``
  ``{"cuentas": [{"nit", "factura", "valor_factura", "items": [{"servicio", "codigo", "valor"}]}]}`` puts accounts in the bag ·
  ``POST /__sim/glosas/decidir`` ``{"factura", "todas": "RATIFICADA" | "LEVANTADA", "items": {id_glosa: …}}`` decides.

A fault is switched on with ``true`` (always), an integer (the next n times), a fraction (probability, seeded) or
``{"next": n | "p": x, "invoices": [...], "reason": "…"}``.

The ledger (SQLite, ``synchronous=FULL``) holds one row per invoice of each final submit received, accepted or not, and
survives a restart. It is the oracle of the tests: what the product believes is compared with it, never the reverse.
Invariant: no module here imports the product, and a row is durable before the portal answers anything.
"""
