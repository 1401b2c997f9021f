"""What a grader seeds for an item, through `world.client` only; a module a topic, no learner text."""
