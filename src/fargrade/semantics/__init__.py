"""Pure functions on AWS-shaped data: what AWS would do. No I/O, no backend, no course."""
