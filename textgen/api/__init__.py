"""The functions and classes of the public Python API; `textgen` exports them."""
