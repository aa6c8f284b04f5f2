"""A trained model becomes artifacts: sources, the frozen graph, one folder per format.

The middle floor. Its modules import TensorFlow and ONNX, so they are imported only when used.
"""
