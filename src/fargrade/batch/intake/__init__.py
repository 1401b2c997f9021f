"""Takes a submission in, whatever it was handed in as: what comes out are plain files of the course's items.

Nothing of a learner's choosing reaches the disk but regular files below a folder of ours, within limits; and of
those only the files that `fargrade.course.Submission` would read are taken. What is left out is said in a note.
"""

from fargrade.batch.intake.entries import Entry, entries
from fargrade.batch.intake.limits import Refused
from fargrade.batch.intake.taking import TakenIn, take_in

__all__ = ["Entry", "Refused", "TakenIn", "entries", "take_in"]
