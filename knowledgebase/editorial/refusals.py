"""Why a move is refused. Each says in a sentence what to do."""


class MoveRefused(Exception):
    """A move that may not be made; `reasons` are sentences that say why and what to do."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


class NotAllowed(MoveRefused):
    """The move may be made, but not by this person."""


class AlreadyDone(MoveRefused):
    """Somebody made this move before; nothing is changed and nothing is wrong."""
