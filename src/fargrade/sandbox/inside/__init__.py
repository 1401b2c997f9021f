"""What runs beside the learner's code, inside its confinement: standard library only, no fargrade imports."""
