"""Everything that reaches the bot as an interaction: slash commands, menus of messages, modals and buttons."""
