"""The offline verifier: `verificar.py` travels inside every bag and is published with the release, byte for byte."""
