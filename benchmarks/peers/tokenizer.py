"""Writes a small tokenizer, so that no generator downloads one: a byte is a token, and so is the source's word."""

import json
from pathlib import Path

#: The text of each chunk of the source: one token, as with most models.
WORD = " tick"
_END = "<|end|>"


def write_tokenizer(directory: Path) -> Path:
    """Write the files of a Hugging Face tokenizer to ``directory``, and return it."""
    letters = _byte_letters()
    word = "".join(letters[byte] for byte in WORD.encode())
    parts = [word[:length] for length in range(2, len(word) + 1)]
    merges = [f"{part[:-1]} {part[-1]}" for part in parts]
    vocabulary = {text: number for number, text in enumerate([_END, *letters.values(), *parts])}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    special = {"id": 0, "content": _END, "single_word": False, "lstrip": False, "rstrip": False}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{**special, "normalized": False, "special": True}],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
    }
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": _END,
        "pad_token": _END,
        "model_max_length": 100_000,
        "chat_template": "{% for message in messages %}{{ message['content'] }}{% endfor %}",
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer))
    (directory / "tokenizer_config.json").write_text(json.dumps(settings))
    (directory / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    return directory


def _byte_letters() -> dict[int, str]:
    """Return the printable letter by which byte-level tokenizers write each byte: itself, or one from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(0x100 + at) for at, byte in enumerate(others)}
