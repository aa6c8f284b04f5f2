"""Loose artifacts: model files that no bundle holds, measured and shown as if one did."""
