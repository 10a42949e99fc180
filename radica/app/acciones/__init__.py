"""The acting screens: order and follow filings, file by hand, decide what is in doubt, load files, portals.

Invariant: each act is checked twice, by the role on the route and by `load_for` at the thing's own provider; bytes
reach the store before a transaction opens, and no writing transaction holds a file. Queries stand in `sql_*.py`,
without Flask; what an act means stands in the services of the rooms.
"""
