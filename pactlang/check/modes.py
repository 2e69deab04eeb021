"""Where an expression stands, which decides how strictly it is checked."""

from enum import Enum, auto


class Mode(Enum):
    """PACT: in a pact, where LANGUAGE's own rules hold as well.  CHECKED: alone, against declared
    variables, as strictly as CEL.  DYNAMIC: alone, and nothing is refused before it runs."""

    PACT = auto()
    CHECKED = auto()
    DYNAMIC = auto()
