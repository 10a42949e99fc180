"""Marshmallow schemas of the RIPS, by version of the norm, and the fast gate that is compiled from them."""
