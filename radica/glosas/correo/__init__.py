"""The mailboxes in which payers' notices arrive."""
