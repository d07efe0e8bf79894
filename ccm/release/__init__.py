"""Releases: which version of which files a message was made from, frozen, approved and effective on which days."""

from ccm.release.approval import approve, retire, rivals_of
from ccm.release.candidates import approved_releases, as_effective, refuse_retired, releases_on
from ccm.release.content import Content
from ccm.release.difference import Change, compare
from ccm.release.engine import engine_differences, engine_lock
from ccm.release.freeze import ReleaseOrder, draft_changes, freeze, keep
from ccm.release.interface import ReleaseError, ReleaseStore, StoreUnusable
from ccm.release.manifest import Bump, Release
from ccm.release.resolve import ReleaseNotFound, release_files, resolve
from ccm.release.shelf import as_diagnostic, find_release, library_of, read_release, releases_of, verify
from ccm.release.states import ReleaseState, Step, state_of, step_of
from ccm.release.stores import open_store

__all__ = [
    "Bump",
    "Change",
    "Content",
    "Release",
    "ReleaseError",
    "ReleaseNotFound",
    "ReleaseOrder",
    "ReleaseState",
    "ReleaseStore",
    "Step",
    "StoreUnusable",
    "approve",
    "approved_releases",
    "as_diagnostic",
    "as_effective",
    "compare",
    "draft_changes",
    "engine_differences",
    "engine_lock",
    "find_release",
    "freeze",
    "keep",
    "library_of",
    "open_store",
    "read_release",
    "refuse_retired",
    "release_files",
    "releases_of",
    "releases_on",
    "resolve",
    "retire",
    "rivals_of",
    "state_of",
    "step_of",
    "verify",
]
