"""Many submissions at once: taking them in, grading them in slots, and the gradebook that comes of it."""
