"""ECR lifecycle policies: what ECR refuses, what a policy does to a repository, and what it does over months.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html and the two pages
below it, "Lifecycle policy properties" and "Examples of lifecycle policies" (every example is a test).
"""

from fargrade.semantics.lifecycle.evaluation import Evaluation, Fate, Image, evaluate, expired
from fargrade.semantics.lifecycle.policy import LifecycleRefused, Policy, Rule, parse_policy
from fargrade.semantics.lifecycle.replay import Replay, replay

__all__ = [
    "Evaluation",
    "Fate",
    "Image",
    "LifecycleRefused",
    "Policy",
    "Replay",
    "Rule",
    "evaluate",
    "expired",
    "parse_policy",
    "replay",
]
