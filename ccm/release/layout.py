"""Where things lie in a release store.

_objects/ab/<sha256>                          every file once, by the hash of its bytes
<template>/<brand>/1.0.0.json                 the release: what it is made of
<template>/<brand>/1.0.0.approved.json        who approved which hash, and when
<template>/<brand>/1.0.0.retired.json         who retired it, when and why
"""

from __future__ import annotations

import re

OBJECTS = "_objects"  # names of templates never start with an underscore
_RELEASE = re.compile(r"(?P<template>[a-z][a-z0-9-]*)/(?P<brand>[a-z][a-z0-9-]*)/(?P<version>\d+\.\d+\.\d+)\.json")


def object_key(sha256: str) -> str:
    """Return the key of a file's bytes."""
    return f"{OBJECTS}/{sha256[:2]}/{sha256}"


def release_key(template: str, brand: str, version: str, state: str = "") -> str:
    """Return the key of a release, or of its state `approved` or `retired`."""
    return f"{template}/{brand}/{version}{'.' if state else ''}{state}.json"


def parse_release_key(key: str) -> tuple[str, str, str] | None:
    """Return template, brand and version of a release's own key; None for any other key."""
    match = _RELEASE.fullmatch(key)
    return (match["template"], match["brand"], match["version"]) if match else None


def version_order(version: str) -> tuple[int, ...]:
    """Return what versions are sorted by: 1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in version.split("."))


def in_range(version: str, wanted: str) -> bool:
    """Tell whether a version is in a range: 1 takes 1.x.y, 1.2 takes 1.2.x, empty takes all."""
    return not wanted or version.split(".")[: wanted.count(".") + 1] == wanted.split(".")
