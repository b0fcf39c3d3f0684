"""A game with a sign turned, which must lose: what a test of learning is checked with."""


def turned_round(game, player):
    """The game in which `player` climbs its loss instead of descending it."""

    def turn_move(move):
        def loss(nets, batch, keys, step):
            value, metrics = move.loss(nets, batch, keys, step)
            return -value, metrics

        return move._replace(loss=loss) if move.who == (player,) else move

    return game._replace(turns=tuple(t._replace(moves=tuple(map(turn_move, t.moves))) for t in game.turns))
