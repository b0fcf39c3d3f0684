"""Dynamics: how the joint gradient field of a turn becomes the gradients that the optimizers get.

The field of a turn is `v(p)`: at joint parameters `p`, every mover's gradient of its own loss. Plain play follows it;
other dynamics evaluate it at several points, use its Jacobian `J` (`J[i, j]` = derivative of i's gradient with respect
to j's parameters), or transform the optimizers. Dynamics of several players need them in one turn:
`turn(d, g, dynamics=consensus(0.1))`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from gan_jax.engine.collectives import pmean
from gan_jax.errors import BadInput

Tree = PyTree[Array]

Joint = dict[str, Tree]
"""One tree of parameters, or of gradients, per mover of the turn."""

Optimizers = dict[str, optax.OptState]
"""The optimizer state of every mover."""


class Field(NamedTuple):
    """The moves of a turn as functions of the joint parameters, on fixed examples and noise."""

    gradients: Callable[[Joint], tuple[Joint, Any]]
    """`gradients(params) -> (every mover's gradient of its own loss, aux)`; aux is the new stats and the metrics."""
    loss: Callable[[str, Joint], Float[Array, ""]]
    """`loss(name, params) -> the loss that this player minimizes`."""
    descend: Callable[[Joint, Joint, Optimizers], tuple[Joint, Optimizers]]
    """`descend(params, gradients, optimizers) -> (params, optimizers)`: one update of every mover."""
    optimizers: Optimizers
    """The optimizer states before the turn."""


class Dynamics(NamedTuple):
    """A map of the field, and a wrapper of the movers' optimizers.

    `follow(field, params) -> (gradients for the optimizers, the aux of field.gradients(params))`.
    `name` is the word on the command line, "" if there is none.
    """

    follow: Callable[[Field, Joint], tuple[Joint, Any]] = lambda field, params: field.gradients(params)
    optimizer: Callable[[optax.GradientTransformation], optax.GradientTransformation] = lambda tx: tx
    name: str = ""


gradient_play = Dynamics(name="gradient_play")
"""Every mover follows its own gradient. Goodfellow et al. 2014, Algorithm 1, https://arxiv.org/abs/1406.2661."""


def consensus(weight: float) -> Dynamics:
    """Adds the gradient of half the squared norm of the field: `v + weight J^T v`.

    Mescheder et al. 2017, "The numerics of GANs", Algorithm 2 (their field is `-v`), https://arxiv.org/abs/1705.10461.
    """

    def follow(field: Field, params: Joint) -> tuple[Joint, Any]:
        _check_together("consensus", params)
        v, aux, _, transposed = _linearized(field, params)
        return _add(v, weight, transposed(v)), aux

    return Dynamics(follow, name=f"consensus:{weight}")


def symplectic(weight: float = 1.0) -> Dynamics:
    """Adds the symplectic adjustment: `v + s weight A^T v`, with `A` the antisymmetric part of the Jacobian.

    The sign `s` aligns the adjustment towards stable fixed points and away from unstable ones. Balduzzi et al. 2018,
    "The mechanics of n-player differentiable games", Algorithm 1, epsilon = 1/10, https://arxiv.org/abs/1802.05642.
    """

    def follow(field: Field, params: Joint) -> tuple[Joint, Any]:
        _check_together("symplectic", params)
        v, aux, along, transposed = _linearized(field, params)
        hamiltonian = transposed(v)  # the gradient of |v|^2 / 2
        adjustment = jax.tree.map(lambda back, forth: (back - forth) / 2, hamiltonian, along(v))
        alignment = optax.tree.vdot(v, hamiltonian) * optax.tree.vdot(adjustment, hamiltonian) / optax.tree.size(v)
        return _add(v, weight * jnp.where(alignment + 0.1 >= 0, 1.0, -1.0), adjustment), aux

    return Dynamics(follow, name=f"symplectic:{weight}")


