"""The reading screens: Hoy, Facturas, Factura, search, and documents beside the page.

Invariant: nothing here changes a case; each page reads only providers granted to the person, and a document is opened
only after its reading was logged and committed (Ley 1581/2012 art. 17). Queries stand in `consultas_*.py`, without
Flask; sentences and readings of documents in pure modules beside them.
"""
