"""Moving traffic from one endpoint to another, judged at each step, and turned back by what is shown."""
