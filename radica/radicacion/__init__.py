"""Filing: the intention (envío), its attempts, the acuse and its proof level, and unknown outcomes (DESIGN section 5)."""
