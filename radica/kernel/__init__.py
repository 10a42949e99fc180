"""What every room stands on and that knows no room: settings, database, clock, money, flow, errors, logs, web."""
