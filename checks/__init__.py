"""The go-live checklist as pytest: each check's docstring is its claim."""
