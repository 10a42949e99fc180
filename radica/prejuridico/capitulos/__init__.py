"""The chapters of a dossier: each writes its documents and its gaps into the book, from the same facts."""
