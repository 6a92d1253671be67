"""Invented numbers with right check digits, so that nobody's own number stands in the demonstration."""

_INN_WEIGHTS = (2, 4, 10, 3, 5, 9, 4, 6, 8)


def inn(serial: int) -> str:
    """Return a legal person's INN: region 99 belongs to nobody."""
    digits = f"9909{serial:05}"
    return digits + str(_weighed(digits, _INN_WEIGHTS) % 11 % 10)


def ogrn(serial: int) -> str:
    """Return an OGRN of the year 2026 in region 99."""
    digits = f"12699{serial:07}"
    return digits + str(int(digits) % 11 % 10)


def snils(serial: int) -> str:
    """Return a SNILS."""
    digits = f"9{serial:08}"
    return f"{digits}{_weighed(digits, range(9, 0, -1)) % 101 % 100:02}"


def _weighed(digits: str, weights: "tuple[int, ...] | range") -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
