"""Before anything is measured: what the planned run can show, how long it takes, what it costs, how it may end."""
