# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""Makes the ONNX files that users of the ONNX peers find on the hub: fp32, and dynamically quantised ("q8").

The quantisation is that of transformers.js's conversion script for BERT models: signed weights, a scale per channel, reduced range.

    python export_onnx.py <folder of the model as published> <folder to make>
"""

import shutil
import sys
from pathlib import Path

from onnxruntime.quantization import QuantType, quantize_dynamic
from optimum.exporters.onnx import main_export

source, target = Path(sys.argv[1]), Path(sys.argv[2])
main_export(str(source), output=target, task="feature-extraction", library_name="transformers", device="cpu")
(target / "onnx").mkdir(exist_ok=True)
shutil.move(target / "model.onnx", target / "onnx" / "model.onnx")
quantize_dynamic(
    target / "onnx" / "model.onnx",
    target / "onnx" / "model_quantized.onnx",
    weight_type=QuantType.QInt8,
    per_channel=True,
    reduce_range=True,
)
