"""What several commands share: options, progress, interruption."""
