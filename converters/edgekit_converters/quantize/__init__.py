"""What makes a frozen graph survive few bits: scales and weights are chosen, nothing is trained."""
