"""The portals this house can file on, one module each; the list is in `registry`."""
