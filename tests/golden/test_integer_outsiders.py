# SPDX-License-Identifier: BSD-2-Clause
"""Integer layers against LiteRT's reference kernels and onnxruntime: no mismatch; softmax within
two counts, as their exponential is another one."""

import pytest

from macaw.sim.proof.outsiders import layers as prove
from macaw.sim.proof.outsiders.check import ProofFailure

pytest.importorskip("ai_edge_litert")
pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("judge", prove.JUDGES, ids=lambda judge: judge.__name__)
def test_layers(judge):
    assert prove.many(judge, 30) > 10_000


def test_another_quantisation_of_probabilities_is_found_out():
    with pytest.raises(
        ProofFailure, match=r"zero_point=0, fraction=7\): refused: .* -128 \(0 != -"
    ):
        prove.litert_softmax(0, zero_point=0)


def test_another_profile_is_found_out():
    """The kernels round as they do: with another profile some results differ by one count."""
    with pytest.raises(ProofFailure, match=r"FULLY_CONNECTED seed \d+: \d+ of 3072 differ"):
        prove.many(prove.litert_dense, 30, profile="tflite_double")
    with pytest.raises(ProofFailure, match=r"CONV_2D seed \d+: \d+ of \d+ differ"):
        prove.many(prove.litert_conv, 30, profile="tflite_single")
    with pytest.raises(ProofFailure, match=r"ADD int\d+ seed \d+: \d+ of 65536 differ"):
        prove.many(prove.litert_add, 30, profile="tflite_single")
