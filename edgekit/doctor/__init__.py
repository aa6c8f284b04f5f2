"""What works on this machine, and where artifacts can be measured from it."""
