"""Character cards and lorebooks as files: read from PNG, JSON and CHARX, and written. Bytes in, values out."""
