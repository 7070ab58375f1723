"""The demonstration: a soak that was tagged, and why it is a NO-GO."""
