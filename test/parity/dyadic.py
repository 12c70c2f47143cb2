"""Numbers that need no storing: an integer hash gives the same exact dyadic fractions here and in
dyadic.ts, in float32 and float64 alike."""

MASK = 0xFFFFFFFF


def mix(index: int, salt: int) -> int:
    """A 32-bit hash of (index, salt)."""
    x = ((index + 1) * 0x9E3779B1 ^ (salt + 1) * 0x85EBCA6B) & MASK
    x ^= x >> 15
    x = x * 0x2C1B3C6D & MASK
    x ^= x >> 12
    x = x * 0x297A2D39 & MASK
    return x ^ x >> 15


def dyadic(index: int, salt: int) -> float:
    """A multiple of 2^-15 in [-1, 1)."""
    return ((mix(index, salt) >> 16) - 32768) / 32768


def dyadics(count: int, salt: int) -> list:
    return [dyadic(i, salt) for i in range(count)]
