"""Values made up for shapes: what a client may send or a handler may answer, every kind of value in every place."""

import string
from datetime import UTC, datetime, timedelta

DEEPEST = 5
# Whatever is easily lost on a wire: blanks, quotes, markup, separators, line ends, what lies beyond ASCII and beyond 16 bits.
ALPHABET = string.ascii_letters + string.digits + " <>&\"'+%=/?#;:,.-_~@[]{}\\\t\n\réß中😀\u2028\u00a0"
SAFE = string.ascii_letters + string.digits + "-_."


def full(shape, random):
    """Return a value of a structure with every member that has a place, lists and maps filled."""
    return Maker(random, chance=1.0).value(shape, None, 0)


def some(shape, random):
    """Return a value of a structure with a random part of its members, lists and maps sometimes empty."""
    return Maker(random, chance=0.5).value(shape, None, 0)


class Maker:
    """One run of making up; `chance` is that of an optional member."""

    def __init__(self, random, *, chance):
        self.random = random
        self.chance = chance

    def value(self, shape, place, depth):
        if shape.document:
            return self.document()
        return getattr(self, f"a_{shape.type}")(shape, place, depth)

    def a_structure(self, shape, place, depth):
        members = list(shape.members.values())
        if shape.union:
            members = [self.random.choice(members)]
        made = {}
        for member in members:
            is_needed = member.name in shape.required or shape.union or member.location == "uri"
            if is_needed or (depth < DEEPEST and self.random.random() < self.chance):
                made[member.name] = self.value(member.shape, member, depth + 1)
        if not made and members and depth > 0:
            # A form can't say that a structure is there and empty.
            made[members[0].name] = self.value(members[0].shape, members[0], depth + 1)
        return made

    def a_list(self, shape, place, depth):
        in_query = place is not None and place.location == "querystring"
        count = 0 if depth > DEEPEST else self.random.randint(1 if in_query or self.chance == 1 else 0, 3)
        return [self.value(shape.element.shape, place if in_query else None, depth + 1) for _ in range(count)]

    def a_map(self, shape, place, depth):
        count = 0 if depth > DEEPEST else self.random.randint(1, 3)
        key, value = shape.entry
        return {self.a_string(key.shape, None, 0): self.value(value.shape, None, depth + 1) for _ in range(count)}

    def a_string(self, shape, place, depth):
        if shape.enum:
            return self.random.choice(shape.enum)
        if place is not None and place.jsonvalue:
            return self.document()
        if place is not None and place.location == "header":
            return self.text(SAFE, 1)
        return self.text(ALPHABET, 1 if place is not None and place.location else 0)

    def text(self, alphabet, least):
        return "".join(self.random.choices(alphabet, k=self.random.randint(least, 12)))

    def a_integer(self, shape, place, depth):
        return self.random.choice([0, 1, -1, 2**31 - 1, -(2**31), self.random.randint(-1000, 1000)])

    def a_long(self, shape, place, depth):
        return self.random.choice([0, 2**63 - 1, -(2**63), self.random.randint(-(10**12), 10**12)])

    def a_float(self, shape, place, depth):
        return self.random.choice([0.0, 1.5, -2.25, 1e300, 1e-9, float("inf")])

    a_double = a_float

    def a_boolean(self, shape, place, depth):
        return self.random.random() < 0.5

    def a_blob(self, shape, place, depth):
        return self.random.randbytes(self.random.randint(0, 20))

    def a_timestamp(self, shape, place, depth):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=self.random.randint(0, 2**32))

    def document(self):
        return {"text": self.text(ALPHABET, 0), "list": [1, 2.5, True, {"deep": {"er": "x"}}]}