def _extrapolate(field: Field, params: Joint) -> tuple[Joint, Any]:
    _check_together("extragradient", params)
    v, aux = field.gradients(params)
    ahead, _ = field.descend(params, v, field.optimizers)
    return field.gradients(ahead)[0], aux


extragradient = Dynamics(_extrapolate, name="extragradient")
"""Every mover steps by the gradient at the point that plain play would reach.

The extrapolation uses the optimizers but does not change their states (in Gidel's Adam, Algorithm 4, it does).
Korpelevich 1976; Gidel et al. 2019, sec. 3.2, https://arxiv.org/abs/1802.10551."""


def competitive(step_size: float, iterations: int = 10) -> Dynamics:
    """Lets every mover anticipate the others' steps to first order: competitive gradient descent.

    Solves `(I + step_size K) u = v` for the gradients `u`, with `K` the Jacobian without its diagonal blocks, by
    conjugate gradient on the normal equations. In a zero-sum game these are the paper's two systems with
    `I + step_size^2 D_xy D_yx`; they stay positive definite for any losses and number of players. The update is the
    paper's with `optax.sgd(step_size)`.
    Schaefer and Anandkumar 2019, "Competitive gradient descent", Algorithm 1, https://arxiv.org/abs/1905.12103.

    Raises:
        BadInput: `iterations` is not a whole number of at least 1.
    """
    _check_count("competitive", "iterations", iterations)

    def follow(field: Field, params: Joint) -> tuple[Joint, Any]:
        _check_together("competitive", params)
        v, aux, along, transposed = _linearized(field, params)

        def system(product: Callable[[Joint], Joint], u: Joint) -> Joint:
            """Computes `u + step_size K u`, or `K^T` with the transposed product."""
            total = u
            for name in u:
                alone = {other: u[other] if other == name else optax.tree.zeros_like(u[other]) for other in u}
                total = _add(total, step_size, product(alone) | {name: optax.tree.zeros_like(u[name])})
            return total

        def normal(u: Joint) -> Joint:
            return system(transposed, system(along, u))

        solution, _ = jax.scipy.sparse.linalg.cg(normal, system(transposed, v), maxiter=iterations)
        return solution, aux

    return Dynamics(follow, name=f"competitive:{step_size}" + (f":{iterations}" if iterations != 10 else ""))


def unrolled(steps: int, leader: str = "g") -> Dynamics:
    """The leader minimizes its loss after `steps` simulated optimizer updates of the other players.

    The gradient flows through those updates; the others play plainly. Adam needs an `eps_root`: the slope of its square
    root is infinite at 0. Metz et al. 2017, "Unrolled GANs", sec. 2.2, https://arxiv.org/abs/1611.02163.

    Raises:
        BadInput: `steps` is not a whole number of at least 1, or the turn lacks the leader or another mover.
    """
    _check_count("unrolled", "steps", steps)

    def follow(field: Field, params: Joint) -> tuple[Joint, Any]:
        if leader not in params or len(params) < 2:
            needs = f"unrolled(leader={leader!r}) needs {leader!r} and another mover in one turn"
            raise BadInput(f"{needs}, but in this turn only {sorted(params)} move")

        def loss_then(own: Tree) -> Float[Array, ""]:
            joint, optimizers = params | {leader: own}, field.optimizers
            for _ in range(steps):
                moved, optimizers = field.descend(joint, field.gradients(joint)[0], optimizers)
                joint = moved | {leader: own}
            return field.loss(leader, joint)

        v, aux = field.gradients(params)
        return v | {leader: pmean(jax.grad(loss_then)(params[leader]))}, aux

    return Dynamics(follow, name=f"unrolled:{steps}" if leader == "g" else "")


