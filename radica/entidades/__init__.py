"""Who bills and who pays: providers (tenants), payers, and later their contracts."""
