"""State that outlives a call, behind ports: what the policies ask for, whatever keeps it."""
