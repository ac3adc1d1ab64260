"""What all network adapters share: what an error means, when to try again, when to stop asking. It sends nothing itself."""
