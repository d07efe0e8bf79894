"""DOOR: the small web app that recipients and providers reach: unsubscribe, preferences, callbacks."""
