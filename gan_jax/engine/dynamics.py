"""How the joint gradient field of a turn becomes what the optimizers are given.

The moves of a turn define a vector field: at joint parameters `p`, one entry per mover, it is every mover's gradient of
its own loss. Plain play follows the field; other dynamics look at it in more places than one, at its Jacobian `J`
(`J[i, j]` = derivative of i's gradient by j's parameters), or at what the optimizers did before. What they say about
several players needs those players in one turn: `turn(d, g, dynamics=consensus(0.1))`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from gan_jax.engine.collectives import pmean
from gan_jax.errors import BadInput

Joint = dict[str, PyTree[Array]]
"""One tree of parameters, or of gradients, per mover of the turn."""

Optimizers = dict[str, optax.OptState]
"""The optimizer's state of every mover."""


class Field(NamedTuple):
    """What the moves of a turn say at any joint parameters, all about the same examples and noise."""

    gradients: Callable[[Joint], tuple[Joint, Any]]
    """`gradients(params) -> (every mover's gradient of its own loss, what else the losses report)`."""
    loss: Callable[[str, Joint], Float[Array, ""]]
    """`loss(name, params) -> the loss of the move that `name` makes`, a function of everybody's parameters."""
    descend: Callable[[Joint, Joint, Optimizers], tuple[Joint, Optimizers]]
    """`descend(params, gradients, optimizers) -> (params, optimizers)`: one update of every mover."""
    optimizers: Optimizers
    """As they are before the turn."""


class Dynamics(NamedTuple):
    """Where the field is looked at, and what the optimizers remember.

    `follow(field, params) -> (gradients for the optimizers, what the losses reported at params)`.
    `optimizer` makes every mover's optimizer one that remembers more.
    `name` is the word for it on the command line; "" where there is none.
    """

    follow: Callable[[Field, Joint], tuple[Joint, Any]] = lambda field, params: field.gradients(params)
    optimizer: Callable[[optax.GradientTransformation], optax.GradientTransformation] = lambda tx: tx
    name: str = ""


gradient_play = Dynamics(name="gradient_play")
"""Every mover follows its own gradient, all from the same point. Goodfellow et al. 2014, Algorithm 1."""


def consensus(weight: float) -> Dynamics:
    """Everybody also descends half the squared norm of the joint field, `v + weight J^T v`.

    Mescheder et al. 2017, "The numerics of GANs", Algorithm 2 (their field is ours with the sign turned).
    """

    def follow(field: Field, params: Joint) -> tuple[Joint, Any]:
        _check_together("consensus", params)
        v, aux, _, transposed = _linearised(field, params)
        return _add(v, weight, transposed(v)), aux

    return Dynamics(follow, name=f"consensus:{weight}")


def symplectic(weight: float = 1.0) -> Dynamics:
    """Symplectic gradient adjustment, `v + s weight A^T v` with `A` the antisymmetric part of the Jacobian.

    The sign `s` is the paper's alignment: towards stable fixed points and away from others.
    Balduzzi et al. 2018, "The mechanics of n-player differentiable games", Algorithm 1 with `align`, epsilon = 1/10.
    """

    def follow(field: Field, params: Joint) -> tuple[Joint, Any]:
        _check_together("symplectic", params)
        v, aux, along, transposed = _linearised(field, params)
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
"""Everybody steps from here, by the gradient found where plain play would have led.

The step ahead is the optimizers' own, and leaves no trace in them (in Gidel's Adam, Algorithm 4, it does). Korpelevich
1976; Gidel et al. 2019, "A variational inequality perspective on generative adversarial networks", sec. 3.2."""


def competitive(step_size: float, iterations: int = 10) -> Dynamics:
    """Competitive gradient descent: everybody expects the others' step, to first order.

    With `K` the Jacobian without its diagonal blocks, solves `(I + step_size K) u = v` for the gradients `u`, by
    conjugate gradient on the normal equations; in a zero-sum game these are the paper's two systems
    `I + step_size^2 D_xy D_yx`, and they remain positive definite in games of any losses and number of players.
    With `optax.sgd(step_size)` the update is the paper's. Schaefer and Anandkumar 2019, "Competitive gradient descent",
    Algorithm 1.

    Raises:
        BadInput: `iterations` is no whole number of at least 1.
    """
    _check_count("competitive", "iterations", iterations)

    def follow(field: Field, params: Joint) -> tuple[Joint, Any]:
        _check_together("competitive", params)
        v, aux, along, transposed = _linearised(field, params)

        def answered(product: Callable[[Joint], Joint], u: Joint) -> Joint:
            """`u + step_size K u`, or with `K^T`: what each mover does, changed by what the others do."""
            total = u
            for name in u:
                alone = {other: u[other] if other == name else optax.tree.zeros_like(u[other]) for other in u}
                felt = product(alone) | {name: optax.tree.zeros_like(u[name])}
                total = _add(total, step_size, felt)
            return total

        def normal(u: Joint) -> Joint:
            return answered(transposed, answered(along, u))

        solution, _ = jax.scipy.sparse.linalg.cg(normal, answered(transposed, v), maxiter=iterations)
        return solution, aux

    return Dynamics(follow, name=f"competitive:{step_size}" + (f":{iterations}" if iterations != 10 else ""))