optimistic = Dynamics(optimizer=lambda tx: optax.chain(tx, optax.scale_by_optimistic_gradient()), name="optimistic")
"""Twice the optimizer's current update minus its previous one; the first update is the plain one.

Daskalakis et al. 2018, "Training GANs with optimism", Algorithm 1, https://arxiv.org/abs/1711.00141."""


def negative_momentum(momentum: float = -0.5) -> Dynamics:
    """Adds `momentum` times the previous update to every update; an optimizer's own momentum (Adam's b1) stays.

    Meant for alternating turns: simultaneous moves still diverge on a bilinear game.
    Gidel et al. 2019, "Negative momentum for improved game dynamics", https://arxiv.org/abs/1807.04740.
    """
    return Dynamics(optimizer=lambda tx: optax.chain(tx, optax.trace(momentum)), name=f"negative_momentum:{momentum}")


class LookaheadState(NamedTuple):
    """The optimizer state of `lookahead`: the number of updates, the slow parameters, the wrapped state."""

    count: Array
    params: Tree
    inner: optax.OptState


def lookahead(every: int = 5, share: float = 0.5) -> Dynamics:
    """Every `every` updates, moves back to `slow + share (fast - slow)`; `slow` are the parameters at the last return.

    As in the paper, all players of a turn return at once; in alternating turns, each at the end of its own.
    (`optax.lookahead` needs parameters that are pairs of fast and slow ones.)
    Chavdarova et al. 2021, "Taming GANs with lookahead-minmax", Algorithm 1, https://arxiv.org/abs/2006.14567.

    Raises:
        BadInput: `every` is not a whole number of at least 1, or `share` not in (0, 1].
    """
    _check_count("lookahead", "every", every)
    if not 0 < share <= 1:
        raise BadInput(f"lookahead(share={share}): it must be above 0 and at most 1")

    def optimizer(tx: optax.GradientTransformation) -> optax.GradientTransformation:
        def init(params: Tree) -> LookaheadState:
            return LookaheadState(jnp.zeros((), jnp.int32), params, tx.init(params))

        def update(grads: Tree, state: LookaheadState, params: Tree) -> tuple[Tree, LookaheadState]:
            updates, inner = tx.update(grads, state.inner, params)
            back = (state.count + 1) % every == 0
            ahead = optax.apply_updates(params, updates)
            slow = jax.tree.map(lambda s, fast: jnp.where(back, s + share * (fast - s), s), state.params, ahead)
            updates = jax.tree.map(lambda slow, fast, u: jnp.where(back, slow - fast, u), slow, params, updates)
            return updates, LookaheadState(state.count + 1, slow, inner)

        return optax.GradientTransformation(init, update)

    return Dynamics(optimizer=optimizer, name=f"lookahead:{every}" + (f":{share}" if share != 0.5 else ""))


def _check_together(name: str, params: Joint) -> None:
    """Raises `BadInput` in a turn of one mover, where these dynamics would silently lose their meaning."""
    if len(params) < 2:
        only = f"{name} needs simultaneous moves, but in this turn only {sorted(params)} move"
        raise BadInput(f"{only}: put the moves into one turn (for toy experiments, --simultaneous)")


def _check_count(name: str, argument: str, count: int) -> None:
    if count != int(count) or count < 1:
        raise BadInput(f"{name}({argument}={count}): it must be a whole number of at least 1")


def _linearized(field: Field, params: Joint) -> tuple[Joint, Any, Callable[[Joint], Joint], Callable[[Joint], Joint]]:
    """Returns `v`, its aux, and the functions `u -> J u` and `u -> J^T u` at `params`."""
    v, along, aux = jax.linearize(field.gradients, params, has_aux=True)
    back = jax.linear_transpose(along, params)
    # `along` contains the field's mean over devices; its transpose gives each device a share only.
    return v, aux, along, lambda u: pmean(back(u)[0])


def _add(v: Joint, weight: Float[Array, ""] | float, w: Joint) -> Joint:
    return jax.tree.map(lambda a, b: a + weight * b, v, w)
