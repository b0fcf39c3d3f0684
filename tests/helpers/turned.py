"""Games with the sign of a loss flipped, which must not learn: controls for the tests of learning."""


def with_signs(game, signs):
    """Multiplies the losses of each player by its sign, which may be a traced number."""

    def turn_move(move):
        def loss(nets, batch, keys, step):
            value, metrics = move.loss(nets, batch, keys, step)
            return signs[move.who[0]] * value, metrics

        return move._replace(loss=loss) if len(move.who) == 1 and move.who[0] in signs else move

    return game._replace(turns=tuple(t._replace(moves=tuple(map(turn_move, t.moves))) for t in game.turns))


def with_negated_loss(game, player):
    """Returns the game in which `player` maximizes its loss."""
    return with_signs(game, {player: -1})
