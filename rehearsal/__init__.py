"""What only a rehearsal needs; nothing of it ships in the image."""
