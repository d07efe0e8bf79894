"""Whether an image is whole; the layout engine draws half of a truncated one without a word."""

from __future__ import annotations

import io
import warnings

MAX_PIXELS = 40_000_000
_CHECKED = ("image/png", "image/jpeg", "image/gif", "image/webp")


def image_fault(content: bytes, media_type: str) -> str:
    """Return what is wrong with an image, as the end of a sentence; empty if it is sound or no raster image.

    Why: Pillow is told by the layout engine to accept truncated files, so a half-uploaded logo would be
    printed as half a logo.
    """
    from PIL import Image

    if media_type not in _CHECKED:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            width, height = image.size
            if width * height > MAX_PIXELS:
                return f"is too large: {width} × {height} pixels, at most {MAX_PIXELS // 1_000_000} million"
            image.verify()
    except Exception as fault:  # Pillow raises nearly everything for broken files
        return f"cannot be read ({type(fault).__name__})"
    if media_type == "image/jpeg" and b"\xff\xd9" not in content[-64:]:
        return "is cut off"
    return ""
