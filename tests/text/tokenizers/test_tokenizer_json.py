import json

import pytest
from tokenizers import Tokenizer, models, trainers
from tokenizers.pre_tokenizers import ByteLevel

from textgen.config import RESERVED
from textgen.errors import UserError
from textgen.text.tokenizers.byte_alphabet import ALPHABET
from textgen.text.tokenizers.merges import learn_merges
from textgen.text.tokenizers.tokenizer_json import read_json, write_json

TEXTS = ["It's the whale's", " the whale, the whale\n\n", "whales été 日本"]
TOKENS = tuple(learn_merges({"Ġthe": 5, "Ġwhale": 4, "whales": 2, "Ã©": 3}, 264).tokens)


def changed(**parts):
    """The file with some parts of it, or of its model, replaced."""
    values = json.loads(write_json(TOKENS))
    for name, part in parts.items():
        (values["model"] if name in values["model"] or name == "ignore" else values)[name] = part
    return json.dumps(values).encode()


def trained(**options):
    """A tokenizer.json that Hugging Face has trained and saved."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300, min_frequency=2, initial_alphabet=ByteLevel.alphabet(), show_progress=False, **options
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return tokenizer


def test_hugging_face_loads_the_file_with_the_same_ids_and_decodes_them():
    loaded = Tokenizer.from_str(write_json(TOKENS).decode())
    assert loaded.get_vocab() == {token: i for i, token in enumerate((*RESERVED, *TOKENS))}
    for text in TEXTS:
        assert loaded.decode(loaded.encode(text).ids) == text


def test_the_reserved_ids_are_special_tokens():
    loaded = Tokenizer.from_str(write_json(TOKENS).decode())
    assert loaded.encode("a[BOS]").ids == [loaded.token_to_id("a"), 2]
    assert loaded.decode([2, loaded.token_to_id("a"), 3]) == "a"
    assert 2 not in Tokenizer.from_str(write_json(TOKENS, reserved=False).decode()).encode("[BOS]").ids
    loaded.encode_special_tokens = True
    assert 2 not in loaded.encode("[BOS]").ids


def test_what_was_written_is_read():
    assert read_json(write_json(TOKENS)) == TOKENS


def test_a_trained_file_is_read_and_its_ids_rise_by_four():
    tokenizer = trained()
    tokens = read_json(tokenizer.to_str().encode())
    assert tokens[256:] and tokens[:256] == ALPHABET
    assert {token: i for i, token in enumerate(tokens)} == tokenizer.get_vocab()


def test_special_tokens_of_a_file_are_left_out():
    assert read_json(trained(special_tokens=["<|endoftext|>"]).to_str().encode()) == read_json(
        trained().to_str().encode()
    )


def test_merges_may_be_written_as_pairs_or_as_texts():
    merges = [each.split(" ") for each in json.loads(write_json(TOKENS))["model"]["merges"]]
    assert read_json(changed(merges=merges)) == TOKENS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is not a tokenizer\.json of a BPE model\. Use a tokenizer\.json of byte-level BPE"),
        (b"\xff", r"is not a tokenizer\.json"),
        (b"[]", r"is not a tokenizer\.json"),
        (b"{}", r"is not a tokenizer\.json"),
        (b"[" * 100_000, r"is not a tokenizer\.json"),
        (changed(merges=[["a"]]), r"has the token .* which no merge makes|not in the order"),
        (changed(vocab={"a": 0}), r"lacks 255 of the 256 bytes"),
        (changed(type="Unigram"), r"is of the type 'Unigram'; it must be BPE"),
        (changed(normalizer={"type": "NFC"}), r"has the normalizer 'NFC'; .*settings of cleaning"),
        (changed(pre_tokenizer=None), r"divides text by None; it must be ByteLevel"),
        (changed(pre_tokenizer={"type": "Whitespace"}), r"divides text by 'Whitespace'; it must be ByteLevel"),
        (
            changed(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}),
            r"divides text by 'ByteLevel'; it must be ByteLevel with its own pattern and without a prefix space",
        ),
        (
            changed(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}),
            r"divides text by 'ByteLevel'",
        ),
        (changed(byte_fallback=True), r"uses 'byte_fallback', which textgen does not"),
        (changed(ignore_merges=True), r"uses 'ignore_merges'"),
        (changed(dropout=0.1), r"uses 'dropout'"),
        (
            changed(added_tokens=[{"id": 300, "content": "<tool>", "special": False}]),
            r"has the added token '<tool>', which no merge makes",
        ),
        (changed(merges=[]), r"has the token '.*', which no merge makes"),
        (
            changed(vocab={token: -i for i, token in enumerate((*RESERVED, *TOKENS))}),
            r"the token .*, of which the merges of the tokens before it",
        ),
    ],
)  # fmt: skip
def test_another_file_is_refused_with_its_rule(content, message):
    with pytest.raises(UserError, match=message):
        read_json(content)


def test_ids_that_do_not_follow_the_merges_are_refused():
    values = json.loads(write_json(tuple(learn_merges({"ab": 5, "cd": 3}, 258).tokens)))
    values["model"]["merges"].reverse()
    with pytest.raises(UserError, match=r"ids of the tokenizer model are not in the order of its merges"):
        read_json(json.dumps(values).encode())
