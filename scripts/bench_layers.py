"""Times convolutions as matrix products and as library calls: layers of DCGAN and StyleGAN2, and one step of DCGAN.

Each is timed inside a loop, as in training, and outside of one. Prints the median of a few runs, in milliseconds. On
two CPU cores a library convolution in a loop takes seconds per step, and the script a few minutes.

    python scripts/bench_layers.py --batch 128
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
import optax
from jax import lax

import gan_jax.games.vanilla
from gan_jax.engine.step import init, make_step
from gan_jax.nets import dcgan
from gan_jax.nets.layers import convolution
from gan_jax.nets.layers.blur import BlurredDownConv
from gan_jax.nets.layers.convolution import Conv, ConvTranspose
from gan_jax.nets.layers.modulated import ModulatedConv

LAYERS = {  # the layer, and the shapes of its inputs
    # of the tutorial's networks
    "transposed 256 > 128, stride 2": (ConvTranspose(128, stride=2), (7, 7, 256)),
    "transposed 128 > 64": (ConvTranspose(64), (14, 14, 128)),
    "transposed 64 > 1, stride 2": (ConvTranspose(1, stride=2), (14, 14, 64)),
    "1 > 64, stride 2": (Conv(64, stride=2), (28, 28, 1)),
    "64 > 128, stride 2": (Conv(128, stride=2), (14, 14, 64)),
    "128 > 128": (Conv(128), (14, 14, 128)),
    # of StyleGAN2's
    "3 x 3, 64 > 64": (Conv(64, 3), (16, 16, 64)),
    "modulated 64 > 64": (ModulatedConv(64), (16, 16, 64), (64,)),
    "transposed 3 x 3, 64 > 64, stride 2": (ConvTranspose(64, 3, 2), (8, 8, 64)),
    "modulated 64 > 64, up": (ModulatedConv(64, up=True), (8, 8, 64), (64,)),
    "3 x 3, 64 > 64, stride 2": (Conv(64, 3, 2), (16, 16, 64)),
    "blurred 64 > 64, down": (BlurredDownConv(64), (16, 16, 64)),
}


def layer(name, batch):
    """Returns a step of the forward and backward pass of a layer, and its state."""
    module, *shapes = LAYERS[name]
    inputs = [jax.random.normal(jax.random.key(i), (batch, *shape)) for i, shape in enumerate(shapes)]
    variables = module.init(jax.random.key(0), *inputs)
    loss = jax.grad(lambda variables, inputs: jnp.mean(jnp.square(module.apply(variables, *inputs))), (0, 1))

    def step(state):
        return jax.tree.map(lambda value, slope: value - 1e-3 * slope, state, loss(*state))

    return step, (variables, inputs)


def game(batch):
    """Returns a step with a discriminator turn and a generator turn, and its state."""
    adam = optax.adam(2e-4, 0.5)
    vanilla = gan_jax.games.vanilla.game(dcgan.Generator(), dcgan.Discriminator(), adam, adam)
    data = {"x": jax.random.normal(jax.random.key(0), (1, batch, 28, 28, 1))}
    step = make_step(vanilla)
    return lambda state: step(state, data)[0], init(vanilla, jax.random.key(0), data)


def milliseconds(step, state, loop, repeats):
    """Computes the median time of a step; a loop has two steps per call."""
    steps = 2 if loop else 1
    play = jax.jit(lambda state: lax.fori_loop(0, steps, lambda _, s: step(s), state) if loop else step(state))
    times = []
    for _ in range(1 + repeats):
        start = time.perf_counter()
        jax.block_until_ready(play(state))
        times.append(1e3 * (time.perf_counter() - start) / steps)
    return statistics.median(times[1:])  # the first call compiles


def main():
    """Prints one row per layer, and one for the step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()

    print(f"{'forwards and backwards, ms':36}{'library':>10}{'products':>10}{'library':>12}{'products':>10}")
    print(f"{'':36}{'in a loop':>20}{'no loop':>22}")
    for name in (*LAYERS, "whole step"):
        row = []
        for loop in (True, False):
            for products in (False, True):
                convolution.products_are_faster = lambda products=products: products
                step, state = game(args.batch) if name == "whole step" else layer(name, args.batch)
                row.append(milliseconds(step, state, loop, args.repeats))
        print("{:36}{:10.1f}{:10.1f}{:12.1f}{:10.1f}".format(name, *row), flush=True)


if __name__ == "__main__":
    main()
