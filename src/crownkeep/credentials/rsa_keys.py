"""RSA keys of strangers: held to what they may cost before anything is computed with them.

Verifying with a public exponent of 65537 takes 17 multiplications, and with one as long as the key thousands: 6 ms at 3,072 bits.
To find out whether the factors of a private key are primes takes 17 s at 16,384 bits, and nobody here depends on it.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa

LARGEST_BITS = 16_384
"""Of the longest key that libraries verify with at all."""
_MOST_BITS_OF_EXPONENT = 64


def is_cheap(key: rsa.RSAPublicKey) -> bool:
    """Tell whether verifying a signature with a key costs no more than milliseconds."""
    return key.key_size <= LARGEST_BITS and key.public_numbers().e.bit_length() <= _MOST_BITS_OF_EXPONENT


def is_consistent(key: rsa.RSAPrivateKey) -> bool:
    """Tell whether the parts of a private key belong together, as far as that shows without looking for primes."""
    numbers = key.private_numbers()
    p, q, e, d = numbers.p, numbers.q, numbers.public_numbers.e, numbers.d
    return p > 1 and q > 1 and p * q == numbers.public_numbers.n and e * d % (p - 1) == 1 == e * d % (q - 1)
