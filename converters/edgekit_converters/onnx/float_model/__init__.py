"""The float ONNX model that every artifact is made from, and the proof that it is right."""
