"""Gates: budgets that results must hold, parsed, read off rows, and judged."""
