"""Weight files: formats that are read, and the errors for all others."""

import hashlib
import json
import pickle
import sys

import jax
import ml_dtypes
import numpy as np
import pytest
from flax import linen as nn

from gan_jax.errors import BadInput
from gan_jax.metrics.features.torch_weights import Weights, params, read

TENSORS = {
    "block.conv.weight": np.arange(4 * 3 * 1 * 2, dtype=np.float32).reshape(4, 3, 1, 2),
    "block.bn.running_var": np.ones(4, np.float32),
    "block.bn.num_batches_tracked": np.array(7),
}


def safetensors(tensors, metadata=None, **changed):
    """Encodes tensors as safetensors; `changed` overrides the header entry of the first."""
    kinds = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64"}
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, x in tensors.items():
        entry = {"dtype": kinds[str(x.dtype)], "shape": x.shape, "data_offsets": [len(data), len(data) + x.nbytes]}
        header[name] = entry | changed
        data, changed = data + x.tobytes(), {}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def save(path, tensors):
    if path.suffix == ".safetensors":
        path.write_bytes(safetensors(tensors, {"format": "pt"}))
    elif path.suffix == ".npz":
        np.savez(path, **tensors)
    else:
        torch = pytest.importorskip("torch")
        state = {
            name: torch.nn.Parameter(torch.tensor(x), requires_grad=x.dtype == np.float32)
            for name, x in tensors.items()
        }
        torch.save(state, path, _use_new_zipfile_serialization=path.suffix == ".pt")
    return path


def refusal(path, *args):
    with pytest.raises(BadInput) as caught:
        read(path, *args)
    assert "\n" not in str(caught.value)
    assert args or str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.medium
@pytest.mark.parametrize("name", ["a.safetensors", "a.npz", "new.pt", "old.pth", "A.NPZ"])
def test_saved_tensors_are_read_back(tmp_path, name):
    path = (
        save(tmp_path / name, TENSORS) if name != "A.NPZ" else save(tmp_path / "a.npz", TENSORS).rename(tmp_path / name)
    )
    weights = read(path)
    assert weights.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert weights.tensors.keys() == TENSORS.keys()
    for key, tensor in weights.tensors.items():
        assert tensor.dtype == TENSORS[key].dtype
        np.testing.assert_array_equal(tensor, TENSORS[key])


@pytest.mark.parametrize("kind", [np.float64, np.float16, ml_dtypes.bfloat16])
def test_other_float_types_are_read(tmp_path, kind):
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors({"w": np.array([1.5, -2], kind)}))
    assert read(path).tensors["w"].tolist() == [1.5, -2]


def test_bfloat16_of_pytorch_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.tensor([1.5, -2], dtype=torch.bfloat16)}, tmp_path / "a.pt")
    assert read(tmp_path / "a.pt").tensors["w"].tolist() == [1.5, -2]


def test_digest_may_be_abbreviated_and_is_checked(tmp_path):
    path = save(tmp_path / "a.npz", TENSORS)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    for meant in (sha, sha[:8], sha.upper()):
        assert read(path, meant).sha256 == sha
    assert f"has the sha256 {sha}, not 00000000" in refusal(path, "00000000")
    for nonsense in ("", sha[:7], sha + "0", "zzzzzzzz"):
        assert "hexadecimal digits" in refusal(path, nonsense)


def test_missing_files_and_unknown_formats_are_refused(tmp_path):
    assert "cannot be read (No such file" in refusal(tmp_path / "a.npz")
    assert "cannot be read (Is a directory)" in refusal(tmp_path.rename(tmp_path.with_suffix(".npz")))
    assert "choose one of .safetensors, .npz, .pth, .pt" in refusal(tmp_path / "a.onnx")


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pt", ".pth"])
def test_damaged_files_are_refused(tmp_path, suffix):
    whole = save(tmp_path / f"a{suffix}", TENSORS).read_bytes()
    for damaged in (b"", b"\0", b"not weights at all", whole[:7], whole[:60], whole[: len(whole) // 2], whole[:-9]):
        path = tmp_path / f"damaged{suffix}"
        path.write_bytes(damaged)
        assert "holds no readable weights (" in refusal(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"data_offsets": [0, 10**6]},
        {"data_offsets": [96, 0]},
        {"data_offsets": [10**6, 10**6 + 96]},
        {"data_offsets": [-96, 0]},
        {"data_offsets": [0, 95]},
        {"shape": [4, 3, 1, 3]},
        {"shape": [-4, -3, 1, 2]},
        {"shape": [24.0]},
        {"shape": [10**30]},
        {"shape": [2**40, 2**40]},
        {"dtype": "Q4"},
    ],
    ids=str,
)
def test_inconsistent_header_is_refused(tmp_path, changed):
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors(TENSORS, **changed))
    assert "holds no readable weights (" in refusal(path)


