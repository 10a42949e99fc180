"""The trays of the work: what waits, for whom, until when."""
