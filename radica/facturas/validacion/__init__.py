"""Every check that DIAN, MinSalud and the payer make, as pure functions over documents and dated data."""
