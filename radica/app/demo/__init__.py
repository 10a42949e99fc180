"""The demonstration: invented providers and documents, run before the user's eyes and judged."""
