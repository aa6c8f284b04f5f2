"""Accuracy: what labels say, streamed, with intervals and paired differences."""
