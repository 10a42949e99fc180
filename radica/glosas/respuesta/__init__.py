"""Our answer to an objection: its codes, text, checks, letter, and its way to the payer."""
