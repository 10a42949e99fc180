"""Cartera: what was paid to each invoice, what it owes in interest, and when the right to claim it prescribes."""
