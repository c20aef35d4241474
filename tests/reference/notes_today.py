"""What the notes' lines need with today's libraries, run: chapters 4 to 7 say so in a box.

    python tests/reference/notes_today.py [4|5|6|7]

Needs torch, transformers, bertviz and ipython for chapters 4, 5 and 7, keras and tensorflow for
chapter 6 (made with transformers 5.24.0, torch 2.15.0, bertviz 1.4.1, keras 3.15.0, tensorflow
2.21.0; no GPU, no network). The models are small ones with random weights that the script makes, of
12 heads, so that the notes' indices exist; the Hub's would be named in their place. Of each line
that no longer does what it did, the old form is run, too: once it works again, the script fails,
and the box can go.
"""

import math
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SENTENCE_A, SENTENCE_B = "The cat sat on the mat", "The cat lay on the rug"
VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] the cat sat on mat lay rug i love this new movie".split()


def fails(line, *parts):
    """Asserts that a line of the notes fails as the page says."""
    try:
        line()
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        assert all(part in text for part in parts), text
        print("  as expected,", text.splitlines()[0][:100])
    else:
        raise AssertionError(f"it works again: no {parts}")


def folder_of(model, tokenizer):
    """A folder in Hugging Face layout, which stands for a name on the Hub."""
    folder = tempfile.mkdtemp()
    vocabulary = pathlib.Path(folder, "vocab.txt")
    vocabulary.write_text("\n".join(VOCABULARY) + "\n")
    model.save_pretrained(folder)
    tokenizer(str(vocabulary)).save_pretrained(folder)
    return folder


def bert():
    from transformers import BertConfig, BertModel, BertTokenizer

    config = BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=36, num_hidden_layers=3, num_attention_heads=12,
        intermediate_size=48, max_position_embeddings=64,
    )
    return folder_of(BertModel(config), BertTokenizer)


def chapter_4():
    import transformers
    from transformers import DistilBertConfig, DistilBertForSequenceClassification, pipeline

    config = DistilBertConfig(
        vocab_size=len(VOCABULARY), dim=24, n_layers=2, n_heads=2, hidden_dim=30,
        max_position_embeddings=64, id2label={0: "NEGATIVE", 1: "POSITIVE"},
    )
    model = folder_of(
        DistilBertForSequenceClassification(config), transformers.DistilBertTokenizer
    )
    text = "I love this new movie"
    classifier = pipeline("sentiment-analysis", model=model)
    (best,) = classifier([text])
    assert best["label"] in config.id2label.values() and best["score"] >= 0.5, best
    # Asked for as it was until 4.x, all labels are not given, and nothing is said.
    ignored = pipeline("sentiment-analysis", model=model, return_all_scores=True)
    assert ignored([text]) == [best]
    (every,) = classifier([text], top_k=None)
    assert math.isclose(sum(label["score"] for label in every), 1, abs_tol=1e-6), every
    fails(lambda: transformers.TFAutoModel, "TFAutoModel")
    print(f"  {best}")


def chapter_5():
    from transformers import AutoModel, AutoTokenizer

    folder = bert()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    fails(lambda: tokenizer.encode_plus(SENTENCE_A), "AttributeError", "encode_plus")
    inputs = tokenizer(SENTENCE_A, return_tensors="pt")
    tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])

    plain = AutoModel.from_pretrained(folder)
    assert plain.config._attn_implementation == "sdpa"
    assert plain(**inputs).get("attentions") is None, "none are asked for"
    assert plain(**inputs, output_attentions=True).attentions == (), "sdpa has none to give"

    model = AutoModel.from_pretrained(folder, output_attentions=True)
    assert model.config._attn_implementation == "eager"
    outputs = model(**inputs)
    assert outputs[-1] == () and outputs[-1] is outputs.cross_attentions, "the last is another"
    attentions = outputs.attentions
    assert [tuple(layer.shape) for layer in attentions] == [(1, 12, 8, 8)] * 3
    assert len(tokens) == 8
    rows = attentions[0][0, 0].sum(-1)
    assert (rows - 1).abs().max() < 1e-6
    print(f"  {len(attentions)} layers, {tuple(attentions[0].shape)}; tokens {tokens}")


def chapter_6():
    import keras
    import tensorflow as tf
    from keras import layers, ops
    from keras_block import TokenAndPositionEmbedding

    ids = keras.Input(shape=(10,), dtype="int32")
    x = TokenAndPositionEmbedding(20, 10, 768)(ids)
    q, k, v = (layers.Dense(768, name=name)(x) for name in ("query", "key", "value"))
    says = "KerasTensor cannot be used as input to a TensorFlow function"
    fails(lambda: tf.matmul(q, k, transpose_b=True), "ValueError", says)
    fails(lambda: tf.nn.softmax(q, axis=-1), "ValueError", says)

    scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) / math.sqrt(768)
    weights = ops.softmax(scores, axis=-1)
    z = ops.matmul(weights, v)
    ff = layers.Dense(768)(layers.Dense(4 * 768, activation="relu")(z))
    model = keras.Model(ids, [weights, layers.LayerNormalization()(ff)])
    assert model.count_params() == 6_518_784
    weights, output = model(tf.range(10)[None])
    assert output.shape == (1, 10, 768)
    assert abs(tf.reduce_sum(weights, -1).numpy() - 1).max() < 1e-5
    print(f"  {model.count_params()} parameters, output {tuple(output.shape)}")


def chapter_7():
    from bertviz import head_view, model_view
    from bertviz.neuron_view import show
    from bertviz.transformers_neuron_view import BertModel, BertTokenizer
    from transformers import AutoModel, AutoTokenizer

    folder = bert()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(SENTENCE_A, SENTENCE_B, return_tensors="pt")
    tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    starter = inputs["token_type_ids"][0].tolist().index(1)
    assert (len(tokens), starter, tokens[starter]) == (15, 8, "the")

    plain = AutoModel.from_pretrained(folder)
    nothing = plain(**inputs, output_attentions=True).attentions
    fails(lambda: head_view(nothing, tokens, starter, heads=[8]), "non-empty TensorList")
    fails(lambda: head_view(plain(**inputs)[-1], tokens, starter), "number of dimensions")
    model = AutoModel.from_pretrained(folder, attn_implementation="eager")
    attention = model(**inputs, output_attentions=True).attentions
    # In a notebook the page comes by itself; here it is returned.
    view = head_view(attention, tokens, starter, heads=[8], html_action="return")
    views = model_view(attention, tokens, starter, html_action="return")
    assert '"heads": [8]' in view.data and "render" in views.data

    # The neuron view has a BERT of its own, which reads PyTorch's file, not safetensors.
    import torch

    assert BertModel.from_pretrained(folder) is None, "of safetensors"
    torch.save(model.state_dict(), pathlib.Path(folder, "pytorch_model.bin"))
    inside = BertModel.from_pretrained(folder, output_attentions=True)
    words = BertTokenizer.from_pretrained(folder, do_lower_case=True)
    neurons = show(inside, "bert", words, SENTENCE_A, SENTENCE_B, html_action="return")
    print(f"  pages of {[len(page.data) for page in (view, views, neurons)]} characters")


if __name__ == "__main__":
    chapters = {"4": chapter_4, "5": chapter_5, "6": chapter_6, "7": chapter_7}
    if sys.argv[1:]:
        print(f"chapter {sys.argv[1]}")
        chapters[sys.argv[1]]()
    else:
        # A process each: TensorFlow and PyTorch, in one, end it.
        for number in chapters:
            subprocess.run([sys.executable, __file__, number], check=True)
