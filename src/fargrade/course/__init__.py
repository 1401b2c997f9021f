"""What exists: the course's items and texts, a submission's files, and the languages they speak."""

from fargrade.course.submission import Answer, AnswerProblem, Submission
from fargrade.course.tree import Course, CourseProblem, Item

__all__ = ["Answer", "AnswerProblem", "Course", "CourseProblem", "Item", "Submission"]
