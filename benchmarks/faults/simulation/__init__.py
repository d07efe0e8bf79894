"""A seeded simulator: the real slots, desk and decisions under a clock, a store and providers that misbehave.

One seed is one history: which step comes next, who dies when, what a provider answers, what a power cut forgets. The
same seed gives the same history, so a failure can be looked at again and again.
"""
