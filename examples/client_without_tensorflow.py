"""Writes text with a model of `textgen export --format litert` or `onnx`, without textgen and TensorFlow.

    python client_without_tensorflow.py DIR "The whale" 50

The prompt must be clean already, as in lower case for a model that folds case. Every token is the most likely one.
With the tokenizer `bpe`, it needs the package tokenizers.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

directory, prompt, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
about = json.loads((directory / "vocabulary.json").read_text(encoding="utf-8"))
split = {"char": list, "byte": lambda text: [chr(b) if 32 < b < 127 else f"<0x{b:02X}>" for b in text.encode()]}
split["word"] = lambda text: re.findall(r"\w+(?:['’]\w+)*|[^\w\s]", text)
join = " " if about["tokenizer"] == "word" else ""
if about["tokenizer"] == "bpe":
    from tokenizers import Tokenizer

    bpe = Tokenizer.from_file(str(directory / "tokenizer.json"))
    bpe.encode_special_tokens = True  # "[PAD]" in a prompt is text.
    split["bpe"] = lambda text: bpe.encode(text).tokens
elif about["tokenizer"] not in split:
    sys.exit(f"the tokenizer {about['tokenizer']} is not in this example; bring its splitting of text")
numbers = {token: number for number, token in enumerate(about["tokens"])}
pieces = split[about["tokenizer"]](prompt)
# Texts of a model without boundaries begin without [BOS], unless there is nothing else to read.
ids = [about["begin"]] * (about["begins_always"] or not pieces) + [numbers.get(piece, 1) for piece in pieces]

if (directory / "model.onnx").exists():
    import onnxruntime

    session = onnxruntime.InferenceSession(directory / "model.onnx")
    outputs = [output.name.removeprefix("new_") for output in session.get_outputs()]
    run = lambda inputs: dict(zip(outputs, session.run(None, inputs)))  # noqa: B905, E731
else:
    from ai_edge_litert.interpreter import Interpreter

    step = Interpreter(str(directory / "model.tflite")).get_signature_runner()
    run = lambda inputs: step(**inputs)  # noqa: E731

states = {f"state_{i}": np.zeros([1, width], np.float32) for i, width in enumerate(about["states"])}
begin = len(ids)
while len(ids) < begin + count:
    if states:  # A causal network reads each token once, and is given back the states of the step before.
        for number in ids if len(ids) == begin else ids[-1:]:
            states = run({"ids": np.array([number], np.int32), **states})
            logits = states.pop("logits")
    else:
        window = ids[-about["window"] :]
        logits = run({"ids": np.array([window + [0] * (about["window"] - len(window))], np.int32)})["logits"]
    ids.append(int(np.argmax(logits[0, 4:])) + 4)
if about["tokenizer"] == "bpe":
    text = bpe.decode(ids[begin:]).encode()
else:
    text = join.join(about["tokens"][number] for number in ids[begin:]).encode()
    text = re.sub(rb"<0x(..)>", lambda byte: bytes([int(byte[1], 16)]), text)
sys.stdout.buffer.write(text + b"\n")
