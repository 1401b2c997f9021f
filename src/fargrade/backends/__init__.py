"""Where the work is graded. A backend opens worlds; graders see only `World`."""