def unrolled(steps: int, leader: str = "g") -> Dynamics:
    """The leader descends its loss as it will be when the others have made `steps` updates with their optimizers.

    The gradient goes through those updates; the others play as ever. Adam divides by a root that has no slope at 0, so
    give it an `eps_root`. Metz et al. 2017, "Unrolled generative adversarial networks", sec. 2.2.

    Raises:
        BadInput: `steps` is no whole number of at least 1, the leader does not move in the turn, or nobody else does.
    """
    _check_count("unrolled", "steps", steps)

    def follow(field: Field, params: Joint) -> tuple[Joint, Any]:
        if leader not in params or len(params) < 2:
            raise BadInput(
                f"unrolled(leader={leader!r}) needs {leader!r} and whom it foresees in one turn, "
                f"but in this turn only {sorted(params)} move"
            )

        def loss_then(own: PyTree[Array]) -> Float[Array, ""]:
            joint, optimizers = params | {leader: own}, field.optimizers
            for _ in range(steps):
                moved, optimizers = field.descend(joint, field.gradients(joint)[0], optimizers)
                joint = moved | {leader: own}
            return field.loss(leader, joint)

        v, aux = field.gradients(params)
        return v | {leader: pmean(jax.grad(loss_then)(params[leader]))}, aux

    return Dynamics(follow, name=f"unrolled:{steps}" if leader == "g" else "")


optimistic = Dynamics(optimizer=lambda tx: optax.chain(tx, optax.scale_by_optimistic_gradient()), name="optimistic")
"""Twice the update of now less the update of before: an extrapolation from memory. The first update is the plain one.

Daskalakis et al. 2018, "Training GANs with optimism", Algorithm 1 (with Adam, on Adam's updates)."""


def negative_momentum(momentum: float = -0.5) -> Dynamics:
    """Every update is followed by a share of the one before, turned round.

    Gidel et al. 2019, "Negative momentum for improved game dynamics", who play in turns: moves made at the same time
    still diverge on a bilinear game. An optimizer with a momentum of its own (Adam's b1) keeps that too.
    """
    return Dynamics(optimizer=lambda tx: optax.chain(tx, optax.trace(momentum)), name=f"negative_momentum:{momentum}")


class Slow(NamedTuple):
    """What `lookahead` remembers of a player."""

    count: Array
    params: PyTree[Array]
    inner: optax.OptState


def lookahead(every: int = 5, share: float = 0.5) -> Dynamics:
    """After each `every` updates everybody goes back, to `share` of the way from where they were before them.

    Chavdarova et al. 2021, "Taming GANs with lookahead-minmax", Algorithm 1, where all players go back at once: so they
    do here when their moves are in one turn. In turns one after the other each goes back at the end of its own, and the
    next one answers that. (`optax.lookahead` wants parameters in a pair of fast and slow ones, of which no game knows.)

    Raises:
        BadInput: `every` is no whole number of at least 1, or `share` not in (0, 1].
    """
    _check_count("lookahead", "every", every)
    if not 0 < share <= 1:
        raise BadInput(f"lookahead(share={share}): it must be above 0 and at most 1")

    def optimizer(tx: optax.GradientTransformation) -> optax.GradientTransformation:
        def init(params: PyTree[Array]) -> Slow:
            return Slow(jnp.zeros((), jnp.int32), params, tx.init(params))

        def update(grads: PyTree[Array], state: Slow, params: PyTree[Array]) -> tuple[PyTree[Array], Slow]:
            updates, inner = tx.update(grads, state.inner, params)
            back = (state.count + 1) % every == 0

            def slow_step(slow: Array, fast: Array, update: Array) -> Array:
                return jnp.where(back, slow + share * (fast + update - slow), slow)

            slow = jax.tree.map(slow_step, state.params, params, updates)
            updates = jax.tree.map(lambda slow, fast, u: jnp.where(back, slow - fast, u), slow, params, updates)
            return updates, Slow(state.count + 1, slow, inner)

        return optax.GradientTransformation(init, update)

    return Dynamics(optimizer=optimizer, name=f"lookahead:{every}" + (f":{share}" if share != 0.5 else ""))


def _check_together(name: str, params: Joint) -> None:
    """Raises `BadInput` in a turn of one player, where a dynamics of several would quietly be another one."""
    if len(params) < 2:
        raise BadInput(
            f"{name} is about players who move together, but in this turn only {sorted(params)} move: "
            "put their moves into one turn (in the lab, --simultaneous)"
        )


def _check_count(name: str, argument: str, count: int) -> None:
    if count != int(count) or count < 1:
        raise BadInput(f"{name}({argument}={count}): it must be a whole number of at least 1")


def _linearised(field: Field, params: Joint) -> tuple[Joint, Any, Callable[[Joint], Joint], Callable[[Joint], Joint]]:
    """The field at `params`, what it reports, and the products of its Jacobian and of the transposed with a vector."""
    v, along, aux = jax.linearize(field.gradients, params, has_aux=True)
    back = jax.linear_transpose(along, params)
    # Forward, the field's mean over devices is differentiated with it; backward, each device gets its own share.
    return v, aux, along, lambda u: pmean(back(u)[0])


def _add(v: Joint, weight: Float[Array, ""] | float, w: Joint) -> Joint:
    return jax.tree.map(lambda a, b: a + weight * b, v, w)
