"""What people do on Discord, heard in order and once, as events for the bot. It posts nothing but a sentence of its own."""
