"""COMPOSE: a communication becomes renditions. Reads no file, clock, environment or random source."""

from ccm.compose.composer import Composer

__all__ = ["Composer"]
