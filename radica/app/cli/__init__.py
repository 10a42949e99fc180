"""The command line: `program` finds the command, each verb stands in a file of its own."""