def test_unsupported_dtype_error_names_the_tensor(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors({"w": np.zeros(4, np.float32)}, dtype="U32"))
    assert "tensor w is of type U32" in refusal(path)


@pytest.mark.parametrize("header", [b"[]", b"{", b"\xff", b'{"w": 1}', b'{"w": {}}', b"[" * 10**5])
def test_malformed_header_is_refused(tmp_path, header):
    path = tmp_path / "a.safetensors"
    for length in (len(header).to_bytes(8, "little"), b"\xff" * 8):
        path.write_bytes(length + header)
        assert "holds no readable weights (" in refusal(path)


class Harm:
    """Writes a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_code_in_pickles_is_not_executed(tmp_path):
    torch = pytest.importorskip("torch")
    harm = {"block.conv.weight": Harm(tmp_path / "harm")}
    torch.save(harm, tmp_path / "a.pt")
    torch.save(harm, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps(harm, protocol=2))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(harm, protocol=2))
    np.savez(tmp_path / "a.npz", **{"block.conv.weight": np.array([harm], object)})
    for name in ("a.pt", "a.pth", "pickle.pt", "pickle.npz", "a.npz"):
        refusal(tmp_path / name)
    assert "tensor block.conv.weight" in refusal(tmp_path / "a.npz")
    assert not (tmp_path / "harm").exists()


def test_pickles_of_other_objects_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    for content, message in [
        ([1, 2], "is a list"),
        ({"state_dict": {}}, "state_dict is a dict"),
        ({3: "x"}, "3 is a str"),
    ]:
        torch.save(content, tmp_path / "a.pt")
        assert message in refusal(tmp_path / "a.pt")


def test_missing_pytorch_is_reported(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "a.pth").write_bytes(b"anything")
    with pytest.raises(BadInput, match=r"install torch, or convert to \.safetensors"):
        read(tmp_path / "a.pth")


class Small(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.Conv(4, (1, 2), use_bias=False, name="conv")(x)
        x = nn.BatchNorm(use_running_average=True, name="bn")(x)
        return nn.Dense(5, use_bias=False, name="fc")(x)


SHAPES = jax.eval_shape(Small().init, jax.random.key(0), np.zeros((1, 6, 6, 3), np.float32))


def small():
    rng = np.random.default_rng(0)
    shapes = {"conv.weight": (4, 3, 1, 2), "fc.weight": (5, 4), "fc.bias": (5,)}
    shapes |= {f"bn.{name}": (4,) for name in ("weight", "bias", "running_mean", "running_var")}
    tensors = {name: rng.uniform(0.5, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    return tensors | {"bn.num_batches_tracked": np.array(3)}


def test_tensors_are_mapped_to_flax_variables(tmp_path):
    x = np.random.default_rng(1).normal(size=(2, 3, 3, 3)).astype(np.float32)
    w = small()
    variables = params(Weights(tmp_path, "", w), SHAPES)
    assert jax.tree.structure(variables) == jax.tree.structure(SHAPES)
    beside = np.concatenate([x[:, :, 1:], np.zeros_like(x[:, :, :1])], axis=2)  # SAME pads on the right
    y = x @ w["conv.weight"][:, :, 0, 0].T + beside @ w["conv.weight"][:, :, 0, 1].T
    y = (y - w["bn.running_mean"]) / np.sqrt(w["bn.running_var"] + 1e-5) * w["bn.weight"] + w["bn.bias"]
    np.testing.assert_allclose(Small().apply(variables, x), y @ w["fc.weight"].T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("bn.running_var", None, "tensor bn.running_var is missing"),
        ("fc.weight", None, "tensor fc.weight is missing"),
        ("AuxLogits.fc.weight", np.ones(3), "unknown tensor AuxLogits.fc.weight"),
        ("fc.weight", np.ones((4, 5)), r"tensor fc.weight is float64 \[4, 5\], not floats \[5, 4\]"),
        ("conv.weight", np.ones((1, 2, 3, 4)), r"tensor conv.weight is .* not floats \[4, 3, 1, 2\]"),
        ("bn.bias", np.ones(4, int), r"tensor bn.bias is int64 \[4\], not floats"),
        ("bn.bias", np.array(["a"] * 4), "tensor bn.bias is <U1"),
        ("bn.bias", np.array([0, 1, np.nan, 2]), "tensor bn.bias has values that are not finite"),
        ("bn.bias", np.array([0, 1, 1e60, 2]), "tensor bn.bias has values that are not finite"),
    ],
)
def test_first_unfitting_tensor_is_named(tmp_path, name, tensor, message):
    tensors = small()
    del tensors["fc.bias"]  # not needed
    tensors |= {name: tensor}
    given = {key: x for key, x in tensors.items() if x is not None}
    with pytest.raises(BadInput, match=message) as caught:
        params(Weights(tmp_path / "w.npz", "", given), SHAPES)
    assert str(caught.value).startswith(f"{tmp_path / 'w.npz'}: ") and "\n" not in str(caught.value)
