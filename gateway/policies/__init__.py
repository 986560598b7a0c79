"""What decides whether, when and how often a call reaches the upstream: one policy a file."""
