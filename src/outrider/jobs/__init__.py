"""Jobs: a campaign being run. Their states, tasks, targets and the end of them."""
