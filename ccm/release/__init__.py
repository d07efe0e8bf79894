"""Releases: which version of which files a message was made from."""

from ccm.release.resolve import ReleaseNotFound, resolve

__all__ = ["ReleaseNotFound", "resolve"]
