"""The remembering half of Understudy: the store port over SQLite and PostgreSQL. It knows no platform and no model."""
