"""int8: weights and activations in integers, by onnxruntime's static quantizer (QDQ)."""
