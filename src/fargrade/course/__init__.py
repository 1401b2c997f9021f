"""What exists: the course's items and texts, a submission's files, and the languages they speak."""
