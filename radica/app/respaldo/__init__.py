"""A copy of the whole house that is known to restore."""
