"""The validator of MinSalud (MUV), reached through its local API FEV-RIPS: the client, the orders and their outcome.

Invariant: off until a person switches it on for a provider; a package is sent on demand, and a CUV counts only when the
Ministry's own bytes name this invoice. Norms: Res. 948 de 2026 arts. 3 and 4; manual of the API FEV-RIPS 4.3.
"""
