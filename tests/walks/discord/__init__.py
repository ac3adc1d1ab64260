"""The whole bot on a loopback Discord, walked through from the first command to the last post."""
