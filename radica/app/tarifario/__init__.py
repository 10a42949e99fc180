"""A price list, out of whatever table came, into its version."""
