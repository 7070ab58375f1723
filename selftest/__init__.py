"""The gate proves itself: seeded defects that must turn each item red, and the healthy project green again."""
