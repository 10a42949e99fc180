"""The dossier as one PDF: cover, index, chapters with their documents, certificate; foliated and bookmarked."""
