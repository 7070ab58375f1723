"""The alert drill: incidents that are caused for real, and what then arrives."""
