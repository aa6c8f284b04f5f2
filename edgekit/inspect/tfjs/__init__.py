"""Reading TF.js graph models."""
