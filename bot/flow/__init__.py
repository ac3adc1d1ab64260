"""The walk: receive, lanes, decide, take a turn or run a command, deliver. It knows the walls and nothing behind them."""
