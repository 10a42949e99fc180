"""Reading of what payers send: files, letters and mails become lines, or rows that were not read, with the reason."""
