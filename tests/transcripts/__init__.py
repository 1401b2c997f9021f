"""What wrong answers are told, kept as it was last read and found good: see telling.py."""
