"""People: who they are, which providers they may see and in which role, their sessions and their tasks."""
