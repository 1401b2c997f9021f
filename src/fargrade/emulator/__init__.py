"""moto made strict, in a process of its own: guard, decode, constrain, refuse, answer, record.

Only `process`, `channel` and `recording` may be imported by the grader's process: they import no moto.
"""
